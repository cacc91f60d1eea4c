"""A study as files: tables, a report, all of it in one archive."""

"""The command line; the only part that needs click and rich."""

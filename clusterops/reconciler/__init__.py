"""The loop that makes wishes real: its lock and doorbells, one pass, a file per step."""

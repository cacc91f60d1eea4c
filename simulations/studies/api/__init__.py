"""The studies' addresses."""

"""What changes several rows of a study at once."""

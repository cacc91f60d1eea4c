"""Traffic per edge and interval: of one job, and of a study's cells as their runs end."""

"""Pages of studies: the list, one study, a new one, and what its cells say side by side."""

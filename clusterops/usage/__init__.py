"""What ran, for whom and how long: evidence written with each ending, and what is counted from it."""

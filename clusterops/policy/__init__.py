"""The rule book: what becomes of a job, whose turn it is, and the sentence that says so. Pure."""

"""Two runs, or pairs of them, row by row."""

"""The CSV files of a run, written and read."""

"""Contenders of a cell verified and timed in rounds."""

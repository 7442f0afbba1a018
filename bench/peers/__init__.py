"""Other libraries on the same cells."""

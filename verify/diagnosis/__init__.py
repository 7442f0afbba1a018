"""What the bug is: the known mistakes, and the patterns that wrong values make."""

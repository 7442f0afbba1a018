"""Families of functions with a known derivative, a module for each kind; ``catalogue`` has them all."""

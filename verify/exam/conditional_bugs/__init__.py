"""Planted bugs that are wrong under a condition only: at some size, pair of activations, value, layout or call."""

"""Planted bugs, which the verifier must catch."""

"""Confidence intervals, A/A pairs, the variance between processes, and who is the fastest."""

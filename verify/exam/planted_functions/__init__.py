"""Planted bugs in gradients of functions that are no network: each a cost, its right gradient, a wrong one, and a point."""

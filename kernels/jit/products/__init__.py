"""Compiled matrix products: blocks for the caches, packed panels, the register tile."""

"""The types that all rooms share: a cell, a contender, a result."""

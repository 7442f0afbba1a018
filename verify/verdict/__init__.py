"""Pass, fail or inconclusive: how values are compared with a reference, and the report."""

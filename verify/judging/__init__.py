"""One kernel judged at one point: its values and its contract."""

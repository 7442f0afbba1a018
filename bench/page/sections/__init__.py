"""The tables and texts of the page."""

"""The gradient of any function: its references, measured from calls alone. Knows no network."""

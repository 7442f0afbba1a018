"""What the derivative is, and how sure: finite differences, the complex step, the model of a network, rounding."""

"""How often the checker is right about right gradients: draws from families whose true derivatives are known, and scores."""

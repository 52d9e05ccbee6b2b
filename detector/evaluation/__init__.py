"""How good a detector is, beside others and over time, in figures and pictures."""

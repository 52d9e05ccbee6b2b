"""How fast the detector is, beside what a user would otherwise run; and how its cost grows."""

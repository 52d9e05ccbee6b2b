"""How the grid and the head learn: what they are shown, the loop, where a run begins and ends."""

"""Garments over time: ids, steady labels, and what need not be asked again."""

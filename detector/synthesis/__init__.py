"""Frames with known boxes, painted from Fashion-MNIST over procedural backgrounds or photos."""

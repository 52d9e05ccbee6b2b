"""Find garments in frames with a YOLO grid, and name them with a Fashion-MNIST classifier."""

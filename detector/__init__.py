"""Find garments in frames and name them: a YOLO grid with a Fashion-MNIST classifier as its head."""

"""Train, evaluate and benchmark Fashion-MNIST classifiers."""

"""Random numbers of a distribution that NumPy does not have."""

import math

import numpy as np


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """Each power of two between them as often as any other."""
    return math.exp(rng.uniform(math.log(low), math.log(high)))

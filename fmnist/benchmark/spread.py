"""Repeated measurements as JSON: over seeds, and of time."""

import statistics
from collections.abc import Sequence
from typing import Any


def around_median(values: Sequence[float]) -> dict[str, Any]:
    """The values, their number and their median: other work on the machine errs one way only."""
    return {"n": len(values), "median": statistics.median(values), "values": list(values)}


def spread(values: Sequence[float]) -> dict[str, Any]:
    """Mean, standard deviation over seeds, and the 95 % interval of the mean by Student's t.

    With one value there is neither a deviation nor an interval.
    """
    mean = statistics.fmean(values)
    facts: dict[str, Any] = {"n": len(values), "values": list(values), "mean": mean}
    if len(values) > 1:
        from scipy.stats import t

        deviation = statistics.stdev(values)
        half = float(t.ppf(0.975, len(values) - 1)) * deviation / len(values) ** 0.5
        facts |= {"sd": deviation, "interval_95": [mean - half, mean + half]}
    return facts

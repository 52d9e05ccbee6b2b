"""Repeated measurements as JSON."""

import statistics
from collections.abc import Sequence
from typing import Any


def around_median(values: Sequence[float]) -> dict[str, Any]:
    """The values, their number and their median: other work on the machine errs one way only."""
    return {"n": len(values), "median": statistics.median(values), "values": list(values)}

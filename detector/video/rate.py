"""How long a frame lasts where nobody tells."""

RATE = 25.0  # frames a second


def interval(fps: float) -> float:
    """Seconds from one frame to the next; `fps` is 0 where a video does not know its rate."""
    return 1 / (fps if fps > 0 else RATE)

"""Find garments in frames with a YOLO grid, and name them with a Fashion-MNIST classifier."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from detector.pipeline import Detector

__all__ = ["Detector"]


def __getattr__(name: str) -> Any:
    """`Detector` on demand: whoever only reads video does not wait for torch."""
    if name != "Detector":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from detector.pipeline import Detector

    return Detector

"""A frame whose garments are known: what trains and what judges a detector."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int64, UInt8


@dataclass(frozen=True)
class Scene:
    """A frame, BGR, and the box and label of each garment that can be seen in it, in pixels.

    Of real photos a label may also be `FOOTWEAR` or `OTHER` (a garment of none of the classes).
    """

    frame: UInt8[np.ndarray, "h w 3"]
    xyxy: Float32[np.ndarray, "n 4"]
    labels: Int64[np.ndarray, " n"]

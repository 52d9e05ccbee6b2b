"""Where a photo is laid in a frame."""

import numpy as np

from detector.photos.collage import Place
from detector.photos.photo import Photo
from detector.synthesis.draws import log_uniform

CLOSER = (1.0, 1.6)  # than a photo that just fills the frame
WHOLE = (0.85, 1.25)  # height of a photo among others, of its row's
NEAR = (0.45, 1.1)  # height of what somebody near wears above the waist, of the frame's


def covering(rng: np.random.Generator, photo: Photo, size_wh: tuple[int, int]) -> Place:
    """Where the photo covers the whole frame, somewhat closer perhaps."""
    own = np.array(photo.image.shape[1::-1])
    scale = float((size_wh / own).max()) * log_uniform(rng, *CLOSER)
    x, y = np.array(size_wh) / 2 + rng.uniform(-0.5, 0.5, 2) * (scale * own - size_wh)
    return Place(scale, (x, y), bool(rng.random() < 0.5), rng.normal(0, 2))


def upright(
    rng: np.random.Generator, photo: Photo, left: float, top: float, height: float
) -> Place:
    """Where the photo begins at `left` and is about as high as the row that begins at `top`."""
    rows, across = photo.image.shape[:2]
    scale = height / rows * log_uniform(rng, *WHOLE)
    centre = left + scale * across / 2, top + height / 2 + rng.normal(0, 0.03) * height
    return Place(scale, centre, bool(rng.random() < 0.5), rng.normal(0, 2))


def around(rng: np.random.Generator, photo: Photo, number: int, size_wh: tuple[int, int]) -> Place:
    """Where this garment of the photo is tall, and somewhat below the middle."""
    width, height = size_wh
    left, top, right, bottom = photo.xyxy[number].tolist()
    scale = height * log_uniform(rng, *NEAR) / (bottom - top)
    rows, across = photo.image.shape[:2]
    x = width * rng.uniform(0.3, 0.7) + scale * (across - left - right) / 2
    y = height * rng.uniform(0.5, 0.8) + scale * (rows - top - bottom) / 2
    return Place(scale, (x, y), False, rng.normal(0, 3))


def fills(photo: Photo, place: Place, size_wh: tuple[int, int]) -> bool:
    """Whether the photo, were it not turned, would cover the whole frame."""
    size = place.scale * np.array(photo.image.shape[1::-1])
    off_centre = np.abs(np.subtract(place.centre, np.array(size_wh) / 2))
    return bool(np.all(off_centre + np.array(size_wh) / 2 <= size / 2))

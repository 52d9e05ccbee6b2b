"""A frame on which photos are laid over each other, and what is left to be seen of each garment."""

from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64, UInt8

from detector.photos.photo import BODY, Photo

FEWEST_PIXELS = 24  # of a garment that is to be found
MOST_GARMENTS = BODY - 1  # on one frame


class Place(NamedTuple):
    """Where a photo goes: its size relative to the photo's, and its middle in the frame (x, y)."""

    scale: float
    centre: tuple[float, float]
    flip: bool = False
    degrees: float = 0.0

    def matrix(self, photo: Photo) -> Float64[np.ndarray, "2 3"]:
        """From pixels of the photo to pixels of the frame."""
        height, width = photo.image.shape[:2]
        turn = np.deg2rad(self.degrees)
        mirror = -1 if self.flip else 1
        cos, sin = self.scale * np.cos(turn), self.scale * np.sin(turn)
        linear = np.array([[mirror * cos, -sin], [mirror * sin, cos]])
        middle = np.array([(width - 1) / 2, (height - 1) / 2])
        return np.column_stack([linear, self.centre - linear @ middle])


class Collage:
    """Lays photos, or what is cut out of them, over the frame that it is given."""

    def __init__(self, frame: UInt8[np.ndarray, "h w 3"]) -> None:
        self.frame = frame
        self._owner = np.zeros(frame.shape[:2], np.uint8)
        self._labels: list[int] = []
        self._areas: list[float] = []  # of each whole garment, in pixels of the frame

    def lay(self, photo: Photo, place: Place, columns: slice = slice(None)) -> None:
        """The whole photo, seen only in these columns; its edges go on outside of it."""
        image, owner = self._warped(photo, place, cv2.BORDER_REPLICATE)
        self.frame[:, columns] = image[:, columns]
        covered = np.zeros(owner.shape, np.bool_)
        covered[:, columns] = True
        self._take(photo, place, owner, covered)

    def cut_out(self, photo: Photo, place: Place) -> None:
        """Only what is somebody's: a person with all garments, or a garment by itself."""
        image, owner = self._warped(photo, place, cv2.BORDER_CONSTANT)
        alpha = cv2.blur((owner > 0).astype(np.float32), (3, 3))
        self.frame[:] = cv2.blendLinear(image, self.frame.copy(), alpha, 1 - alpha)
        self._take(photo, place, owner, owner > 0)

    def garments(
        self, visible: float
    ) -> tuple[Float32[np.ndarray, "n 4"], Int64[np.ndarray, " n"]]:
        """Boxes around what can be seen (xyxy), and labels, of those seen to that part."""
        seen = np.bincount(self._owner.reshape(-1), minlength=len(self._labels) + 1)
        boxes, labels = [], []
        for i, (label, area) in enumerate(zip(self._labels, self._areas, strict=True)):
            if seen[i + 1] >= max(visible * area, FEWEST_PIXELS):
                x, y, width, height = cv2.boundingRect((self._owner == i + 1).view(np.uint8))
                boxes.append((x, y, x + width, y + height))
                labels.append(label)
        return np.array(boxes, np.float32).reshape(-1, 4), np.array(labels, np.int64)

    def room(self, photo: Photo) -> bool:
        """Whether its garments can still be counted."""
        return len(self._labels) + len(photo.labels) <= MOST_GARMENTS

    def _warped(
        self, photo: Photo, place: Place, border: int
    ) -> tuple[UInt8[np.ndarray, "h w 3"], UInt8[np.ndarray, "h w"]]:
        """Image and owners as the frame would show them."""
        assert photo.owner is not None
        size_wh = self.frame.shape[1::-1]
        matrix = place.matrix(photo)
        image = _halved(photo.image, place.scale)
        times = np.array(photo.image.shape[1::-1]) / image.shape[1::-1]
        # The centre of the halved image's pixel x is at (x + 0.5) * times - 0.5.
        of_halved = np.column_stack(
            [matrix[:, :2] * times, matrix[:, 2] + matrix[:, :2] @ ((times - 1) / 2)]
        )
        image = cv2.warpAffine(image, of_halved, size_wh, borderMode=border)
        nearest = cv2.INTER_NEAREST
        owner = cv2.warpAffine(photo.owner, matrix, size_wh, flags=nearest)
        return image, owner.astype(np.uint8, copy=False)

    def _take(
        self,
        photo: Photo,
        place: Place,
        owner: UInt8[np.ndarray, "h w"],
        covered: Bool[np.ndarray, "h w"],
    ) -> None:
        """What is covered has a new owner."""
        assert photo.owner is not None
        first, count = len(self._labels) + 1, len(photo.labels)
        number_of = np.zeros(256, np.uint8)  # of a garment of the photo, on this frame
        number_of[1 : count + 1] = np.arange(first, first + count)
        self._owner[covered] = number_of[owner[covered]]
        areas = np.bincount(photo.owner.reshape(-1), minlength=256)[1 : count + 1]
        self._labels += photo.labels.tolist()
        self._areas += (areas * place.scale**2).tolist()


def _halved(image: UInt8[np.ndarray, "h w 3"], scale: float) -> UInt8[np.ndarray, "_ _ 3"]:
    """Half the size, and half again, while it stays larger than it will be drawn: no aliasing."""
    while scale <= 0.5 and min(image.shape[:2]) >= 2:
        image = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        scale *= 2
    return image

"""A frame on which photos are laid over each other, and what is left to be seen of each garment."""

from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64, UInt8

from detector.boxes import area
from detector.photos.photo import Photo, paste

FEWEST_PIXELS = 24  # of a garment that is to be found


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
        self._seen: list[Bool[np.ndarray, "h w"]] = []  # what is left of each garment
        self._labels: list[int] = []
        self._areas: list[float] = []  # of each whole garment, in pixels of the frame

    def lay(
        self, photo: Photo, place: Place, rows: slice = slice(None), columns: slice = slice(None)
    ) -> None:
        """The whole photo, seen only in these rows and columns; its edges go on outside of it."""
        part = rows, columns
        self.frame[part] = self._warped(photo, place, cv2.BORDER_REPLICATE)[part]
        covered = np.zeros(self.frame.shape[:2], np.bool_)
        covered[part] = True
        self._take(photo, place, covered)

    def cut_out(self, photo: Photo, place: Place) -> None:
        """Only what is somebody's: a person with all garments, or a garment by itself.

        The photo has to know its owners.
        """
        assert photo.owner is not None
        solid = self._drawn((photo.owner > 0).astype(np.uint8), photo, place) > 0
        paste(self.frame, self._warped(photo, place, cv2.BORDER_CONSTANT), solid)
        self._take(photo, place, solid)

    def garments(
        self, visible: float
    ) -> tuple[Float32[np.ndarray, "n 4"], Int64[np.ndarray, " n"]]:
        """Boxes around what can be seen (xyxy), and labels, of those seen to that part."""
        boxes, labels = [], []
        for seen, label, whole in zip(self._seen, self._labels, self._areas, strict=True):
            if np.count_nonzero(seen) >= max(visible * whole, FEWEST_PIXELS):
                x, y, width, height = cv2.boundingRect(seen.view(np.uint8))
                boxes.append((x, y, x + width, y + height))
                labels.append(label)
        return np.array(boxes, np.float32).reshape(-1, 4), np.array(labels, np.int64)

    def _warped(self, photo: Photo, place: Place, border: int) -> UInt8[np.ndarray, "h w 3"]:
        """The photo as the frame would show it."""
        matrix = place.matrix(photo)
        image = _halved(photo.image, place.scale)
        times = np.array(photo.image.shape[1::-1]) / image.shape[1::-1]
        # The centre of the halved image's pixel x is at (x + 0.5) * times - 0.5.
        of_halved = np.column_stack(
            [matrix[:, :2] * times, matrix[:, 2] + matrix[:, :2] @ ((times - 1) / 2)]
        )
        return cv2.warpAffine(image, of_halved, self.frame.shape[1::-1], borderMode=border)

    def _drawn(
        self, numbers: UInt8[np.ndarray, "_ _"], photo: Photo, place: Place
    ) -> UInt8[np.ndarray, "h w"]:
        """Numbers of the photo's pixels where the frame would show them."""
        size_wh = self.frame.shape[1::-1]
        return cv2.warpAffine(numbers, place.matrix(photo), size_wh, flags=cv2.INTER_NEAREST)

    def _take(self, photo: Photo, place: Place, covered: Bool[np.ndarray, "h w"]) -> None:
        """What is covered is hidden, and shows the garments of the photo now."""
        for seen in self._seen:
            seen &= ~covered
        if photo.owner is None:
            areas = area(photo.xyxy)
            shapes = [self._rectangle(box, photo, place) for box in photo.xyxy]
        else:
            owner = self._drawn(photo.owner, photo, place)
            areas = np.bincount(photo.owner.reshape(-1), minlength=256)[1:]
            shapes = [owner == i + 1 for i in range(len(photo.labels))]
        self._seen += [shape & covered for shape in shapes]
        self._labels += photo.labels.tolist()
        self._areas += (areas[: len(photo.labels)] * place.scale**2).tolist()

    def _rectangle(
        self, box: Float32[np.ndarray, "4"], photo: Photo, place: Place
    ) -> Bool[np.ndarray, "h w"]:
        """A box, which is all that is known of a garment."""
        inside = np.zeros(photo.image.shape[:2], np.uint8)
        x1, y1, x2, y2 = box.round().astype(int)
        inside[y1:y2, x1:x2] = 1
        return self._drawn(inside, photo, place) > 0


def _halved(image: UInt8[np.ndarray, "h w 3"], scale: float) -> UInt8[np.ndarray, "_ _ 3"]:
    """Half the size, and half again, while it stays larger than it will be drawn: no aliasing."""
    while scale <= 0.5 and min(image.shape[:2]) >= 2:
        # By its size: by a factor, OpenCV would drop the last column of an odd width, or repeat it.
        size_wh = [-(-side // 2) for side in image.shape[1::-1]]
        image = cv2.resize(image, size_wh, interpolation=cv2.INTER_AREA)
        scale *= 2
    return image

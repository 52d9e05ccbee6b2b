"""Small folders of photos in the three layouts, with garments where the tests know them."""

from pathlib import Path

import cv2
import numpy as np

from detector.photos.photo import Photo, from_mask

NAMES = ("null", "coat", "shoes", "skirt", "skin")
SIZE_WH = (60, 80)


def street_mask() -> np.ndarray:
    """A coat, two shoes, a skirt, a head; one stray pixel of coat."""
    mask = np.zeros(SIZE_WH[::-1], np.uint8)
    mask[2:10, 26:34] = NAMES.index("skin")
    mask[10:40, 20:40] = NAMES.index("coat")
    mask[40:60, 22:38] = NAMES.index("skirt")
    mask[70:75, 18:26] = mask[70:75, 34:42] = NAMES.index("shoes")
    mask[0, 0] = NAMES.index("coat")
    return mask


def street_photo() -> Photo:
    """Of that, with a mask."""
    return from_mask("a", picture(0), street_mask(), list(NAMES))


def picture(seed: int, size_wh: tuple[int, int] = SIZE_WH) -> np.ndarray:
    """Smooth noise."""
    cells = np.random.default_rng(seed).integers(0, 256, (5, 5, 3), np.uint8)
    return np.asarray(cv2.resize(cells, size_wh), np.uint8)


def write(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image)


def with_masks(folder: Path, count: int = 9) -> Path:
    for number in range(count):
        write(folder / "photos" / f"{number:03}.png", picture(number))
        write(folder / "masks" / f"{number:03}.png", street_mask())
    (folder / "labels.txt").write_text("\n".join(NAMES))
    return folder


def with_boxes(folder: Path) -> Path:
    write(folder / "images" / "a.png", picture(0))
    write(folder / "images" / "b.png", picture(1))
    (folder / "labels").mkdir()
    box, polygon = "1 0.5 0.25 0.2 0.5", "0 0.1 0.1 0.4 0.1 0.4 0.9"
    (folder / "labels" / "a.txt").write_text(f"{box}\n{polygon}\n")
    (folder / "data.yaml").write_text("names: {0: dress, 1: boots}\n")
    return folder


def of_single_garments(folder: Path) -> Path:
    for part, count in (("train", 3), ("validation", 2)):
        for name, shade in (("dress", 200), ("shoes", 20)):
            for number in range(count):
                image = np.full((80, 60, 3), 110, np.uint8)
                image[20:60, 15:45] = (shade, 0, 255 - shade)
                image[0, 0] = (number, count, 0)  # no two photos are the same
                write(folder / part / name / f"{number}.png", image)
    return folder

"""Make pictures of things that are no clothes, for `fmnist detector train --backgrounds`.

    python scripts/still_life.py CUT_OUTS WALLPAPERS OUTPUT

CUT_OUTS holds PNG files with transparency, WALLPAPERS photos, both at any depth. The shipped grid
was trained with those of Debian's packages tuxpaint-stamps-default (animals, plants, food,
household, vehicles: no clothes, drawings or symbols) and gnome-backgrounds, mate-backgrounds,
plasma-workspace-wallpapers and ukui-wallpapers.
"""

import sys
from pathlib import Path

import cv2
import numpy as np

COUNT = 300
SIZE_WH = (640, 480)
SKIPPED = {"cartoon", "clothes", "symbols", "seasonal", "flags", "people", "medical", "roadsigns"}


def read(folder: Path, flags: int, *suffixes: str) -> list[np.ndarray]:
    """The pictures below the folder, none larger than a frame; what cannot be read is left out."""
    pictures = []
    for path in sorted(folder.rglob("*")):
        if path.suffix not in suffixes or SKIPPED & set(path.parts):
            continue
        picture = cv2.imread(str(path), flags)
        if picture is not None and picture.ndim == 3:
            shrink = min(1.0, SIZE_WH[0] / max(picture.shape[:2]))
            pictures.append(
                cv2.resize(picture, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
            )
    return pictures


def lay(rng: np.random.Generator, frame: np.ndarray, thing: np.ndarray) -> None:
    """Draw the cut-out (BGRA) somewhere on the frame, of any size, turned and mirrored."""
    height, width = thing.shape[:2]
    side = SIZE_WH[1] * rng.uniform(0.15, 0.8)
    matrix = cv2.getRotationMatrix2D(
        (width / 2, height / 2), rng.normal(0, 15), side / max(height, width)
    )
    matrix[:, 2] += rng.uniform(0, SIZE_WH) - (width / 2, height / 2)
    if rng.random() < 0.5:
        thing = cv2.flip(thing, 1)
    drawn = cv2.warpAffine(thing, matrix, SIZE_WH)
    alpha = drawn[..., 3].astype(np.float32) / 255
    frame[:] = cv2.blendLinear(np.ascontiguousarray(drawn[..., :3]), frame.copy(), alpha, 1 - alpha)


def main() -> None:
    cut_outs, wallpapers, output = map(Path, sys.argv[1:4])
    rng = np.random.default_rng(0)
    things = [t for t in read(cut_outs, cv2.IMREAD_UNCHANGED, ".png") if t.shape[2] == 4]
    behind = read(wallpapers, cv2.IMREAD_COLOR, ".jpg", ".jpeg", ".webp", ".png")
    output.mkdir(parents=True, exist_ok=True)
    for number in range(COUNT):
        frame = cv2.resize(behind[number % len(behind)], SIZE_WH, interpolation=cv2.INTER_AREA)
        for _ in range(rng.integers(0, 9)):
            lay(rng, frame, things[rng.integers(len(things))])
        cv2.imwrite(str(output / f"{number:03}.jpg"), frame)


if __name__ == "__main__":
    main()

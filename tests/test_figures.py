"""The figures: whole PNG files of a readable size, the same for the same numbers."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from fmnist import figures
from fmnist.errors import InputError

Draw = Callable[[Path], None]

METRICS = ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy")


def draw_distribution(path: Path) -> None:
    figures.save(figures.class_distribution(np.arange(10) * 300), path)


def draw_grid(path: Path) -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (60, 28, 28), dtype=np.uint8)
    figures.save(figures.sample_grid(images, np.arange(60) % 10), path)


def draw_curves(path: Path) -> None:
    rows = [{"epoch": e, **{name: 1 / (e + 1) for name in METRICS}} for e in range(1, 6)]
    figures.save(figures.curves(rows), path)


def draw_confusion(path: Path) -> None:
    figures.save(figures.confusion(np.eye(10, dtype=np.int64) * 900 + 10), path)


@pytest.mark.parametrize("draw", [draw_distribution, draw_grid, draw_curves, draw_confusion])
def test_a_figure_is_a_whole_png_and_the_same_numbers_give_the_same_bytes(
    tmp_path: Path, draw: Draw
) -> None:
    path = tmp_path / "figures" / "figure.png"
    draw(path)
    image = cv2.imread(str(path))
    assert image is not None and min(image.shape[:2]) > 500
    assert image.std() > 5, "something is drawn"
    before = path.read_bytes()
    draw(path)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["figure.png"], "nothing else is left"


def test_an_unwritable_place_is_told_and_no_chain_of_folders_is_made(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"figure\.png cannot be written: No such file"):
        draw_distribution(tmp_path / "no" / "such" / "figure.png")
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"figure\.png cannot be written"):
        draw_distribution(tmp_path / "file" / "figure.png")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_figure_that_fails_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "figure.png"
    draw_distribution(path)
    before = path.read_bytes()
    (tmp_path / f".figure.png.{os.getpid()}.part").mkdir()
    with pytest.raises(InputError, match="cannot be written"):
        draw_curves(path)
    assert path.read_bytes() == before


def test_the_confusion_shows_an_error_of_one_in_a_hundred(tmp_path: Path) -> None:
    matrix = np.eye(10, dtype=np.int64) * 1000
    figures.save(figures.confusion(matrix), tmp_path / "clean.png")
    matrix[6, 0], matrix[6, 6] = 10, 990
    figures.save(figures.confusion(matrix), tmp_path / "error.png")
    clean, error = (cv2.imread(str(tmp_path / f"{name}.png")) for name in ("clean", "error"))
    assert clean is not None and error is not None and clean.shape == error.shape
    orange = (error[..., 2].astype(int) - error[..., 0] > 20) & (clean.min(axis=-1) > 200)
    assert orange.sum() > 5_000, "the cell has a colour, not only a number"


def test_empty_classes_and_a_single_epoch_are_drawn() -> None:
    row = {"epoch": 1.0, **dict.fromkeys(METRICS, 0.5)}
    for figure in (
        figures.class_distribution(np.zeros(10, dtype=np.int64)),
        figures.confusion(np.zeros((10, 10), dtype=np.int64)),
        figures.sample_grid(np.zeros((0, 28, 28), np.uint8), np.zeros(0, dtype=np.int64)),
        figures.curves([row]),
    ):
        assert figures.png(figure).startswith(b"\x89PNG")
    with pytest.raises(ValueError, match="no epoch"):
        figures.curves([])


def test_drawing_does_not_touch_pyplot(tmp_path: Path) -> None:
    code = (
        "import sys, numpy; from pathlib import Path; from fmnist import figures;"
        "figures.save(figures.class_distribution(numpy.arange(10)), Path(sys.argv[1]));"
        "assert 'matplotlib.pyplot' not in sys.modules and 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "figure.png")], check=True)

"""Backgrounds: any size, repeatable, the two families apart, photos or a clear error."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from detector.synthesis.backgrounds import from_folder, mixture, procedural
from detector.synthesis.held_out_textures import HELD_OUT
from detector.synthesis.textures import Painter
from detector.synthesis.training_textures import TRAIN
from fmnist.errors import InputError


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def write_photos(folder: Path, count: int) -> None:
    for number in range(count):
        photo = rng(number).integers(0, 256, (90, 1300, 3)).astype(np.uint8)
        cv2.imwrite(str(folder / f"{number}.png"), photo)


def test_the_families_share_neither_name_nor_painter() -> None:
    assert not set(TRAIN) & set(HELD_OUT)
    assert not set(TRAIN.values()) & set(HELD_OUT.values())


@pytest.mark.parametrize("name", [*TRAIN, *HELD_OUT])
def test_a_painter_fills_the_square_and_repeats_itself(name: str) -> None:
    painter = {**TRAIN, **HELD_OUT}[name]
    picture = painter(rng(), 160)
    assert picture.shape == (160, 160, 3)
    assert picture.dtype == np.uint8
    assert picture.flags.c_contiguous
    assert np.array_equal(picture, painter(rng(), 160))
    assert not np.array_equal(picture, painter(rng(1), 160))
    assert picture.std() > 0.5


@pytest.mark.parametrize("size_wh", [(1, 1), (33, 57), (301, 17), (900, 500)])
def test_a_background_has_the_size_that_is_asked(size_wh: tuple[int, int]) -> None:
    background = procedural(TRAIN, rng(), pool_size=10, side=128)
    frame = background(rng(), size_wh)
    assert frame.shape == (size_wh[1], size_wh[0], 3)
    assert frame.dtype == np.uint8


def test_the_caller_may_paint_over_what_it_gets() -> None:
    background = procedural(TRAIN, rng(), pool_size=3, side=96)
    before = [picture.copy() for picture in background.pictures]
    for seed in range(10):
        background(rng(seed), (96, 96))[:] = 0
    assert all(np.array_equal(a, b) for a, b in zip(before, background.pictures, strict=True))


def test_the_pool_holds_every_painter_in_turn() -> None:
    def flat(level: int) -> Painter:
        return lambda _, side: np.full((side, side, 3), level, np.uint8)

    painters = {str(level): flat(level) for level in range(3)}
    pictures = procedural(painters, rng(), pool_size=7, side=64).pictures
    assert [int(picture.mean()) for picture in pictures] == [0, 1, 2, 0, 1, 2, 0]
    with pytest.raises(ValueError, match="pool_size"):
        procedural(HELD_OUT, rng(), pool_size=0)


def test_photos_are_found_in_folders_shrunk_and_bounded(tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    write_photos(tmp_path / "inside", 5)
    (tmp_path / "notes.txt").write_text("no photo")
    assert [max(p.shape[:2]) for p in from_folder(tmp_path).pictures] == [640] * 5
    assert len(from_folder(tmp_path, at_most=3).pictures) == 3
    assert from_folder(tmp_path)(rng(), (64, 48)).shape == (48, 64, 3)


def test_a_strip_becomes_no_line_without_width(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "strip.png"), np.zeros((3, 9000, 3), np.uint8))
    assert from_folder(tmp_path).pictures[0].shape == (1, 640, 3)


def test_a_folder_without_photos_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no photo"):
        from_folder(tmp_path)
    with pytest.raises(InputError, match="no such folder"):
        from_folder(tmp_path / "missing")


@pytest.mark.parametrize("content", [b"", b"not an image"])
def test_a_photo_that_cannot_be_read_is_named(tmp_path: Path, content: bytes) -> None:
    write_photos(tmp_path, 1)
    (tmp_path / "broken.jpg").write_bytes(content)
    with pytest.raises(InputError, match="broken.jpg"):
        from_folder(tmp_path)


def test_a_mixture_uses_its_parts_as_often_as_the_weights_say() -> None:
    def plain(level: int) -> np.ndarray:
        return np.full((4, 4, 3), level, np.uint8)

    background = mixture([lambda *_: plain(0), lambda *_: plain(9)], [3, 1])
    generator = rng()
    drawn = [int(background(generator, (4, 4))[0, 0, 0]) for _ in range(1000)]
    assert 200 < sum(value == 9 for value in drawn) < 300
    with pytest.raises(ValueError, match="weight"):
        mixture([background], [1, 2])

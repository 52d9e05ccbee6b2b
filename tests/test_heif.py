"""HEIC and AVIF, as phones take them, are read like any other photo."""

from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from detector import network
from detector.video.frames import Reader, Undecodable, read
from detector.video.sources import check_source, expand, is_image
from tests import clips

ORIENTATION = 0x0112  # of EXIF
TURNED_RIGHT = 6  # what is stored has to be turned clockwise by 90 degrees


def photo(path: Path, orientation: int = 1) -> Path:
    pillow_heif.register_heif_opener()
    picture = Image.fromarray(clips.numbered(77)[..., ::-1])
    exif = picture.getexif()
    exif[ORIENTATION] = orientation
    picture.save(path, exif=exif.tobytes())
    return path


@pytest.mark.parametrize("name", ["photo.heic", "photo.heif", "photo.avif", "named.jpg"])
def test_it_is_one_frame(tmp_path: Path, name: str) -> None:
    path = photo(tmp_path / "x.heic").rename(tmp_path / name) if "jpg" in name else None
    path = path or photo(tmp_path / name)
    check_source(path)
    assert is_image(path) and expand(str(tmp_path)) == [path]
    (frame,) = read(path)
    assert frame.seconds == 0
    assert clips.number_of(frame.image) == 77
    assert abs(frame.image.astype(int) - clips.numbered(77)).mean() < 4  # not RGB


@pytest.mark.parametrize("suffix", [".heic", ".avif", ".jpg"])
def test_it_comes_upright(tmp_path: Path, suffix: str) -> None:
    (frame,) = read(photo(tmp_path / f"photo{suffix}", TURNED_RIGHT))
    assert frame.image.shape[1::-1] == clips.SIZE_WH[::-1]
    assert clips.number_of(np.rot90(frame.image)) == 77


@pytest.mark.parametrize("suffix", [".png", ".webp", ".avif"])
def test_of_an_animation_the_first_picture_is_read(tmp_path: Path, suffix: str) -> None:
    first, second = (Image.fromarray(clips.numbered(n)[..., ::-1]) for n in (77, 78))
    path = tmp_path / f"moving{suffix}"
    first.save(path, save_all=True, append_images=[second], duration=40, lossless=True)
    (frame,) = read(path)
    assert clips.number_of(frame.image) == 77


@pytest.mark.parametrize("suffix", [".heic", ".avif"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_what_is_cut_off_is_told(tmp_path: Path, suffix: str, share: float) -> None:
    data = photo(tmp_path / f"whole{suffix}").read_bytes()
    path = tmp_path / f"cut{suffix}"
    path.write_bytes(data[: int(share * len(data))])
    check_source(path)
    network.build()  # ultralytics is here now, which would put its own in Pillow's place
    with pytest.raises(Undecodable, match=r"cut\.\w+: no picture could be decoded. It is damaged"):
        list(Reader(path))

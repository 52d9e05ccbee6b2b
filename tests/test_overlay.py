"""What the window says: within the picture, whatever its size."""

import numpy as np
import pytest

from detector.live import overlay


@pytest.mark.parametrize("size_wh", [(1280, 720), (320, 240), (48, 64), (3, 2)])
def test_words_are_written_on_pictures_of_any_size(size_wh: tuple[int, int]) -> None:
    for write in (
        lambda on: overlay.status(on, ["capture 25 fps", "model 30 ms"], is_recording=True),
        overlay.keys_help,
        lambda on: overlay.notice(on, "written: fmnist-001.png"),
    ):
        picture = np.full((size_wh[1], size_wh[0], 3), 128, np.uint8)
        write(picture)
        assert (picture != 128).any() or size_wh == (3, 2), "there a word has no room"


def test_the_status_line_leaves_the_rest_of_the_picture_alone() -> None:
    picture = np.full((480, 640, 3), 128, np.uint8)
    overlay.status(picture, ["capture 25 fps"])
    assert (picture[:440] == 128).all() and (picture[-1] < 128).all()
    red = (picture[:, :, 2] > 200) & (picture[:, :, :2].max(2) < 100)
    assert not red.any()
    overlay.status(picture, [], is_recording=True)
    assert ((picture[:, :, 2] > 200) & (picture[:, :, :2].max(2) < 100)).any()

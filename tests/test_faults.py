"""Pictures spoiled as footage is: alike every time, in their place and in their size."""

import numpy as np
import pytest

from detector.evaluation.faults import FAULTS, spoiled
from detector.scene import Scene
from tests.photo_folders import picture


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("size_wh", [(1, 1), (640, 3), (300, 400)])
def test_a_fault_keeps_the_scene_and_comes_alike(fault: str, size_wh: tuple[int, int]) -> None:
    scene = Scene(picture(0, size_wh), np.array([[0, 0, 1, 1]], np.float32), np.array([3]))
    before = scene.frame.copy()
    (one,), (two,) = (spoiled([scene], fault) for _ in range(2))
    assert one.frame.shape == before.shape and one.frame.dtype == np.uint8
    np.testing.assert_array_equal(one.frame, two.frame)
    np.testing.assert_array_equal(scene.frame, before)
    assert one.xyxy is scene.xyxy and one.labels is scene.labels
    if size_wh == (300, 400):
        assert not np.array_equal(one.frame, before)


def test_each_fault_is_what_it_is_called() -> None:
    half = np.full((400, 300, 3), (20, 60, 100), np.uint8)
    half[:, 150:] = (120, 160, 200)
    scene = Scene(half, np.zeros((0, 4), np.float32), np.zeros(0, np.int64))
    seen = {fault: spoiled([scene], fault)[0].frame.astype(float) for fault in FAULTS}
    assert (np.ptp(seen["gray"], 2) == 0).all()
    assert (seen["dark"] < half).all()
    for fault in ("soft", "moved", "coarse"):
        edge = seen[fault][200, :, 0]
        assert abs(edge[147:153].mean() - 70) < 3, "the edge stays where it is"
        assert (np.diff(edge) >= 0).all() and np.diff(edge).max() < 60, "and is no step"
    assert np.ptp(seen["moved"], 0).max() == 0, "the movement is sideways"
    assert 15 < (seen["noisy"] - half).std() < 21

"""A photo of one garment is named by its surest box, mirrored or not."""

import numpy as np
import pytest
import torch
from jaxtyping import Float32

from detector.boxes import Detections
from detector.head import Head
from detector.single import name_single
from fmnist.models import build

PHOTO = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)


@pytest.fixture(scope="module")
def head() -> Head:
    torch.manual_seed(0)
    return Head(build("lenet"), torch.device("cpu"))


def boxes_found(*xyxy: tuple[float, float, float, float]) -> Detections:
    """The first box is the surest, as those of a grid are."""
    boxes = np.array(xyxy, np.float32).reshape(-1, 4)
    even = np.full((len(boxes), 10), 0.1, np.float32)
    return Detections(boxes, np.linspace(0.9, 0.5, len(boxes), dtype=np.float32), even)


def judged(head: Head, photo: np.ndarray, box: tuple[float, ...]) -> Float32[np.ndarray, " 10"]:
    return head(photo, np.array([box], np.float32)).probabilities[0]


def test_the_surest_box_is_that_of_the_garment(head: Head) -> None:
    single = name_single(boxes_found((10, 5, 40, 55), (0, 0, 9, 9)), head, PHOTO)
    assert single.xyxy.tolist() == [10, 5, 40, 55]
    assert single.garment == 1  # a head that rejects nothing
    assert single.probabilities.sum() == pytest.approx(1, abs=1e-5)


def test_the_head_looks_at_the_box_the_photo_and_their_mirror_images(head: Head) -> None:
    mirror = np.ascontiguousarray(PHOTO[:, ::-1])
    whole = (0.0, 0.0, 80.0, 60.0)
    looks = [judged(head, PHOTO, (10, 5, 40, 55)), judged(head, PHOTO, whole)]
    looks += [judged(head, mirror, (40, 5, 70, 55)), judged(head, mirror, whole)]
    expected = np.exp(2 * np.log(looks).mean(0))  # the grid is undecided
    single = name_single(boxes_found((10, 5, 40, 55)), head, PHOTO)
    np.testing.assert_allclose(single.probabilities, expected / expected.sum(), atol=1e-5)


def test_a_photo_and_its_mirror_image_are_named_alike(head: Head) -> None:
    mirror = np.ascontiguousarray(PHOTO[:, ::-1])
    here = name_single(boxes_found((10, 5, 40, 55)), head, PHOTO)
    there = name_single(boxes_found((40, 5, 70, 55)), head, mirror)
    np.testing.assert_allclose(here.probabilities, there.probabilities, atol=1e-6)


def test_where_nothing_is_found_the_whole_photo_is_looked_at(head: Head) -> None:
    assert name_single(Detections.empty(), head, PHOTO).xyxy.tolist() == [0, 0, 80, 60]

"""Laws of the drawing: the input stays, labels stay inside and legible, sheets have their size."""

import itertools

import numpy as np
import pytest

from detector.boxes import Detections
from detector.output.draw import COLOURS, INK, PAPER, colour_of, contrast, draw
from detector.output.sheet import contact_sheet
from fmnist.classes import CLASSES


def boxes(*xyxy: tuple[float, float, float, float]) -> Detections:
    n = len(xyxy)
    return Detections(
        np.array(xyxy, np.float32).reshape(n, 4),
        np.linspace(0.9, 0.5, n, dtype=np.float32),
        np.full((n, 10), 0.1, np.float32),
    )


def changed(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    return (before != after).any(axis=2)


def test_the_input_is_not_changed_and_the_output_has_its_shape() -> None:
    frame = np.random.default_rng(0).integers(0, 256, (90, 160, 3)).astype(np.uint8)
    before = frame.copy()
    picture = draw(frame, boxes((20, 30, 80, 70)), ["Shirt 83%"])
    assert (frame == before).all()
    assert picture.shape == frame.shape
    assert changed(frame, picture).any()


def test_without_boxes_the_picture_is_a_copy() -> None:
    frame = np.zeros((10, 10, 3), np.uint8)
    picture = draw(frame, Detections.empty(), [])
    assert (picture == frame).all()
    assert picture is not frame


@pytest.mark.parametrize(
    "size_wh", [(320, 240), (1280, 720), (720, 1280), (96, 64), (9, 7), (1, 1)]
)
@pytest.mark.parametrize(
    "box", [(0, 0, 1, 1), (-0.2, -0.3, 1.4, 1.2), (0.9, 0, 1, 0.1), (0.5, 0.5, 0.5, 0.5)]
)
def test_any_box_can_be_drawn_at_any_size(
    size_wh: tuple[int, int], box: tuple[float, float, float, float]
) -> None:
    width, height = size_wh
    frame = np.full((height, width, 3), 128, np.uint8)
    left, top, right, bottom = box
    seen = boxes((left * width, top * height, right * width, bottom * height))
    assert changed(frame, draw(frame, seen, ["T-shirt/top 100%"])).any()


def test_a_label_is_whole_even_at_the_corner_and_taller_on_taller_frames() -> None:
    inked = []
    for height in (240, 720, 2160):
        frame = np.full((height, height, 3), 128, np.uint8)
        places = [(0.4, 0.4, 0.6, 0.6), (0.95, 0, 1, 0.05), (0.95, 0.95, 1, 1)]
        counts = []
        for place in places:
            picture = draw(frame, boxes(tuple(height * x for x in place)), ["Shirt 83%"])  # type: ignore[arg-type]
            counts.append(int((picture == colour_of("Shirt")).all(axis=2).sum()))
        plate, *at_corners = counts
        # Outlines differ with their boxes, the plate does not get smaller by being at an edge.
        assert min(at_corners) > 0.5 * plate
        inked.append(plate)
    assert inked[0] < inked[1] < inked[2]


def test_labels_of_boxes_in_the_same_place_do_not_cover_each_other() -> None:
    frame = np.full((720, 1280, 3), 128, np.uint8)
    place = (400.0, 300.0, 800.0, 600.0)
    alone = draw(frame, boxes(place), ["Coat 90%"])
    both = draw(frame, boxes(place, place), ["Coat 90%", "Dress 60%"])
    plate = (alone == colour_of("Coat")).all(axis=2)
    plate[298:603, 398:803] = False  # the outline
    assert plate.any()
    assert (both[plate] == colour_of("Coat")).all()


def test_labels_and_boxes_must_be_as_many() -> None:
    with pytest.raises(ValueError, match="wanted 1 texts, one a box, got 0"):
        draw(np.zeros((9, 9, 3), np.uint8), boxes((1, 1, 5, 5)), [])


def test_every_class_has_its_own_colour_and_readable_text() -> None:
    colours = [colour_of(f"{name} 50%") for name in CLASSES] + [colour_of("unknown")]
    assert len(set(colours)) == 11
    for bgr in colours:
        assert max(contrast(INK, bgr), contrast(PAPER, bgr)) >= 4.5
    for a, b in itertools.combinations(COLOURS.values(), 2):
        assert np.abs(np.subtract(a, b)).sum() > 40


def test_a_sheet_is_as_wide_as_asked_and_shows_every_frame_in_order() -> None:
    frames = [np.full((90, 160, 3), 40 * (n + 1), np.uint8) for n in range(5)]
    frames[3] = np.full((160, 90, 3), 160, np.uint8)  # an upright one among lying ones
    sheet = contact_sheet(frames, columns=3, width=600)
    assert sheet.shape[1] == 600
    row, column = sheet.shape[0] // 4, 100
    shown = [sheet[row * (1 + 2 * (n // 3)), column + 200 * (n % 3), 0] for n in range(5)]
    assert shown == [40, 80, 120, 160, 200]


def test_a_sheet_of_one_frame_is_that_frame_and_of_none_an_error() -> None:
    frame = np.random.default_rng(0).integers(0, 256, (45, 80, 3)).astype(np.uint8)
    assert contact_sheet([frame], columns=4, width=400).shape[1] == 400
    with pytest.raises(ValueError, match="at least one frame"):
        contact_sheet([])

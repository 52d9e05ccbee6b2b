"""The canvas: exact boxes of what can be seen, and no garment hidden more than allowed."""

import numpy as np

from detector.synthesis.canvas import Canvas, Shadow, paint
from detector.synthesis.garments import Patch


def square(side: int, level: int = 200) -> Patch:
    return Patch(np.full((side, side, 3), level, np.uint8), np.ones((side, side), np.float32))


def canvas(visible: float = 0.4, contrast: float = 0.0) -> Canvas:
    return Canvas(np.zeros((100, 120, 3), np.uint8), visible, contrast)


def test_a_box_is_exact_and_cut_at_the_edge() -> None:
    painted = canvas()
    assert painted.add_garment(square(20), (30, 40), None)
    assert painted.add_garment(square(20), (108, -5), None)
    assert painted.visible_boxes().tolist() == [[30, 40, 50, 60], [108, 0, 120, 15]]
    assert (painted.frame[40:60, 30:50] == 200).all()


def test_a_box_shrinks_to_what_is_left_to_be_seen() -> None:
    painted = canvas()
    assert painted.add_garment(square(20), (30, 40), None)
    assert painted.add_object(square(40), (42, 30))
    assert painted.visible_boxes().tolist() == [[30, 40, 42, 60]]


def test_nothing_is_painted_where_a_garment_would_suffer() -> None:
    painted = canvas()
    assert painted.add_garment(square(20), (30, 40), None)
    before = painted.frame.copy()
    assert not painted.add_object(square(40, 90), (35, 30))
    assert not painted.add_garment(square(20, 90), (35, 42), None)
    assert not painted.add_garment(square(20, 90), (113, 40), None)
    assert not painted.add_garment(square(20, 90), (500, 40), None)
    assert np.array_equal(painted.frame, before)
    assert len(painted.visible_boxes()) == 1


def test_a_garment_must_stand_out_from_what_it_covers() -> None:
    painted = canvas(contrast=50)
    assert not painted.add_garment(square(20, 40), (30, 40), None)
    assert painted.add_garment(square(20, 60), (30, 40), None)


def test_objects_that_are_forgotten_may_be_covered_and_hide_nothing() -> None:
    painted = canvas()
    assert painted.add_object(square(40, 90), (20, 20))
    painted.forget_objects()
    assert painted.add_garment(square(20), (30, 30), None)
    assert painted.visible_boxes().tolist() == [[30, 30, 50, 50]]


def test_a_shadow_darkens_but_moves_no_box() -> None:
    painted = Canvas(np.full((100, 120, 3), 100, np.uint8), 0.4, 0.0)
    assert painted.add_garment(square(20), (30, 40), Shadow((6, 6), 5, 0.5))
    assert painted.visible_boxes().tolist() == [[30, 40, 50, 60]]
    assert (painted.frame[61:64, 38:50] < 60).all()
    assert (painted.frame[:35] == 100).all()


def test_a_half_opaque_patch_mixes_and_one_outside_does_nothing() -> None:
    frame = np.zeros((10, 10, 3), np.uint8)
    half = Patch(np.full((4, 4, 3), 100, np.uint8), np.full((4, 4), 0.5, np.float32))
    paint(frame, half, (8, 8))
    assert (frame[8:, 8:] == 50).all()
    assert not frame[:8].any()
    paint(frame, half, (-9, 3))
    assert not frame[:8].any()


def test_a_garment_has_a_place_of_its_own() -> None:
    """Boxes that lie in one another cannot be told apart, even where little is hidden."""
    painted = canvas(visible=0.1)
    assert painted.add_garment(square(60), (10, 10), None)
    assert not painted.add_garment(square(20), (30, 30), None), "inside of the first"
    assert not painted.add_garment(square(60), (22, 22), None), "nearly the same box"
    assert painted.add_garment(square(20), (60, 30), None), "half of it beside"

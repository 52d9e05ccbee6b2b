"""Synthetic frames with known boxes: garments over a background, some hidden, some cut."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from detector.scene import Scene
from detector.synthesis.backgrounds import Background, procedural
from detector.synthesis.canvas import Canvas, Shadow
from detector.synthesis.draws import log_uniform
from detector.synthesis.garments import Garments, Patch, Pose, decoy, make_patch, random_cloth
from detector.synthesis.held_out_textures import HELD_OUT
from detector.synthesis.lens import photograph


@dataclass(frozen=True)
class Style:
    """How hard the scenes are. Lengths are parts of the frame's short side."""

    shortest: float = 0.09
    longest: float = 1.05
    turn: float = 20.0  # degrees either way
    far_turn: float = 45.0  # a few are turned as far as this
    visible: float = 0.4  # least part of a garment that is to be seen
    contrast: float = 6.0  # least difference of mean colour to what is behind, of 255
    shadows: float = 0.3  # part of the garments that throw one
    weave: float = 1.0  # strength of fabrics and prints
    inverted: float = 0.12  # part of the garments drawn as a negative
    decoys: int = 5  # at most so many shapes behind the garments
    occluders: int = 2  # and so many before them
    rough: float = 1.0  # strength of blur, noise and compression


TRAINING = Style()
FAIR = Style(
    shortest=0.12,
    longest=0.85,
    turn=15.0,
    far_turn=25.0,
    visible=0.7,
    contrast=25.0,
    weave=0.6,
    inverted=0.06,
    decoys=4,
    occluders=1,
    rough=0.5,
)


def render(
    rng: np.random.Generator,
    garments: Garments,
    size_wh: tuple[int, int],
    background: Background,
    style: Style = TRAINING,
) -> Scene:
    """One frame of 0 to 8 garments. A garment whose visible part is too small is not painted."""
    frame = background(rng, size_wh)
    if rng.random() < 0.25:
        _insert(rng, frame, background)
    canvas = Canvas(frame, style.visible, style.contrast)
    for _ in range(rng.integers(0, style.decoys + 1)):
        _decoy(rng, canvas)
    canvas.forget_objects()
    labels = _garments(rng, canvas, garments, style)
    if rng.random() < 0.5:
        for _ in range(rng.integers(0, style.occluders + 1)):
            _decoy(rng, canvas)
    frame = photograph(rng, canvas.frame, style.rough)
    return Scene(frame, canvas.visible_boxes(), np.array(labels, np.int64))


def _garments(
    rng: np.random.Generator, canvas: Canvas, garments: Garments, style: Style
) -> list[int]:
    """Paint them and return the labels of those that found a place."""
    wanted = int(rng.choice(9, p=(0.08, 0.24, 0.2, 0.16, 0.12, 0.08, 0.05, 0.04, 0.03)))
    limit = style.longest * (1.0, 1.0, 0.85, 0.7, 0.6, 0.5, 0.45, 0.4, 0.4)[wanted]
    limit = max(limit, style.shortest)
    short = min(canvas.shape)
    labels: list[int] = []
    for _ in range(2 * wanted):
        if len(labels) == wanted or not len(garments):
            break
        length = short * log_uniform(rng, style.shortest, limit)
        if wanted == 1 and rng.random() < 0.5:
            length = short * rng.uniform(0.5, style.longest)
        pose = _pose(rng, length, style)
        which = rng.integers(len(garments))
        cloth = random_cloth(rng, style.inverted, style.weave)
        patch = make_patch(rng, garments.images[which], garments.silhouettes[which], pose, cloth)
        shadow = _shadow(rng, length) if rng.random() < style.shadows else None
        if canvas.add_garment(patch, _corner(rng, canvas, patch), shadow):
            labels.append(int(garments.labels[which]))
    return labels


def _pose(rng: np.random.Generator, length: float, style: Style) -> Pose:
    turn = style.far_turn if rng.random() < 0.08 else style.turn
    flip = bool(rng.random() < 0.5)
    return Pose(length, math.exp(rng.normal(0, 0.1)), rng.uniform(-turn, turn), flip)


def _shadow(rng: np.random.Generator, length: float) -> Shadow:
    reach = max(2.0, 0.06 * length)
    offset = (int(rng.normal(0, reach)), int(abs(rng.normal(0, reach))))
    return Shadow(offset, 1 + 2 * int(rng.uniform(0.5, 1.5) * reach), rng.uniform(0.15, 0.5))


def _corner(rng: np.random.Generator, canvas: Canvas, patch: Patch) -> tuple[int, int]:
    """Mostly where the whole patch fits; one in six anywhere with its centre in the frame."""
    place = []
    cut = rng.random() < 1 / 6
    for length, limit in zip(patch.alpha.shape[::-1], canvas.shape[::-1], strict=True):
        low, high = sorted((0, limit - length))
        if cut:
            low, high = -length // 2, limit - length // 2
        place.append(int(rng.integers(low, high + 1)))
    return place[0], place[1]


def _decoy(rng: np.random.Generator, canvas: Canvas) -> None:
    image, mask = decoy(rng)
    length = min(canvas.shape) * log_uniform(rng, 0.05, 0.5)
    pose = Pose(length, math.exp(rng.normal(0, 0.4)), rng.uniform(-180, 180))
    patch = make_patch(rng, image, mask, pose, random_cloth(rng))
    x = int(rng.integers(0, canvas.shape[1])) - patch.alpha.shape[1] // 2
    y = int(rng.integers(0, canvas.shape[0])) - patch.alpha.shape[0] // 2
    canvas.add_object(patch, (x, y))


def _insert(rng: np.random.Generator, frame: np.ndarray, background: Background) -> None:
    """Another background in a rectangle: a poster, a door, a carpet."""
    height, width = frame.shape[:2]
    w, h = int(width * rng.uniform(0.15, 0.7)), int(height * rng.uniform(0.15, 0.9))
    x, y = int(rng.integers(0, width - w + 1)), int(rng.integers(0, height - h + 1))
    if min(w, h) >= 2:
        frame[y : y + h, x : x + w] = background(rng, (w, h))


def held_out(
    garments: Garments, count: int, seed: int, size_wh: tuple[int, int] = (640, 480)
) -> Iterator[Scene]:
    """The scenes a detector is judged by: other backgrounds than in training, fair difficulty.

    Scene i depends on the seed and on i alone, so a shorter set is the beginning of a longer one.
    """
    background = procedural(
        HELD_OUT, np.random.default_rng((seed, 0)), pool_size=36, side=max(size_wh)
    )
    for number in range(count):
        rng = np.random.default_rng((seed, 1, number))
        yield render(rng, garments, size_wh, background, FAIR)

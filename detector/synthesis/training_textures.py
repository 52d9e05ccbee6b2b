"""The family of procedural pictures that the grid is trained before."""

import math

import cv2
import numpy as np

from detector.synthesis.textures import Painter, Square, grain, mix, octaves, plain, random_colour


def clouds(rng: np.random.Generator, side: int) -> Square:
    field = octaves(rng, side, int(rng.integers(2, 12)), rng.uniform(0.3, 0.8))
    return mix(field, random_colour(rng), random_colour(rng))


def gradient(rng: np.random.Generator, side: int) -> Square:
    x, y = np.meshgrid(*[np.linspace(-1, 1, side, dtype=np.float32)] * 2)
    angle = rng.uniform(0, 2 * np.pi)
    picture = mix(x * math.cos(angle) + y * math.sin(angle), random_colour(rng), random_colour(rng))
    return grain(rng, picture, rng.uniform(0, 10))


def stripes(rng: np.random.Generator, side: int) -> Square:
    picture = plain(rng, side)
    period = int(rng.integers(8, side // 4))
    colours = [random_colour(rng) for _ in range(rng.integers(1, 4))]
    for number, x in enumerate(range(0, side, period)):
        width = int(period * rng.uniform(0.3, 0.7))
        cv2.rectangle(picture, (x, 0), (x + width, side), colours[number % len(colours)], -1)
    picture = grain(rng, picture, rng.uniform(0, 25))
    return np.ascontiguousarray(picture.transpose(1, 0, 2)) if rng.random() < 0.5 else picture


def tiles(rng: np.random.Generator, side: int) -> Square:
    picture = plain(rng, side)
    step = int(rng.integers(12, side // 4))
    gap = int(rng.integers(0, 4))
    base, other = np.array(random_colour(rng)), np.array(random_colour(rng))
    spread = rng.uniform(0, 20)
    for row, y in enumerate(range(0, side, step)):
        for column, x in enumerate(range(0, side, step)):
            colour = (base if (row + column) % 2 else other) + rng.normal(0, spread)
            corner = (x + step - gap - 1, y + step - gap - 1)
            cv2.rectangle(picture, (x, y), corner, np.clip(colour, 0, 255).tolist(), -1)
    return grain(rng, picture, rng.uniform(0, 20))


def bricks(rng: np.random.Generator, side: int) -> Square:
    picture = plain(rng, side)
    height = int(rng.integers(10, 40))
    width = int(height * rng.uniform(1.5, 3.5))
    base = np.array(random_colour(rng))
    for row, y in enumerate(range(0, side, height)):
        for x in range(-(row % 2) * width // 2, side, width):
            colour = np.clip(base + rng.normal(0, 18), 0, 255).tolist()
            cv2.rectangle(picture, (x + 1, y + 1), (x + width - 2, y + height - 2), colour, -1)
    return grain(rng, picture, rng.uniform(5, 30))


def wood(rng: np.random.Generator, side: int) -> Square:
    field = octaves(rng, side, int(rng.integers(16, 64)), 0.7, stretch=16)
    tan = (int(rng.integers(30, 110)), int(rng.integers(60, 140)), int(rng.integers(90, 190)))
    picture = mix(field * 0.8, tuple(c // 2 for c in tan), tuple(min(255, c + 40) for c in tan))
    plank = int(rng.integers(30, 120))
    for x in range(0, side, plank):
        shade = int(rng.integers(-25, 25))
        part = picture[:, x : x + plank]
        picture[:, x : x + plank] = np.clip(part.astype(np.int16) + shade, 0, 255)
        cv2.line(picture, (x, 0), (x, side), (20, 25, 30), 1)
    return np.ascontiguousarray(picture.transpose(1, 0, 2)) if rng.random() < 0.5 else picture


def room(rng: np.random.Generator, side: int) -> Square:
    picture = plain(rng, side)
    horizon = int(side * rng.uniform(0.5, 0.85))
    floor = wood(rng, side) if rng.random() < 0.5 else clouds(rng, side)
    picture[horizon:] = floor[horizon:]
    for _ in range(rng.integers(1, 4)):
        _window(rng, picture, side)
    for _ in range(rng.integers(1, 6)):
        width, height = (rng.uniform(0.08, 0.4, 2) * side).astype(int)
        x, bottom = int(rng.integers(-width // 2, side)), int(rng.integers(horizon, side))
        colour = random_colour(rng)
        cv2.rectangle(picture, (x, bottom - height), (x + width, bottom), colour, -1)
        darker = [c * 0.6 for c in colour]
        levels = np.linspace(bottom - height, bottom, int(rng.integers(2, 5)))
        for level in levels.astype(int).tolist():
            cv2.line(picture, (x, level), (x + width, level), darker, 2)
    return grain(rng, picture, rng.uniform(5, 25))


def _window(rng: np.random.Generator, picture: np.ndarray, side: int) -> None:
    width, height = (rng.uniform(0.12, 0.4, 2) * side).astype(int).tolist()
    x, y = int(rng.integers(0, side - width)), int(rng.integers(0, side // 2))
    cv2.rectangle(picture, (x, y), (x + width, y + height), random_colour(rng), -1)
    frame, thick = random_colour(rng), int(rng.integers(2, 6))
    for part in np.linspace(0, 1, int(rng.integers(2, 5))):
        across, down = int(x + part * width), int(y + part * height)
        cv2.line(picture, (across, y), (across, y + height), frame, thick)
        cv2.line(picture, (x, down), (x + width, down), frame, thick)


def shelves(rng: np.random.Generator, side: int) -> Square:
    picture = plain(rng, side)
    board = random_colour(rng)
    y = 0
    while y < side:
        height = int(rng.integers(40, 130))
        x = int(rng.integers(0, 20))
        while x < side:
            width, tall = int(rng.integers(5, 45)), int(height * rng.uniform(0.4, 0.95))
            if rng.random() < 0.85:
                corner = (x + width, y + height)
                cv2.rectangle(picture, (x, y + height - tall), corner, random_colour(rng), -1)
            x += width + int(rng.integers(1, 8))
        cv2.rectangle(picture, (0, y + height), (side, y + height + 6), board, -1)
        y += height + 6
    return grain(rng, picture, rng.uniform(5, 20))


def crowd(rng: np.random.Generator, side: int) -> Square:
    picture = clouds(rng, side)
    for _ in range(rng.integers(15, 120)):
        x, y = rng.integers(0, side, 2).tolist()
        reach = rng.uniform(4, 60)
        if rng.random() < 0.5:
            axes = (rng.uniform(0.4, 1, 2) * reach).astype(int).tolist()
            angle = rng.uniform(0, 180)
            cv2.ellipse(picture, (x, y), axes, angle, 0, 360, random_colour(rng), -1, cv2.LINE_AA)
        else:
            points = rng.uniform(-reach, reach, (int(rng.integers(3, 7)), 2)) + (x, y)
            hull = cv2.convexHull(points.astype(np.int32))
            cv2.fillPoly(picture, [hull], random_colour(rng), cv2.LINE_AA)
    return picture


def writing(rng: np.random.Generator, side: int) -> Square:
    picture = grain(rng, plain(rng, side), 8)
    y = 0
    while y < side:
        size = rng.uniform(0.4, 2.5)
        y += int(32 * size)
        text = "".join(chr(c) for c in rng.integers(33, 122, 40))
        place = (int(rng.integers(-30, 60)), y)
        thick = max(1, int(2 * size))
        cv2.putText(
            picture, text, place, int(rng.integers(0, 8)), size, random_colour(rng), thick, 16
        )
    return picture


TRAIN: dict[str, Painter] = {
    painter.__name__: painter
    for painter in (
        clouds, gradient, stripes, tiles, bricks, wood, room, shelves, crowd, writing
    )
}  # fmt: skip

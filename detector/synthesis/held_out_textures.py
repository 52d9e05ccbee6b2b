"""The family of procedural pictures that detectors are judged by; no training sees them."""

import math

import cv2
import numpy as np

from detector.synthesis.textures import Painter, Square, grain, mix, octaves, plain, random_colour


def voronoi(rng: np.random.Generator, side: int) -> Square:
    seeds = np.ones((side, side), np.uint8)
    count = int(rng.integers(12, 90))
    seeds[tuple(rng.integers(0, side, (2, count)))] = 0
    distance, cells = cv2.distanceTransformWithLabels(seeds, cv2.DIST_L2, 5)
    base = np.array(random_colour(rng)) + rng.normal(0, rng.uniform(8, 50), (count + 1, 3))
    picture = np.clip(base, 0, 255)[np.minimum(cells, count)]
    light = 1 - rng.uniform(0, 0.6) * distance / distance.max()
    return (picture * light[..., None]).astype(np.uint8)


def plasma(rng: np.random.Generator, side: int) -> Square:
    """Spectral synthesis: white noise whose amplitude falls as a power of the frequency."""
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None]) + 1 / side
    low, high = random_colour(rng), random_colour(rng)
    slope = rng.uniform(1.0, 2.2)
    tint = []
    for channel in range(3):
        spectrum = np.fft.rfft2(rng.normal(0, 1, (side, side))) / frequency**slope
        spectrum[0, 0] = 0
        field = np.fft.irfft2(spectrum, (side, side))
        part = np.clip(field / (4 * field.std()) + 0.5, 0, 1)
        tint.append(low[channel] * (1 - part) + high[channel] * part)
    return np.stack(tint, axis=-1).astype(np.uint8)


def waves(rng: np.random.Generator, side: int) -> Square:
    y, x = np.mgrid[:side, :side].astype(np.float32)
    field = np.zeros((side, side), np.float32)
    for _ in range(rng.integers(1, 4)):
        centre = rng.uniform(-0.5, 1.5, 2) * side
        period = rng.uniform(20, side / 2)
        field += np.sin(np.hypot(x - centre[0], y - centre[1]) * np.float32(2 * np.pi / period))
    return mix(field / 2, random_colour(rng), random_colour(rng))


def marble(rng: np.random.Generator, side: int) -> Square:
    """Turbulence bends the veins: sin(x + |noise|), after Perlin 1985."""
    y, x = np.mgrid[:side, :side].astype(np.float32) / side
    bend = np.abs(octaves(rng, side, 3, 0.6)) * rng.uniform(3, 9)
    angle = rng.uniform(0, np.pi)
    along = (x * math.cos(angle) + y * math.sin(angle)) * rng.uniform(6, 24)
    return mix(np.sin(along + bend), random_colour(rng), random_colour(rng))


def honeycomb(rng: np.random.Generator, side: int) -> Square:
    picture = plain(rng, side)
    reach = rng.uniform(12, 55)
    corners = np.array([[np.sin(a), np.cos(a)] for a in np.arange(6) * np.pi / 3]) * reach * 0.94
    base, spread = np.array(random_colour(rng)), rng.uniform(5, 40)
    for row in range(int(side / (1.5 * reach)) + 2):
        for column in range(int(side / (1.73 * reach)) + 2):
            centre = np.array([(column + row % 2 / 2) * 1.732, row * 1.5]) * reach
            colour = np.clip(base + rng.normal(0, spread, 3), 0, 255).tolist()
            cv2.fillPoly(picture, [(corners + centre).astype(np.int32)], colour, cv2.LINE_AA)
    return picture


def street(rng: np.random.Generator, side: int) -> Square:
    """A road that runs to a vanishing point between facades, under a sky that brightens."""
    eye = (int(side * rng.uniform(0.35, 0.65)), int(side * rng.uniform(0.35, 0.55)))
    fall = np.linspace(-1, 1, side, dtype=np.float32)[:, None].repeat(side, 1)
    picture = mix(fall, (235, 190, 140), (240, 235, 225))
    pavement, road = random_colour(rng), (int(rng.integers(50, 110)),) * 3
    picture[eye[1] :] = pavement
    cv2.fillPoly(picture, [np.array([eye, (0, side), (side, side)])], road, cv2.LINE_AA)
    for near_x, far_x in ((0, eye[0] - side // 12), (side, eye[0] + side // 12)):
        edges = np.linspace(near_x, far_x, int(rng.integers(3, 6)))
        for outer, inner in zip(edges[:-1], edges[1:], strict=True):
            _facade(rng, picture, eye, (float(outer), float(inner)))
    return grain(rng, picture, rng.uniform(4, 14))


def _facade(
    rng: np.random.Generator, picture: np.ndarray, eye: tuple[int, int], span: tuple[float, float]
) -> None:
    """One house front between two verticals, in the perspective of the point `eye`."""
    side = len(picture)
    roof, ground = rng.uniform(-0.2, 0.25) * side, side * 0.98

    def at(x: float, y: float) -> tuple[float, float]:
        depth = abs(x - eye[0]) / (side / 2)
        return x, eye[1] + (y - eye[1]) * depth

    def quad(left: float, right: float, top: float, bottom: float) -> np.ndarray:
        corners = [at(left, top), at(right, top), at(right, bottom), at(left, bottom)]
        return np.array(corners).astype(np.int32)

    cv2.fillPoly(picture, [quad(*span, roof, ground)], random_colour(rng), cv2.LINE_AA)
    glass = random_colour(rng)
    columns, rows = int(rng.integers(2, 5)), int(rng.integers(3, 7))
    for column in range(columns):
        for row in range(rows):
            left = span[0] + (span[1] - span[0]) * (column + 0.25) / columns
            right = span[0] + (span[1] - span[0]) * (column + 0.75) / columns
            top = roof + (ground - roof) * (row + 0.25) / rows
            bottom = roof + (ground - roof) * (row + 0.75) / rows
            cv2.fillPoly(picture, [quad(left, right, top, bottom)], glass, cv2.LINE_AA)


HELD_OUT: dict[str, Painter] = {
    painter.__name__: painter for painter in (voronoi, plasma, waves, marble, honeycomb, street)
}

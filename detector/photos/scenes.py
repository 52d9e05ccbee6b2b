"""Frames of real clothes: photos as they are, side by side, and what is cut out of them."""

import math
from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import cv2
import numpy as np
from jaxtyping import Float64, UInt8

from detector.photos.collage import Collage, Place
from detector.photos.dye import dyed, hue_shifted
from detector.photos.lanyard import with_lanyard
from detector.photos.photo import Photo
from detector.photos.places import CLOSER, around, covering, fills, upright
from detector.photos.try_on import ABOVE_THE_WAIST, tried_on
from detector.scene import Scene
from detector.synthesis.backgrounds import Background
from detector.synthesis.draws import log_uniform
from detector.synthesis.lens import photograph, softened

VISIBLE = 0.3  # least part of a garment that is to be found
BEGUN = 0.15  # of a row's height: so much of its first photo may be outside
LEAST_COLUMN = 0.02  # of the frame's width: what is hardly a line does not take hundreds of them
IN_TWO_ROWS = 0.25  # of the frames with several whole photos: half as high, people far away
# Of the frames: one photo closely, several whole ones, cut out, somebody near, a single garment.
FOR_GRID = (0.1, 0.45, 0.15, 0.2, 0.1)
FOR_HEAD = (0.1, 0.06, 0.12, 0.15, 0.57)  # more of the last: they show one garment, others several
DYED = 0.3  # of the garments that people wear
DRESSED = 0.4  # of the people that are cut out wear something that was photographed by itself
WITH_LANYARD = 0.2  # of the people have a lanyard round their neck
HUE_SHIFTED = 0.4  # of the single garments have other hues
EMPTY = 0.15  # of the frames for what is cut out have nothing laid over their background
PERSON = (0.35, 1.3)  # height of a cut-out person, of the frame's
LEAST_NEAR = 0.15  # height of what can be shown near, of the photo's: less would be a blur
GARMENT = (0.15, 0.9)  # longer side of a single garment, of the frame's shorter one
SHADOWS = 0.35  # how much darker or lighter they are: standard deviation of a power's logarithm
ROUGH = 0.7  # strength of the lens's faults
RARE = 0.3  # of the photos: a class that fewer of them show comes more often than its share


@dataclass(frozen=True)
class PhotoScenes:
    """Makes one frame after another; picklable, because worker processes call it.

    `people` are photos of the world around; those without owners are shown whole, never cut out.
    `garments` show one each. People who wear what few wear come more often (`odds`). A `background`
    stands behind what is cut out. `shares` says how often each kind of frame comes.
    """

    people: tuple[Photo, ...]
    garments: tuple[Photo, ...]
    background: Background
    shares: tuple[float, ...] = FOR_GRID

    def __call__(self, rng: np.random.Generator, size_wh: tuple[int, int]) -> Scene:
        kinds = (self._full, self._in_rows, self._cut_out, self._near, self._single)
        people, garments = bool(self.people), bool(self.garments)
        has = (people, people, bool(self._to_cut_out.people) or garments, people, garments)
        shares = np.multiply(self.shares, has)
        collage = kinds[rng.choice(len(kinds), p=shares / shares.sum())](rng, size_wh)
        xyxy, labels = collage.garments(VISIBLE)
        frame = photograph(rng, softened(rng, _developed(rng, collage.frame)), ROUGH)
        return Scene(frame, xyxy, labels)

    @cached_property
    def _odds_of_people(self) -> Float64[np.ndarray, " photos"]:
        return odds(self.people)

    @cached_property
    def _uppers(self) -> dict[int, list[tuple[int, int]]]:
        """By its class, whatever is worn above the waist: number of the photo, of the garment."""
        found: dict[int, list[tuple[int, int]]] = {}
        for number, photo in enumerate(self.people):
            heights = photo.xyxy[:, 3] - photo.xyxy[:, 1]
            large = heights >= LEAST_NEAR * photo.image.shape[0]
            for garment, label in enumerate(photo.labels.tolist()):
                if label in ABOVE_THE_WAIST and large[garment]:
                    found.setdefault(label, []).append((number, garment))
        return found

    @cached_property
    def _to_cut_out(self) -> "PhotoScenes":
        """The same with those people only who can be cut out."""
        return replace(self, people=tuple(p for p in self.people if p.owner is not None))

    def _full(self, rng: np.random.Generator, size_wh: tuple[int, int]) -> Collage:
        """One photo that fills the frame, or nearly; then perhaps somebody before it."""
        collage = _blank(size_wh)
        photo = with_lanyard(rng, self._somebody(rng), WITH_LANYARD)
        collage.lay(photo, covering(rng, photo, size_wh))
        if rng.random() < 0.3:
            self._add(rng, collage)
        return collage

    def _in_rows(self, rng: np.random.Generator, size_wh: tuple[int, int]) -> Collage:
        """Whole photos side by side, so that people stand as they do in a frame of any width."""
        width, height = size_wh
        collage = _blank(size_wh)
        edges = [0, height // 2, height] if rng.random() < IN_TWO_ROWS else [0, height]
        for top, bottom in pairwise(edges):
            left = -BEGUN * (bottom - top) * rng.random()
            while left < width:
                photo = with_lanyard(rng, self._somebody(rng), WITH_LANYARD)
                place = upright(rng, photo, left, top, bottom - top)
                right = left + place.scale * photo.image.shape[1]
                columns = slice(max(0, round(left)), max(0, round(right)))
                collage.lay(photo, place, slice(top, bottom), columns)
                left = max(right, left + LEAST_COLUMN * width)
        return collage

    def _cut_out(self, rng: np.random.Generator, size_wh: tuple[int, int]) -> Collage:
        """A few people and garments before another background."""
        collage = Collage(self.background(rng, size_wh))
        if rng.random() >= EMPTY:
            for _ in range(rng.integers(1, 5)):
                self._add(rng, collage)
        return collage

    def _near(self, rng: np.random.Generator, size_wh: tuple[int, int]) -> Collage:
        """Somebody as a webcam sees them: where they are if that fills the frame, or elsewhere.

        All classes come alike, where photos have masks: who sits before a webcam wears a coat less
        often than who walks.
        """
        if not self._uppers:
            return self._full(rng, size_wh)
        shown = self._uppers[rng.choice(list(self._uppers))]
        number, garment = shown[rng.integers(len(shown))]
        photo = dyed(rng, self.people[number], DYED)
        worn = photo
        if photo.owner is not None and rng.random() < DRESSED:
            photo = self._dressed(rng, worn)
        put_on = photo is not worn  # then it is the last garment, and has no surroundings
        photo = with_lanyard(rng, photo, WITH_LANYARD)
        place = around(rng, photo, len(photo.labels) - 1 if put_on else garment, size_wh)
        collage = Collage(self.background(rng, size_wh))
        if not put_on and fills(photo, place, size_wh):
            collage.lay(photo, place)
        elif photo.owner is not None:
            collage.cut_out(photo, place)
        else:
            return self._full(rng, size_wh)
        return collage

    def _single(self, rng: np.random.Generator, size_wh: tuple[int, int]) -> Collage:
        """A garment where it was photographed, large."""
        collage = _blank(size_wh)
        photo = self._something(rng)
        height, width = photo.image.shape[:2]
        fits = min(size_wh[0] / width, size_wh[1] / height)
        scale = fits * log_uniform(rng, *CLOSER)
        shift = rng.normal(0, 0.08, 2) * size_wh
        centre = size_wh[0] / 2 + shift[0], size_wh[1] / 2 + shift[1]
        collage.lay(photo, Place(scale, centre, bool(rng.random() < 0.5), rng.normal(0, 8)))
        return collage

    def _somebody(self, rng: np.random.Generator) -> Photo:
        photo = self.people[rng.choice(len(self.people), p=self._odds_of_people)]
        return dyed(rng, photo, DYED)

    def _something(self, rng: np.random.Generator) -> Photo:
        return _hue_shifted_at_times(rng, self.garments[rng.integers(len(self.garments))])

    @cached_property
    def _tops(self) -> dict[str, list[Photo]]:
        """By its kind, what was photographed by itself and can be put on."""
        found: dict[str, list[Photo]] = {}
        for photo in self.garments:
            if photo.owner is not None and photo.labels[0] in ABOVE_THE_WAIST:
                found.setdefault(photo.kind, []).append(photo)
        return found

    def _dressed(self, rng: np.random.Generator, person: Photo) -> Photo:
        """In another top; all kinds come alike, those of which there are few photos too."""
        if not self._tops:
            return person
        tops = self._tops[rng.choice(list(self._tops))]
        return tried_on(rng, person, _hue_shifted_at_times(rng, tops[rng.integers(len(tops))]))

    def _add(self, rng: np.random.Generator, collage: Collage) -> None:
        height, width = collage.frame.shape[:2]
        people = self._to_cut_out
        if not (people.people or self.garments):
            return
        is_person = people.people and (not self.garments or rng.random() < 0.6)
        photo = people._somebody(rng) if is_person else self._something(rng)
        if is_person and rng.random() < DRESSED:
            photo = self._dressed(rng, photo)
        if is_person:
            photo = with_lanyard(rng, photo, WITH_LANYARD)
            scale = height * log_uniform(rng, *PERSON) / photo.image.shape[0]
        else:
            scale = min(width, height) * log_uniform(rng, *GARMENT) / max(photo.image.shape[:2])
        centre = rng.uniform(0, width), height * rng.uniform(0.3, 0.8)
        turn = rng.normal(0, 4 if is_person else 15)
        collage.cut_out(photo, Place(scale, centre, rng.random() < 0.5, turn))


def odds(photos: tuple[Photo, ...]) -> Float64[np.ndarray, " photos"]:
    """How often each photo is taken, in sum 1: those of rare classes more often than others.

    A class that a part f of the photos shows asks for max(1, sqrt(RARE / f)) times a photo's
    share, and the rarest class of a photo is heard (repeat factors: Gupta, Dollar and Girshick,
    LVIS, CVPR 2019).
    """
    shown = [set(photo.labels.tolist()) for photo in photos]
    count = Counter(label for labels in shown for label in labels)
    wanted = {label: math.sqrt(RARE * len(photos) / n) for label, n in count.items()}
    times = np.array([max([1.0, *(wanted[label] for label in labels)]) for labels in shown])
    return times / times.sum()


def _hue_shifted_at_times(rng: np.random.Generator, photo: Photo) -> Photo:
    return hue_shifted(rng, photo) if rng.random() < HUE_SHIFTED else photo


def _blank(size_wh: tuple[int, int]) -> Collage:
    return Collage(np.zeros((size_wh[1], size_wh[0], 3), np.uint8))


def _developed(
    rng: np.random.Generator, frame: UInt8[np.ndarray, "h w 3"]
) -> UInt8[np.ndarray, "h w 3"]:
    """Other light: gain of each channel, shadows, contrast; one in six is gray."""
    if rng.random() < 1 / 6:
        frame = cv2.cvtColor(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    power = np.clip(np.exp(rng.normal(0, SHADOWS)), 0.5, 2.5)  # above 1: shadows turn black
    levels = (255 * (np.arange(256) / 255) ** power).round().astype(np.uint8)
    frame = np.asarray(cv2.LUT(frame, levels), np.uint8)
    gain = np.clip(1 + rng.normal(0, 0.15) + rng.normal(0, 0.06, 3), 0.4, 1.6)
    offset = rng.normal(0, 12)
    return cv2.transform(frame, np.column_stack([np.diag(gain), np.full(3, offset)]))

"""How steady boxes and labels are over time: figures of what a viewer sees flicker."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from detector.boxes import Detections, Picture
from detector.defaults import CONFIDENCE, LABEL_CONFIDENCE
from detector.output.draw import UNKNOWN
from detector.pipeline import Detector, watch
from detector.tracking.tracks import Tracks, association, least_of
from detector.video.frames import Reader


@dataclass(frozen=True)
class Steadiness:
    """Figures over the frames of one video.

    `tracks` counts the ids that are shown, and `track_seconds` adds up how long each of them is,
    from its first frame to the end of its last. `flips` are the changes of the name at a track
    from one frame that shows it to the next, to and from "unknown" included; `gaps` are the times
    at which it goes and comes back. `showing` counts the frames that show each name.
    """

    frames: int
    boxes: int
    tracks: int
    track_seconds: float
    flips: int
    gaps: int
    showing: dict[str, int] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; the rates, None where nothing was shown; `showing` as parts of the frames."""
        seconds = self.track_seconds
        return asdict(self) | {
            "showing": {name: count / self.frames for name, count in self.showing.items()},
            "boxes_per_frame": self.boxes / self.frames if self.frames else None,
            "mean_track_seconds": seconds / self.tracks if self.tracks else None,
            "flips_per_track_second": self.flips / seconds if seconds else None,
            "gaps_per_track_second": self.gaps / seconds if seconds else None,
        }


def steadiness(frames: Sequence[Detections], fps: float, least: float) -> Steadiness:
    """Judge the tracked detections of consecutive frames.

    A class less likely than `least` is shown as unknown. Raises ValueError for boxes without id.
    """
    seen: dict[int, list[tuple[int, str | None]]] = {}  # of each id: frame, name
    showing: Counter[str] = Counter()
    for number, detections in enumerate(frames):
        if len(detections) == 0:
            continue
        if detections.track_id is None:
            raise ValueError(f"frame {number}: wanted a track_id for every box, got none")
        names = detections.names(least)
        showing.update({name or UNKNOWN for name in names})
        for key, name in zip(detections.track_id.tolist(), names, strict=True):
            seen.setdefault(key, []).append((number, name))
    steps = [step for looks in seen.values() for step in zip(looks, looks[1:], strict=False)]
    return Steadiness(
        frames=len(frames),
        boxes=sum(map(len, frames)),
        tracks=len(seen),
        track_seconds=sum(looks[-1][0] - looks[0][0] + 1 for looks in seen.values()) / fps,
        flips=sum(before[1] != after[1] for before, after in steps),
        gaps=sum(after[0] - before[0] > 1 for before, after in steps),
        showing=dict(showing.most_common()),
    )


def before_and_after(
    detector: Callable[[Picture], Detections],
    frames: Iterable[Picture],
    fps: float,
    confidence: float = CONFIDENCE,
    label_confidence: float = LABEL_CONFIDENCE,
) -> tuple[Steadiness, Steadiness]:
    """A video without and with `Tracks`, from the same detections.

    `detector` gives the boxes that `Tracks` wants, untracked. Without tracks those of `confidence`
    are shown, each with its own class; the same association says which are one.
    """
    associate = association(fps, confidence)
    tracks = Tracks(fps, confidence)
    plain, steady = [], []
    for frame in frames:
        found = detector(frame)
        followed = associate(frame, found)
        plain.append(followed.select(followed.confidence >= confidence))
        steady.append(tracks(frame, found))
    return steadiness(plain, fps, label_confidence), steadiness(steady, fps, label_confidence)


def judge_video(detector: Detector, path: Path, label_confidence: float) -> list[dict[str, Any]]:
    """The figures of one video, JSON-ready: a row without tracks, one with them."""
    reader = Reader(path)
    eager = watch(replace(detector, confidence=least_of(detector.confidence)), track=False)
    pictures = (frame.image for frame in reader)
    figures = before_and_after(eager, pictures, reader.fps, detector.confidence, label_confidence)
    return [
        {"video": path.name, "fps": reader.fps, "tracked": tracked, **its.to_dict()}
        for tracked, its in zip((False, True), figures, strict=True)
    ]

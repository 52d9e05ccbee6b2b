"""Which box of a frame is which garment of the frames before: ByteTrack.

Imports ultralytics for its `BYTETracker`: it is there already and takes 20 ms more to import;
supervision has none any more, and the package `trackers` would bring supervision and rich.
"""

from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
from jaxtyping import Float32

from detector.boxes import Detections, Picture
from detector.network import ultralytics_import
from detector.tracking.scene_cuts import Cuts

LEAST_OVERLAP = 0.2  # IoU of a sure box with the place where its garment is expected


class Association:
    """Gives every box the id of its garment, over the frames of one video in their order.

    ByteTrack (Zhang et al. 2022, arXiv:2110.06864): boxes of `confidence` or more are assigned
    by their IoU with the places where a Kalman filter expects the garments; garments that are left
    over are looked for among the boxes of `least` to `confidence`. Only a box of `confidence`
    begins a new garment. One that is not seen is waited for during `patience` frames, if there is
    no cut to another scene; `wait_for` sets another number of them.
    """

    def __init__(self, confidence: float, least: float, patience: int) -> None:
        self._settings = SimpleNamespace(
            track_high_thresh=confidence,
            track_low_thresh=least,
            new_track_thresh=confidence,
            match_thresh=1 - LEAST_OVERLAP,
            fuse_score=False,  # it would let go of an unsure box that moves
            track_buffer=patience,
        )
        self._tracker = _new_tracker(self._settings)
        self._is_cut = Cuts()
        self._earlier_ids = 0  # of scenes before this one
        self._last_id = 0
        self.is_new_scene = True
        self.expected: dict[int, Float32[np.ndarray, " 4"]] = {}

    def wait_for(self, patience: int) -> None:
        """From now on for so many frames."""
        self._settings.track_buffer = self._tracker.max_frames_lost = patience

    def __call__(self, frame: Picture, found: Detections) -> Detections:
        """The boxes that belong to a garment, in their order, with its id.

        Ids begin at 1 and are never used again. `expected` then has the boxes in which the
        garments are thought to be that were not found in this frame; they may leave the frame.
        `is_new_scene` tells whether a scene began with it.
        """
        is_cut = self._is_cut(frame)
        self.is_new_scene = is_cut or self._tracker.frame_id == 0
        if is_cut:
            self._tracker, self._earlier_ids = _new_tracker(self._settings), self._last_id
        corner, opposite = found.xyxy[:, :2], found.xyxy[:, 2:]
        xywh = np.concatenate([(corner + opposite) / 2, opposite - corner], 1)
        self._tracker.update(_Boxes(xywh, found.confidence, np.zeros_like(found.confidence)))
        ids = np.zeros(len(found), np.int64)
        for track in self._tracker.tracked_stracks:
            ids[int(track.idx)] = self._earlier_ids + track.track_id
        self._last_id = max(self._last_id, int(ids.max(initial=0)))
        self.expected = {
            self._earlier_ids + track.track_id: track.xyxy.astype(np.float32)
            for track in self._tracker.lost_stracks
        }
        return replace(found, track_id=ids).select(ids > 0)


@dataclass(frozen=True)
class _Boxes:
    """What `BYTETracker` reads."""

    xywh: Float32[np.ndarray, "n 4"]  # x and y of the centre
    conf: Float32[np.ndarray, " n"]
    cls: Float32[np.ndarray, " n"]

    def __len__(self) -> int:
        return len(self.conf)

    def __getitem__(self, which: np.ndarray) -> "_Boxes":
        return _Boxes(self.xywh[which], self.conf[which], self.cls[which])


def _new_tracker(settings: SimpleNamespace) -> Any:
    with ultralytics_import():
        from ultralytics.trackers.byte_tracker import BYTETracker

    return BYTETracker(settings)

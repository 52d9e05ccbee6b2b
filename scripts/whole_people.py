"""Tell how often somebody who stands whole in a video has both trousers and a top boxed.

    fmnist detect VIDEO --json LINES.json --no-video
    python scripts/whole_people.py VIDEO LINES.json yolo11n-pose.pt [FIRST-LAST ...] > WHOLE.json

Who stands whole in every tenth frame is asked of ultralytics' pose network (a shoulder, a hip and
an ankle seen). Their trousers are a box named Trouser around the thigh that begins below the
chest; their top is a box of another name, or unknown, around the chest. Whoever stands whole from
frame FIRST to LAST wears no trousers, as somebody has seen: they are counted apart.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from detector.ultralytics_weights import load_yolo
from fmnist.provenance import provenance

EVERY = 10  # that frame is asked about
SEEN = 0.5  # confidence of a joint from which it is taken to be in view
SHOULDERS, HIPS, ANKLES = [5, 6], [11, 12], [15, 16]  # of COCO's seventeen joints


def whole_people(video: Path, pose: Path) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Number of the frame, chest and thigh (x, y), of each person who stands whole in it."""
    network = load_yolo(pose)
    capture = cv2.VideoCapture(str(video))
    number = -1
    while capture.grab():
        number += 1
        if number % EVERY:
            continue
        people = network.predict(capture.retrieve()[1], verbose=False)[0].keypoints
        for joints in people.data.cpu().numpy() if people is not None else ():
            places = [middle(joints[pair]) for pair in (SHOULDERS, HIPS, ANKLES)]
            if not any(np.isnan(place).any() for place in places):
                shoulder, hip, ankle = places
                yield number, 0.6 * shoulder + 0.4 * hip, 0.6 * hip + 0.4 * ankle


def middle(joints: np.ndarray) -> np.ndarray:
    """Of those joints that are seen; not a number where none is."""
    seen = joints[joints[:, 2] > SEEN, :2]
    return seen.mean(0) if len(seen) else np.full(2, np.nan)


def has_trousers(boxes: list[dict[str, Any]], chest: np.ndarray, thigh: np.ndarray) -> bool:
    named = [box for box in boxes if box["label"] == "Trouser" and around(box, thigh)]
    return any(box["xyxy"][1] > chest[1] for box in named)


def has_top(boxes: list[dict[str, Any]], chest: np.ndarray) -> bool:
    return any(around(box, chest) for box in boxes if box["label"] != "Trouser")


def around(box: dict[str, Any], place: np.ndarray) -> bool:
    left, top, right, bottom = box["xyxy"]
    return bool(left <= place[0] <= right and top <= place[1] <= bottom)


def shares(
    numbers: np.ndarray, trousers: np.ndarray, top: np.ndarray, skirts: list[tuple[int, int]]
) -> dict[str, float]:
    """Of people, each with the number of its frame; trousers are asked of those who wear some."""
    wear = np.ones(len(numbers), np.bool_)
    for first, last in skirts:
        wear &= (numbers < first) | (numbers > last)
    if not wear.any():
        sys.exit("Nobody who stands whole in this video wears trousers. Choose another.")
    both = trousers & top
    return {
        "people": len(wear),
        "in_trousers": int(wear.sum()),
        "trousers": round(float(trousers[wear].mean()), 4),
        "both": round(float(both[wear].mean()), 4),
        "top": round(float(top.mean()), 4),
        "both_of_all_people": round(float(both.mean()), 4),
    }


def main() -> None:
    video, lines, pose = map(Path, sys.argv[1:4])
    skirts = [(int(first), int(last)) for first, last in (a.split("-") for a in sys.argv[4:])]
    first, *rows = map(json.loads, lines.read_text().splitlines())
    boxes = {row["frame"]: row["boxes"] for row in rows}
    if first["settings"]["every"] != 1 or first["settings"]["max_frames"] is not None:
        sys.exit("Not every frame is in these lines. Leave out --every and --max-frames.")
    dressed = [
        (number, has_trousers(boxes[number], chest, thigh), has_top(boxes[number], chest))
        for number, chest, thigh in whole_people(video, pose)
    ]
    if not dressed:
        sys.exit("Nobody stands whole in this video. Choose another.")
    numbers, trousers, top = map(np.array, zip(*dressed, strict=True))
    facts = {
        "video": video.name,
        "weights": first["weights"],
        "settings": first["settings"],
        "without_trousers": sys.argv[4:],
        **shares(numbers, trousers, top, skirts),
        **provenance(torch.device("cpu")),
    }
    print(json.dumps(facts, indent=2))


if __name__ == "__main__":
    main()

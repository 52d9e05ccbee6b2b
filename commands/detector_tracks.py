"""`fmnist detector tracks`."""

from typing import Annotated

import typer

from commands.options import (
    Backend,
    Confidence,
    Device,
    GridWeights,
    HeadWeights,
    ImageSize,
    Json,
    LabelConfidence,
    Overwrite,
    classifier_file,
    grid_file,
    put,
    say,
)
from detector.defaults import CONFIDENCE, GRID, HEAD, LABEL_CONFIDENCE
from fmnist.checks import all_free
from fmnist.errors import InputError
from fmnist.training.run_folder import name_of_weights

app = typer.Typer()


@app.command("tracks")
def detector_tracks(
    sources: Annotated[list[str], typer.Argument(metavar="VIDEO...", help="Videos to look at.")],
    conf: Confidence = CONFIDENCE,
    label_conf: LabelConfidence = LABEL_CONFIDENCE,
    grid: GridWeights = GRID,
    head: HeadWeights = HEAD,
    image_size: ImageSize = None,
    json_file: Json = "",
    device: Device = "auto",
    backend: Backend = "torch",
    overwrite: Overwrite = False,
) -> None:
    """Measure how steady boxes and labels are.

    Without and with tracks.
    """
    all_free(overwrite, json_file)

    from detector.video.sources import find_sources, is_image

    failed: list[str] = []
    paths = find_sources(sources, failed)
    for path in paths:
        if is_image(path):
            raise InputError(f"{path} is an image. Name videos.")
    grid_path, head_path = grid_file(grid), classifier_file(head)

    import cv2

    from commands.detector_tables import tracks_table
    from detector.evaluation.steadiness import judge_video
    from detector.pipeline import Detector
    from fmnist.device import describe, pick_device

    cv2.setNumThreads(1)
    where = pick_device(device)
    detector = Detector.load(where, grid_path, head_path, conf, image_size, backend, say)
    rows = []
    for path in paths:
        try:
            rows += judge_video(detector, path, label_conf)
        except InputError as error:
            failed.append(str(error))
    if not rows:
        raise InputError(" ".join(failed))
    weights = {"grid": name_of_weights(grid_path), "head": name_of_weights(head_path)}
    how = {"image_size": detector.grid.image_size, "backend": detector.grid.backend}
    settings = {"confidence": conf, "label_confidence": label_conf}
    facts = {"weights": weights | how, "settings": settings, "rows": rows, **describe(where)}
    put(tracks_table(rows), facts, json_file)
    if failed:
        raise InputError(" ".join(failed))

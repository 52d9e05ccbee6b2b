"""Weights of ultralytics, from a file that the user brings."""

from functools import cache
from pathlib import Path
from typing import Any, cast

import torch

from detector.network import ultralytics_import
from fmnist.errors import InputError


def load_yolo(weights: Path) -> Any:
    """The model of a .pt file of ultralytics, whatever its task.

    Raises:
        InputError: it is missing or cannot be read.
    """
    with ultralytics_import():
        from ultralytics import YOLO
    if not weights.is_file():
        raise InputError(f"{weights}: no such file. Give a .pt file of ultralytics.")
    try:
        model: Any = YOLO(weights)
    except Exception:  # ultralytics documents none, and advises what we do not do
        raise InputError(f"{weights} cannot be read. Give a .pt file of ultralytics.") from None
    return model


@cache
def all_scores_predictor(ignored: tuple[int, ...] = ()) -> Any:
    """Their predictor; its results tell the `scores` of all classes of their boxes (n, classes).

    Those of the classes that are `ignored` are zero from the beginning, and suppress nothing.
    """
    from ultralytics.models.yolo.detect import DetectionPredictor
    from ultralytics.utils.nms import non_max_suppression

    class Scored(DetectionPredictor):
        def postprocess(self, preds: Any, img: Any, orig_imgs: Any, **_: Any) -> Any:
            raw = preds[0] if isinstance(preds, list | tuple) else preds
            for number in ignored if not getattr(self.model, "end2end", False) else ():
                raw[:, 4 + number] = 0
            args, model = self.args, cast(Any, self.model)
            has_own = getattr(model, "end2end", False)
            found, kept = non_max_suppression(
                raw,
                args.conf,
                args.iou,
                agnostic=True,
                max_det=args.max_det,
                end2end=has_own,
                return_idxs=True,
            )
            results = self.construct_results(found, img, orig_imgs)
            for result, row, boxes, which in zip(results, raw, found, kept, strict=True):
                scores = torch.zeros(len(boxes), len(model.names))
                if has_own:
                    scores[torch.arange(len(boxes)), boxes[:, 5].long().cpu()] = boxes[:, 4].cpu()
                else:
                    scores[:] = row[4:, which.view(-1).long()].T.cpu()
                result.scores = scores
            return results

    return Scored

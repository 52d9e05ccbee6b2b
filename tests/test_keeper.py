"""What stands in the run folder while a training goes on."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from fmnist.cards import read_json
from fmnist.checkpoint import read_weights
from fmnist.data import Split, Splits
from fmnist.errors import InputError
from fmnist.evaluation import Evaluation
from fmnist.training import runs
from fmnist.training.settings import plan, prepare
from fmnist.training.step import Training

CPU = torch.device("cpu")


def test_short_epochs_are_written_down_now_and_then(
    splits: Splits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(run := tmp_path / "run", settings := plan("lenet", "report", 4, 0))
    written: list[int] = []

    def count(_: dict[str, float]) -> None:
        metrics = run / "metrics.csv"
        written.append(len(metrics.read_text().splitlines()) - 1 if metrics.exists() else 0)

    watch = runs.Watch(epoch=count)
    monkeypatch.setattr("fmnist.training.keeper.KEEP_EVERY", 3600.0)
    assert runs.train(settings, run, splits, CPU, watch) is not None
    assert written == [0, 1, 1, 1], "the first and the last one are"
    count({})
    assert written[-1] == 4
    best = read_json(run / "best.json")
    rows = list(csv.DictReader((run / "metrics.csv").open()))
    accuracies = [float(row["validation_accuracy"]) for row in rows]
    assert best["validation"]["accuracy"] == pytest.approx(max(accuracies))


def test_a_card_says_whether_the_network_was_compiled(splits: Splits, tmp_path: Path) -> None:
    prepare(tmp_path / "run", settings := plan("lenet", "report", 1, 0))
    watch = runs.Watch()
    facts = runs.train(settings, tmp_path / "run", splits, CPU, watch)
    assert facts is not None and facts["compiled"] is False


def test_what_explodes_at_once_leaves_nothing_and_says_so(splits: Splits, tmp_path: Path) -> None:
    settings = plan("lenet", "report", 2, 0, changes=("learning_rate=1e30", "batch_size=16"))
    prepare(tmp_path / "run", settings)
    watch = runs.Watch()
    with pytest.raises(InputError, match="Nothing of it is kept"):
        runs.train(settings, tmp_path / "run", splits, CPU, watch)
    assert not (tmp_path / "run/state.pt").exists()


def test_a_run_whose_state_is_gone_keeps_its_weights(splits: Splits, tmp_path: Path) -> None:
    prepare(run := tmp_path / "run", settings := plan("lenet", "report", 2, 0))
    watch = runs.Watch()
    result = runs.train(settings, run, splits, CPU, watch)
    (run / "state.pt").unlink()
    before = {path.name: path.read_bytes() for path in run.iterdir()}
    assert runs.train(settings, run, splits, CPU, watch) == result
    with pytest.raises(InputError, match=r"state\.pt is missing"):
        runs.train(replace(settings, epochs=3), run, splits, CPU, watch)
    (run / "result.json").rename(tmp_path / "result.json")
    with pytest.raises(InputError, match=r"state\.pt is missing"):
        runs.train(settings, run, splits, CPU, watch)
    (tmp_path / "result.json").rename(run / "result.json")
    assert {path.name: path.read_bytes() for path in run.iterdir()} == before


def test_the_best_weights_are_those_of_the_best_epoch(
    splits: Splits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though they are written down after the last one."""
    judged: list[dict[str, torch.Tensor]] = []

    def evaluate(training: Training, split: Split) -> Evaluation:
        weights = training.weights().state_dict()
        judged.append({name: value.clone() for name, value in weights.items()})
        right = (3, 7, 5, 5, 5)[len(judged) - 1]
        return Evaluation(0.0, np.diag([right, *[0] * 9]) + np.eye(10, k=1, dtype=int))

    monkeypatch.setattr("fmnist.training.runs.evaluate", evaluate)
    monkeypatch.setattr("fmnist.training.keeper.KEEP_EVERY", 3600.0)
    prepare(run := tmp_path / "run", settings := plan("lenet", "report", 3, 0))
    watch = runs.Watch()
    runs.train(settings, run, splits, CPU, watch)
    for name, wanted in (("best", judged[1]), ("last", judged[2])):
        weights = read_weights(run / f"{name}.safetensors")
        assert all(torch.equal(value, wanted[key]) for key, value in weights.items()), name

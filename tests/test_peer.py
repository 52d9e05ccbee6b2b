"""The peer is ultralytics' own command: it trains on tiny data, without any network, once."""

from pathlib import Path

import pytest
import torch

from fmnist.benchmark.peer import NAME, classifier, finished, yolo
from fmnist.benchmark.tables import COLUMNS, NOT_MEASURED, cells
from fmnist.data import Split, hold_out
from fmnist.errors import InputError

CPU = torch.device("cpu")


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whoever asks the network gets no answer; its settings are not those of the user."""
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("YOLO_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.mark.usefixtures("offline")
def test_it_is_trained_tested_and_then_kept(
    tiny_split: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "peer"
    monkeypatch.chdir(tmp_path)
    splits = (*hold_out(tiny_split, 20), tiny_split)
    facts = classifier(splits, folder, 1.0, 0, CPU)
    assert facts["row"] == NAME and facts["n"] == 1
    assert 0 <= facts["test_accuracy"]["mean"] <= 1
    low, high = facts["test_interval_95"]
    assert low <= facts["test_accuracy"]["mean"] <= high
    assert 1_000_000 < facts["parameters"] < 2_000_000 and facts["version"].startswith("8.")
    assert len(list((folder / "pictures/test").rglob("*.png"))) == len(tiny_split)
    assert {path.name for path in tmp_path.iterdir()} <= {"peer", "config"}
    monkeypatch.setattr("subprocess.run", None)
    assert classifier(splits, folder, 1.0, 0, CPU) == finished(folder) == facts
    assert cells(facts, list(COLUMNS)).count(NOT_MEASURED) == len(COLUMNS) - 5


@pytest.mark.usefixtures("offline")
def test_what_it_says_when_it_fails_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="yolo classify train failed: .*Leave --with out"):
        yolo("classify", "train", "model=nothing.yaml", f"project={tmp_path}")
    assert finished(tmp_path) is None

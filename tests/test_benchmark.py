"""Rows over seeds: what is not finished is never guessed, and nothing is done twice."""

import csv
import io
import json
import math
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from fmnist.benchmark import peer, summary
from fmnist.benchmark.inference import measured
from fmnist.benchmark.rows import ROWS, Row, check_runs, trainable
from fmnist.benchmark.spread import spread
from fmnist.benchmark.summary import summarize
from fmnist.benchmark.tables import (
    COLUMNS,
    NOT_MEASURED,
    comma_separated,
    kept_rows,
    markdown,
)
from fmnist.cards import Facts, read_json, write_json
from fmnist.choices import recipe_for
from fmnist.data import Split, Splits, hold_out
from fmnist.device import describe
from fmnist.errors import InputError
from fmnist.training import pace
from fmnist.training.pace import epochs_within, seconds_an_epoch
from fmnist.training.runs import Watch, train
from fmnist.training.settings import prepare
from tests.command import fmnist

CPU = torch.device("cpu")
LENET = Row("lenet", "report")


@pytest.fixture(scope="module")
def runs(tiny_split: Split, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two finished seeds of one row, of one epoch each."""
    base = tmp_path_factory.mktemp("benchmark")
    watch = Watch()
    for seed in (0, 1):
        settings = replace(LENET.settings(seed, "", ()), epochs=1)
        prepare(LENET.folder(base, seed), settings)
        data = Splits(*hold_out(tiny_split, 20), tiny_split)
        train(settings, LENET.folder(base, seed), data, CPU, watch)
    return base


@pytest.mark.parametrize("text", ROWS)
def test_a_row_is_read_as_it_is_written(text: str) -> None:
    assert str(Row.read(text)) == text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("vg:report", "vg: no such model. Did you mean vgg?"),
        ("vgg:bset", "bset: no such recipe. Did you mean best?"),
        ("vgg:best:dropuot=0", "dropuot: no such part of a recipe. Did you mean dropout?"),
        ("vgg:worn", "trains and tests on plain images"),
        ("vgg:best:dropout=none", "dropout is a number. Write it as dropout=0.1."),
    ],
)
def test_a_row_that_cannot_be_is_told(text: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        Row.read(text)


def test_every_row_and_seed_has_a_folder_of_its_own() -> None:
    folders = {Row.read(text).folder(Path("x"), seed) for text in ROWS for seed in range(3)}
    assert len(folders) == 3 * len(ROWS)


def test_finished_runs_become_mean_and_deviation(runs: Path) -> None:
    (facts,) = summarize([LENET], 2, runs)
    accuracies = facts["test_accuracy"]["values"]
    assert facts["n"] == 2 and facts["epochs"] == 1 and facts["parameters"] == 173_962
    assert facts["test_accuracy"]["mean"] == pytest.approx(sum(accuracies) / 2)
    took = [read_json(LENET.folder(runs, seed) / "result.json")["seconds"] for seed in range(2)]
    assert summary.longest([facts]) == max(took) > facts["seconds"]
    assert facts["seconds_an_epoch"] > 0
    assert len(facts["test_f1"]["Shirt"]["values"]) == 2


def test_what_was_not_measured_says_so(runs: Path) -> None:
    rows = summarize([LENET, Row("vgg", "best")], 3, runs)
    text = markdown(rows, list(COLUMNS))
    lenet, vgg = (line.split(" | ") for line in text.splitlines()[2:])
    assert len(lenet) == len(vgg) == len(COLUMNS)
    assert "2 of 3" in lenet and "0 of 3" in vgg
    assert vgg.count(NOT_MEASURED) == len(COLUMNS) - 5, "all but name, size, seeds; the last ends"
    assert list(csv.DictReader(io.StringIO(comma_separated(rows, ["row", "n"])))) == [
        {"row": "lenet:report", "n": "2 of 3"},
        {"row": "vgg:best", "n": "0 of 3"},
    ]


def test_rows_measured_earlier_fill_the_gaps_and_follow(runs: Path) -> None:
    rows = summarize([Row("vgg", "best"), LENET], 2, runs)
    named = {name: {**rows[1], "row": name} for name in ("vgg:best", "wrn:best", str(LENET))}
    merged = summary.with_earlier(rows, [*named.values(), {**rows[0], "row": "densenet:best"}])
    assert merged == [rows[0], rows[1], named["wrn:best"]], "vgg:best had numbers of lenet:report"
    assert merged[1] is rows[1]
    same = {**named["vgg:best"], "numbers": rows[0]["numbers"]}
    unknown = {key: value for key, value in same.items() if key != "numbers"}
    for row in (same, unknown):
        assert summary.with_earlier(rows, [row]) == [row, rows[1]]


def test_of_rows_of_one_name_the_one_measured_here_counts(tmp_path: Path) -> None:
    row = {"row": "vgg:best", "model": "vgg", "n": 1}
    here, old, new = tmp_path / "benchmark.json", tmp_path / "old.json", tmp_path / "new.json"
    write_json(old, {"rows": [{**row, "n": 2}]})
    write_json(new, {"rows": [{**row, "n": 3}]})
    write_json(here, {"rows": kept_rows(here, old)})
    assert [each["n"] for each in kept_rows(here, None)] == [2]
    assert kept_rows(here, new)[-1] == {**row, "n": 3, "earlier": "new.json"}
    write_json(here, {"rows": [row]})
    assert kept_rows(here, new)[-1] == row


def test_the_interval_is_student_s() -> None:
    facts = spread([1.0, 2.0, 3.0])
    half = 4.302652729749464 / math.sqrt(3)  # t of 2 degrees of freedom at 97.5 %
    assert facts["sd"] == 1.0
    assert facts["interval_95"] == pytest.approx([2 - half, 2 + half])
    assert "sd" not in spread([1.0])


def test_what_is_finished_is_not_run_again_and_a_stop_stops(runs: Path) -> None:
    asked: list[tuple[str, int]] = []

    def run(row: Row, seed: int, folder: Path) -> bool:
        asked.append((str(row), seed))
        return row.model != "vgg"

    rows = [LENET, Row("resnet10", "best"), Row("vgg", "best")]
    assert not summary.run_all(rows, 2, runs, run)
    assert asked == [("resnet10:best", 0), ("vgg:best", 0)]


def test_teachers_that_were_replaced_meanwhile_are_told(tmp_path: Path) -> None:
    taught = Row("vgg", "distill")
    for seed, digest in enumerate(("aa", "bb")):
        folder = taught.folder(tmp_path, seed)
        prepare(folder, taught.settings(seed, "", ("vgg",)))
        write_json(folder / "last.json", {"teacher_digests": [digest]})
    check_runs([taught], 1, tmp_path, None)
    with pytest.raises(InputError, match="have different teachers"):
        check_runs([taught], 2, tmp_path, None)
    (tmp_path / "vgg.safetensors").write_bytes(b"another")
    with pytest.raises(InputError, match="have different teachers"):
        check_runs([taught], 1, tmp_path, ("", ("vgg",)), [tmp_path / "vgg.safetensors"])


def test_rows_that_need_teachers_wait_for_them() -> None:
    rows = [LENET, Row("vgg", "distill")]
    assert trainable(rows, ()) == [LENET]
    assert trainable(rows, ("vgg",)) == rows


def test_runs_of_another_recipe_are_not_mixed_in(runs: Path, tmp_path: Path) -> None:
    check_runs([LENET], 2, runs, ("", ()))
    shorter = LENET.settings(0, "", ()).recipe
    settings = replace(LENET.settings(0, "", ()), recipe=replace(shorter, epochs=7))
    prepare(LENET.folder(tmp_path, 0), settings)
    with pytest.raises(InputError, match="lenet:report has now"):
        check_runs([LENET], 1, tmp_path, None)
    taught = Row("vgg", "distill")
    prepare(taught.folder(tmp_path, 0), taught.settings(0, "", ("vgg",)))
    check_runs([taught], 1, tmp_path, None)
    check_runs([taught], 1, tmp_path, ("", ("vgg",)))
    with pytest.raises(InputError, match="or weights"):
        check_runs([taught], 1, tmp_path, ("", ("lenet",)))
    prepare(LENET.folder(tmp_path / "long", 0), replace(LENET.settings(0, "", ()), epochs=3))
    check_runs([LENET], 2, tmp_path / "long", None)
    with pytest.raises(InputError, match="have 3 and 50 epochs"):
        check_runs([LENET], 2, tmp_path / "long", ("", ()))
    prepare(LENET.folder(tmp_path / "long", 1), LENET.settings(1, "", ()))
    with pytest.raises(InputError, match="have 3 and 50 epochs"):
        check_runs([LENET], 2, tmp_path / "long", None)
    shutil.copytree(LENET.folder(tmp_path / "long", 1), LENET.folder(tmp_path / "twice", 0))
    with pytest.raises(InputError, match="with other numbers"):  # a copy is no other seed
        check_runs([LENET], 1, tmp_path / "twice", None)
    older = taught.settings(0, "", ("vgg",))
    prepare(taught.folder(tmp_path, 1), replace(older, recipe=replace(older.recipe, cutmix=0.9)))
    done = fmnist(
        "benchmark", "--table", "--row", str(taught), "--seeds", "2", "-o", ".", folder=tmp_path
    )
    assert done.code == 2 and "other numbers" in done.err


def test_a_damaged_run_is_told(runs: Path, tmp_path: Path) -> None:
    folder = LENET.folder(tmp_path, 0)
    shutil.copytree(LENET.folder(runs, 0), folder)
    (folder / "metrics.csv").unlink()
    with pytest.raises(InputError, match="damaged"):
        summarize([LENET], 1, tmp_path)
    (folder / "result.json").write_text("{}")
    with pytest.raises(InputError, match="damaged"):
        summarize([LENET], 1, tmp_path)


def test_a_table_keeps_the_rows_of_the_one_before(runs: Path, tmp_path: Path) -> None:
    shutil.copytree(LENET.folder(runs, 0), LENET.folder(tmp_path, 0))
    for row in (str(LENET), "vgg:best"):
        done = fmnist("benchmark", "--table", "--row", row, "-o", ".", "-q", folder=tmp_path)
        assert done.code == 0, done.err
    kept = json.loads((tmp_path / "benchmark.json").read_text())["rows"]
    assert [(row["row"], row["n"]) for row in kept] == [("vgg:best", 0), (str(LENET), 1)]


def test_a_table_counts_every_seed_that_is_finished(runs: Path, tmp_path: Path) -> None:
    shutil.copytree(runs, tmp_path / "runs")
    told = "benchmark", "--table", "--row", str(LENET), "-o", "runs", "-q"
    for more, n in (((), 2), (("--seeds", "1"), 1), ((), 2)):
        done = fmnist(*told, *more, folder=tmp_path)
        assert done.code == 0, done.err
        (row,) = json.loads((tmp_path / "runs/benchmark.json").read_text())["rows"]
        assert row["n"] == row["seeds_wanted"] == n


def test_tables_of_somebody_else_are_kept(tmp_path: Path) -> None:
    (tmp_path / "benchmark.md").write_text("notes")
    done = fmnist("benchmark", "--table", "--row", "lenet:report", "-o", ".", folder=tmp_path)
    assert done.code == 2 and "benchmark.md exists" in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["benchmark.md"]


def test_imagenet_weights_that_are_none_are_told_before_the_rows_without(
    fashion_mnist: Path, tmp_path: Path
) -> None:
    (tmp_path / "wrong.pth").write_bytes(b"no weights")
    rows = "--row", "lenet:report:epochs=1", "--row", "resnet18:report"
    words = ("benchmark", *rows, "--pretrained", "wrong.pth", "--data-dir", str(fashion_mnist))
    done = fmnist(*words, folder=tmp_path)
    assert done.code == 2 and "wrong.pth" in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["wrong.pth"]


def test_a_row_that_diverges_does_not_end_the_others(fashion_mnist: Path, tmp_path: Path) -> None:
    bad, good = ("lenet:report:epochs=1,learning_rate=1e30", "lenet:report:epochs=1")
    words = ("benchmark", "--row", bad, "--row", good, "-o", ".", "-q")
    done = fmnist(*words, "--data-dir", str(fashion_mnist), folder=tmp_path)
    assert done.code == 0, done.err
    assert done.err.startswith(f"{bad}, seed 0: The training loss is nan in epoch 1.")
    kept = json.loads((tmp_path / "benchmark.json").read_text())["rows"]
    assert [row["n"] for row in kept] == [0, 1] and kept[1]["seeds"] == [0]


@pytest.mark.parametrize("text", ["[]", '{"a": 1}', '{"lenet": {"machine": "a GPU"}}'])
def test_speeds_that_are_none_are_told_and_kept(tmp_path: Path, text: str) -> None:
    (tmp_path / "inference.json").write_text(text)
    done = fmnist("benchmark", "--row", "lenet:report", "-o", ".", folder=tmp_path)
    assert (done.code, "torch" in done.modules) == (2, False) and "inference.json" in done.err
    assert (tmp_path / "inference.json").read_text() == text


def test_a_row_without_its_teachers_is_told(fashion_mnist: Path, tmp_path: Path) -> None:
    words = ("benchmark", "--row", "vgg:distill", "--data-dir", str(fashion_mnist))
    done = fmnist(*words, folder=tmp_path)
    assert done.code == 2 and "--teacher" in done.err and not (tmp_path / "runs").exists()


def test_speed_is_measured_in_a_process_of_its_own_and_kept(tmp_path: Path) -> None:
    rows = [{"model": "lenet"}, {"model": "lenet"}]
    (tmp_path / "inference.json").write_text('{"lenet": {"machine": {"device": "a GPU"}}}')
    summary.add_inference(rows, tmp_path, CPU)
    assert "a GPU" not in (tmp_path / "inference.json").read_text(), "that is another machine's"
    (tmp_path / "before").write_bytes((tmp_path / "inference.json").read_bytes())
    again = [{"model": "lenet"}, {"model": "vgg"}]
    summary.add_inference(again, tmp_path, CPU, measure_new=False)
    assert (tmp_path / "before").read_bytes() == (tmp_path / "inference.json").read_bytes()
    assert again[0] == rows[0] == rows[1] and "inference" not in again[1]
    with pytest.raises(InputError, match="fmnist.benchmark.inference failed: .*Did you mean lenet"):
        measured("lent", CPU)
    speed = measured("lenet", CPU)
    assert speed["images_per_second"] > 10
    assert 0 < speed["latency_ms"]["median"] <= speed["latency_ms"]["p95"]
    assert 50 < speed["peak_memory_mb"] < 20_000


def test_a_speed_of_other_threads_is_none_of_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def known(model: str, device: torch.device) -> Facts:
        asked.append(model)
        return {"machine": describe(device)}

    monkeypatch.setattr(summary, "measured", known)
    for _ in range(2):
        summary.add_inference([{"model": "lenet"}], tmp_path, CPU)
    assert asked == ["lenet"]
    here = describe(CPU)
    monkeypatch.setattr(summary, "describe", lambda device: here | {"threads": 99})
    summary.add_inference([{"model": "lenet"}], tmp_path, CPU)
    assert asked == ["lenet"] * 2


def test_what_others_train_is_trained_again_where_ours_took_longer(
    splits: Splits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[str] = []

    def yolo(*words: str) -> str:
        trained.extend(word for word in words if word.startswith("time="))
        return "Ultralytics 8.0\nYOLO summary: 1,000 parameters\n  all  0.5  0.9\n"

    monkeypatch.setattr(peer, "yolo", yolo)
    took = [
        peer.classifier(splits, tmp_path, seconds, 0, CPU)["seconds"]
        for seconds in (36.0, 37.0, 72.0, 36.0)
    ]
    assert took == [36, 36, 72, 72]
    assert trained == ["time=0.010000", "time=0.020000"]


def test_an_epoch_is_timed_without_a_trace(tiny_split: Split) -> None:
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    assert seconds_an_epoch("vgg", recipe_for("fast", "vgg", ["batch_size=16"]), tiny_split) > 0
    assert torch.equal(torch.random.get_rng_state(), before)


def test_as_many_epochs_as_fit_but_at_least_one(
    tiny_split: Split, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "seconds_an_epoch", lambda *_: 2.0)
    for seconds, epochs in ((1e-6, 1), (3.9, 1), (25.0, 12)):
        recipe = replace(recipe_for("fast", "vgg"), seconds=seconds)
        assert epochs_within("vgg", recipe, tiny_split) == epochs

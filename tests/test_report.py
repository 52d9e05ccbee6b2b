"""The page stands by itself, shows what runs say, and says what was not measured."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from fmnist.benchmark.rows import Row
from fmnist.benchmark.summary import summarize
from fmnist.benchmark.tables import NOT_MEASURED, rows_of
from fmnist.cards import Facts, read_json
from fmnist.classes import CLASSES
from fmnist.data import Split, Splits, hold_out
from fmnist.errors import InputError
from fmnist.models.layers import layers_of
from fmnist.provenance import provenance
from fmnist.report.curves import dropout, pair_of
from fmnist.report.page import Table, write
from fmnist.report.results import headline, results
from fmnist.report.sections import all_sections
from fmnist.report.triplets import paired, pairs, triplets
from fmnist.training.runs import Watch, train
from fmnist.training.settings import prepare
from tests.command import ROOT
from weights import WEIGHTS

CPU = torch.device("cpu")
ROWS = [Row.read(text) for text in ("vgg:report", "vgg:report:dropout=0", "lenet:report")]


@pytest.fixture(scope="module")
def page(tiny_split: Split, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page after one epoch of two of three rows."""
    base = tmp_path_factory.mktemp("report")
    data = Splits(*hold_out(tiny_split, 20), tiny_split)
    watch = Watch()
    for row in ROWS[:2]:
        settings = replace(row.settings(0, "", ()), epochs=1)
        prepare(row.folder(base, 0), settings)
        train(settings, row.folder(base, 0), data, CPU, watch)
    rows = summarize(ROWS, 1, base)
    sections = all_sections(rows, data, WEIGHTS / "vgg.safetensors")
    write(headline(rows), sections, provenance(CPU), base / "page")
    return base / "page"


def test_the_page_needs_no_other_file(page: Path) -> None:
    text = (page / "report.html").read_text()
    assert not re.findall(r'(?:src|href)="(?!data:|#)', text)
    assert text.count("data:image/png;base64,") == 7
    assert "<script" not in text


def test_the_markdown_shows_pictures_that_are_there(page: Path) -> None:
    shown = re.findall(r"!\[.*?\]\((.*?)\)", (page / "report.md").read_text())
    assert len(shown) == 7
    for name in shown:
        assert (page / name).read_bytes().startswith(b"\x89PNG")


def test_rows_stand_beside_those_of_the_report(page: Path) -> None:
    lines = (page / "report.md").read_text().splitlines()
    vgg = next(line for line in lines if line.startswith("| vgg:report | 1,148,618"))
    assert "94.8% | -" in vgg and "✓" not in vgg, "one epoch is not enough"
    lenet = next(line for line in lines if line.startswith("| lenet:report | 173,962"))
    assert "91.3%" in lenet and "not measured" in lenet
    assert sum("Figure 3." in line and "not measured" in line for line in lines) == 1


def measured(text: str, accuracies: list[float]) -> Facts:
    """A row of one run with these accuracies after its epochs."""
    row = Row.read(text)
    names = ("train_accuracy", "validation_loss", "validation_accuracy")
    curves = {"epoch": [*range(1, len(accuracies) + 1)], **dict.fromkeys(names, accuracies)}
    facts = {"row": text, "model": row.model, "recipe": row.recipe, "changes": [*row.changes]}
    return facts | {"n": 1, "epochs": len(accuracies), "curves": curves}


def test_dropout_is_judged_over_the_epochs_that_both_have() -> None:
    with_it = measured("vgg:report", [0.5] * 6 + [0.9] * 10)
    without = measured("vgg:report:dropout=0,epochs=6", [0.2] + [0.7] * 5)
    table = dropout([with_it, without]).parts[0]
    assert isinstance(table, Table)
    assert table.rows[0][:5] == ["vgg:report", "6", "50.00%", "0.500", "50.00%"]
    assert table.rows[1][:5] == ["vgg:report:dropout=0,epochs=6", "6", "70.00%", "0.700", "70.00%"]
    assert table.rows[2][:2] == ["resnet10:report:dropout=1", "not measured"]
    lone = dropout([with_it]).parts
    assert isinstance(lone[0], Table) and len(lone) == 1
    assert lone[0].rows[0][:2] == ["vgg:report", "16"], "nothing to cut it to"


def test_the_longest_rows_that_differ_in_dropout_alone_are_compared() -> None:
    texts = ("vgg:report:dropout=0,epochs=2", "vgg:report:epochs=3,dropout=0", "vgg:report")
    short, longer, with_it = (
        measured(text, [0.5] * n) for text, n in zip(texts, (2, 3, 9), strict=True)
    )
    other = measured("vgg:report:dropout=0,learning_rate=0.1", [0.5] * 50)
    assert pair_of("vgg", [short, longer, other, with_it]) == (texts[2], texts[1])
    assert pair_of("vgg", [longer | {"n": 0}, with_it]) == (texts[2], "vgg:report:dropout=0")
    peer = {"row": "ultralytics-cls", "model": "yolo11n-cls", "n": 1}
    assert pair_of("resnet10", [peer]) == ("resnet10:report:dropout=1", "resnet10:report")


def test_differences_are_paired_by_seed() -> None:
    before = {"values": [0.80, 0.84, 0.90], "seeds": [0, 1, 2]}
    after = {"values": [0.86, 0.81], "seeds": [1, 0]}
    text = paired(before, after)
    assert text.startswith("+0.0150 (") and text.endswith("n = 2")
    assert paired(before, {"values": [0.9], "seeds": [7]}) == "not measured"
    assert paired(before, None) == "not measured"


def test_a_row_with_triplets_is_compared_with_the_same_without() -> None:
    texts = ("lenet:best", "lenet:best:epochs=9", "lenet:best:epochs=9,triplet=0.2")
    plain, short, triplets = (
        {"row": text, "model": row.model, "recipe": row.recipe, "changes": row.changes, "n": 1}
        for text, row in zip(texts, map(Row.read, texts), strict=True)
    )
    assert pairs([plain, triplets, short]) == [(texts[2], short, triplets)]
    assert pairs([plain, triplets, short | {"n": 0}]) == [(texts[2], None, triplets)]
    assert pairs([plain, {"row": "ultralytics-cls", "model": "yolo11n-cls", "n": 1}]) == pairs([])
    assert pairs([plain]) == [("vgg:best:triplet=0.2", None, None)]


def test_the_confused_classes_are_judged_together_too() -> None:
    values = {name: [0.8, 0.9] for name in CLASSES} | {"Shirt": [0.6, 0.7]}
    plain = {"row": "a", "model": "lenet", "recipe": "best", "changes": [], "n": 2}
    plain["test_f1"] = {name: {"values": its} for name, its in values.items()}
    higher = {name: {"values": [v + 0.04 for v in its]} for name, its in values.items()}
    triplet = plain | {"changes": ["triplet=0.2"], "test_f1": higher}
    (table,) = triplets([plain, triplet]).parts
    assert isinstance(table, Table)
    *_, shirt, four = table.rows
    assert shirt[:3] == ["Shirt", "0.6500", "0.6900"]
    assert four[:3] == ["mean of the four", "0.8000", "0.8400"]
    assert four[3].startswith("+0.0400 (") and four[3].endswith("n = 2")


def test_tables_of_layers_add_up() -> None:
    rows = layers_of("vgg")
    numbers = [int(row[2].replace(",", "")) for row in rows if row[2]]
    assert sum(numbers[:-1]) == numbers[-1] == 1_148_618
    assert ("dropout 0.4", "64 x 14 x 14", "") in rows


def test_it_begins_with_rows_that_validation_chose() -> None:
    def row(name: str, parameters: int, validation: float, test: float) -> Facts:
        accuracies = {"validation_accuracy": {"mean": validation}, "test_accuracy": {"mean": test}}
        return {"row": name, "model": name, "n": 1, "parameters": parameters, **accuracies}

    small, large = row("a", 10, 0.90, 0.93), row("b", 20, 0.92, 0.91)
    (best, what), (light, _), (done, _) = headline([large, small, {"row": "c", "n": 0}])
    assert best == "91.00%" and ": b." in what, "not the one that the test set likes better"
    assert light == "93.00%" and done == "2 of 3"
    assert headline([{"row": "c", "n": 0}]) == []
    lucky = {**row("d", 15, 0.99, 0.80), "validation_n": 500}
    assert ": b." in headline([small, lucky, large])[0][1], "too few images to be chosen by"


@pytest.mark.parametrize(
    "changes",
    [{"changes": None}, {"n": "2"}, {"test_accuracy": None}, {"machine": {}}, {"model": 1}],
)
def test_rows_of_no_benchmark_are_refused(tmp_path: Path, changes: Facts) -> None:
    known = read_json(ROOT / "results/benchmark.json")
    known["rows"][0] |= changes
    (tmp_path / "x.json").write_text(json.dumps(known))
    with pytest.raises(InputError, match="holds no rows of a benchmark"):
        rows_of(tmp_path / "x.json")


def test_the_shipped_rows_are_those_of_a_benchmark() -> None:
    assert len(rows_of(ROOT / "results/benchmark.json")) > 10


def test_a_row_without_accuracies_says_that_they_were_not_measured() -> None:
    (table,) = results([{"row": "lenet:report", "model": "lenet", "n": 1}]).parts
    assert isinstance(table, Table)
    ((name, *_),) = table.rows
    assert name == "lenet:report" and NOT_MEASURED in table.rows[0]


def test_what_was_not_measured_takes_one_cell() -> None:
    row = ("vgg", "", "", "not measured", "not measured", "1")
    assert Table("", ("",) * 6, [row]).spans == [
        [("vgg", 1), ("", 1), ("", 1), ("not measured", 2), ("1", 1)]
    ]

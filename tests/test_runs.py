"""The run folder: stopping and resuming changes nothing, and nothing in it is ever half-written."""

import csv
import itertools
import json
import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from commands.tables import result_line
from fmnist.cards import read_csv
from fmnist.checkpoint import load_model, read_weights, save_checkpoint
from fmnist.classes import CLASSES, VALIDATION_SIZE
from fmnist.data import Splits, hold_out, load
from fmnist.errors import InputError, NotFinite
from fmnist.evaluation import from_logits, predict_logits
from fmnist.models import build
from fmnist.training import runs
from fmnist.training.run_folder import LEFT
from fmnist.training.settings import check_unseen, plan, prepare, read_settings

CPU = torch.device("cpu")
QUIET = runs.Watch()


def weights(run: Path) -> dict[str, torch.Tensor]:
    return read_weights(run / "last.safetensors")


def _teacher(folder: Path) -> Path:
    path = folder / "teacher.safetensors"
    facts = {"model": "lenet", "classes": list(CLASSES)}
    save_checkpoint(path, build("lenet").state_dict(), facts)
    return path


def test_teachers_and_a_recipe_that_listens_go_together() -> None:
    with pytest.raises(InputError, match="go together"):
        plan("vgg", "distill", None, 0)
    with pytest.raises(InputError, match="go together"):
        plan("vgg", "best", None, 0, teachers=["vgg"])
    with pytest.raises(InputError, match="no ImageNet weights for vgg"):
        plan("vgg", "best", None, 0, pretrained="x.pth")


@pytest.mark.parametrize(
    ("recipe", "changes"),
    [
        ("report", ()),
        ("best", ()),
        ("best", ("triplet=0.2", "cutmix=0.5", "erasing=0.3", "optimizer=sgd")),
        ("distill", ("temperature=2",)),
    ],
)
def test_two_epochs_and_two_more_equal_four(
    recipe: str, changes: tuple[str, ...], splits: Splits, tmp_path: Path
) -> None:
    teachers = [_teacher(tmp_path)] if recipe == "distill" else []
    names = [path.stem for path in teachers]
    settings = plan("lenet", recipe, 4, 0, changes=("batch_size=16", *changes), teachers=names)
    through, stopped = tmp_path / "through", tmp_path / "stopped"
    for run in (through, stopped):
        prepare(run, settings)
    assert runs.train(settings, through, splits, CPU, QUIET, teachers=teachers) is not None
    assert runs.train(settings, stopped, splits, CPU, QUIET, None, 2, None, teachers) is None
    assert not (stopped / "result.json").exists(), "the test set waits for the end"
    resumed = read_settings(stopped)
    assert runs.train(resumed, stopped, splits, CPU, QUIET, teachers=teachers) is not None
    wanted, got = weights(through), weights(stopped)
    assert all(torch.equal(value, got[name]) for name, value in wanted.items())


def test_what_is_not_held_out_trains_and_what_has_trained_does_not_validate(
    fashion_mnist: Path, tmp_path: Path
) -> None:
    some = load(fashion_mnist, "train").select(slice(6_400))
    splits = Splits(*hold_out(some, 5_000), some.select(slice(64)))
    run = tmp_path / "run"
    prepare(run, settings := plan("lenet", "report", 1, 0, changes=("held_out=100",)))
    seen: list[int] = []
    watch = runs.Watch(lambda epoch, done, of: seen.append(of))
    facts = runs.train(settings, run, splits, CPU, watch)
    assert facts is not None and facts["validation"]["n"] == 100
    assert set(seen) == {6_300 // 128}
    check_unseen(100, [run / "last.safetensors"], is_fixed=False)
    with pytest.raises(InputError, match="--set held_out=100"):
        check_unseen(VALIDATION_SIZE, [run / "last.safetensors"], is_fixed=False)


def test_a_teacher_cannot_be_replaced_half_way(splits: Splits, tmp_path: Path) -> None:
    teacher = _teacher(tmp_path)
    settings = plan("lenet", "distill", 2, 0, changes=("batch_size=16",), teachers=[teacher.stem])
    prepare(tmp_path / "run", settings)
    runs.train(settings, tmp_path / "run", splits, CPU, QUIET, None, 1, None, [teacher])
    before = (tmp_path / "run" / "state.pt").read_bytes()
    save_checkpoint(teacher, build("lenet").state_dict(), {"model": "lenet", "classes": [*CLASSES]})
    with pytest.raises(InputError, match="not the teacher"):
        runs.train(settings, tmp_path / "run", splits, CPU, QUIET, teachers=[teacher])
    assert (tmp_path / "run" / "state.pt").read_bytes() == before


def test_a_run_of_constant_rate_can_be_prolonged_and_a_scheduled_one_cannot(
    splits: Splits, tmp_path: Path
) -> None:
    long, short = tmp_path / "long", tmp_path / "short"
    prepare(long, plan("lenet", "report", 3, 0, ""))
    runs.train(read_settings(long), long, splits, CPU, QUIET)
    prepare(short, plan("lenet", "report", 1, 0, ""))
    runs.train(read_settings(short), short, splits, CPU, QUIET)
    runs.train(read_settings(short, epochs=3), short, splits, CPU, QUIET)
    assert all(torch.equal(value, weights(short)[name]) for name, value in weights(long).items())
    further = read_settings(short, epochs=9)
    assert runs.train(further, short, splits, CPU, QUIET, stop_after=4) is None
    assert not (short / "result.json").exists(), "that of three epochs is not the run's any more"
    facts = runs.train(read_settings(short, epochs=4), short, splits, CPU, QUIET)
    assert facts and facts["epochs_done"] == 4
    scheduled = tmp_path / "scheduled"
    prepare(scheduled, plan("lenet", "best", 2, 0, ""))
    with pytest.raises(InputError, match="planned for 2 epochs"):
        read_settings(scheduled, epochs=3)
    averaged = plan("lenet", "report", 2, 0, changes=["ema_decay=0.99"])
    constant = ["schedule=constant", "ema_decay=0"]
    growing = plan("resnet10-56", "gpu", 2, 0, changes=constant)  # of 20, then 28 pixels
    for name, settings in (("averaged", averaged), ("growing", growing)):
        prepare(tmp_path / name, settings)
        with pytest.raises(InputError, match="planned for 2 epochs"):
            read_settings(tmp_path / name, epochs=3)


def test_a_run_goes_on_without_the_weights_that_it_leaves(splits: Splits, tmp_path: Path) -> None:
    prepare(run := tmp_path / "run", plan("lenet", "report", 1, 0))
    runs.train(read_settings(run), run, splits, CPU, QUIET)
    for file in run.glob("last.*"):
        file.unlink()
    facts = runs.train(read_settings(run, epochs=2), run, splits, CPU, QUIET)
    assert facts and facts["epochs_done"] == 2


def test_a_run_is_not_made_shorter_than_it_is(splits: Splits, tmp_path: Path) -> None:
    run = tmp_path / "run"
    prepare(run, plan("lenet", "report", 2, 0))
    runs.train(read_settings(run), run, splits, CPU, QUIET)
    before = (run / "settings.json").read_bytes()
    with pytest.raises(InputError, match="2 epochs behind it"):
        read_settings(run, epochs=1)
    assert (run / "settings.json").read_bytes() == before


def test_a_finished_run_is_not_tested_again(splits: Splits, tmp_path: Path) -> None:
    run = tmp_path / "run"
    prepare(run, plan("lenet", "report", 1, 0))
    facts = runs.train(read_settings(run), run, splits, CPU, QUIET)
    (run / "last.safetensors").unlink()
    assert runs.train(read_settings(run), run, splits, CPU, QUIET) == facts
    assert not (run / "last.safetensors").exists()


def test_a_finished_run_holds_all_that_it_promises(splits: Splits, tmp_path: Path) -> None:
    prepare(tmp_path / "run", settings := plan("lenet", "report", 2, 5, ""))
    facts = runs.train(settings, tmp_path / "run", splits, CPU, QUIET)
    assert facts is not None
    promised = "settings.json metrics.csv state.pt best.safetensors best.json last.safetensors"
    promised += " last.json result.json curves.png confusion.png .lock"
    assert {path.name for path in (tmp_path / "run").iterdir()} == set(promised.split())
    assert json.loads((tmp_path / "run" / "result.json").read_text()) == facts
    assert facts["test"]["n"] == 64
    assert (facts["seed"], facts["recipe_name"], facts["epochs_done"]) == (5, "report", 2)
    with (tmp_path / "run" / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert result_line(facts).startswith("test accuracy 0.")


def test_no_time_still_means_one_epoch_that_can_be_resumed(splits: Splits, tmp_path: Path) -> None:
    prepare(tmp_path / "run", settings := plan("lenet", "report", 3, 0, ""))
    assert runs.train(settings, tmp_path / "run", splits, CPU, QUIET, max_minutes=0) is None
    assert (tmp_path / "run" / "last.safetensors").exists()


def test_an_interrupted_epoch_leaves_the_one_before(splits: Splits, tmp_path: Path) -> None:
    def interrupt(epoch: int, done: int, of: int) -> None:
        if epoch == 2:
            raise KeyboardInterrupt

    run = tmp_path / "run"
    prepare(run, settings := plan("lenet", "report", 2, 0, ""))
    with pytest.raises(KeyboardInterrupt):
        runs.train(settings, run, splits, CPU, runs.Watch(interrupt))
    before = weights(run)
    state = torch.load(run / "state.pt", weights_only=True)["training"]["model"]
    assert all(torch.equal(value, state[name]) for name, value in before.items())


def test_a_loss_that_explodes_keeps_the_last_good_epoch(
    splits: Splits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    prepare(run, settings := plan("lenet", "report", 3, 0, ""))
    runs.train(settings, run, splits, CPU, QUIET, stop_after=1)
    before = weights(run)
    state = torch.load(run / "state.pt", weights_only=True)
    state["training"]["model"]["classifier.2.weight"].fill_(float("nan"))
    torch.save(state, run / "state.pt")
    with pytest.raises(InputError, match="Epoch 1 is kept"):
        runs.train(settings, run, splits, CPU, QUIET)
    assert all(torch.equal(value, before[name]) for name, value in weights(run).items())


def test_what_the_last_step_of_an_epoch_breaks_is_told_as_such(
    splits: Splits, tmp_path: Path
) -> None:
    """Its loss was finite: what it did to the weights shows when they are judged."""
    run = tmp_path / "run"
    changes = ("learning_rate=1e30", f"batch_size={len(splits[0])}")
    prepare(run, settings := plan("lenet", "report", 2, 0, changes=changes))
    with pytest.raises(NotFinite, match="Nothing of it is kept"):
        runs.train(settings, run, splits, CPU, QUIET)


def test_a_folder_that_nobody_prepared_is_told_before_the_work(
    splits: Splits, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="holds no run"):
        runs.train(plan("lenet", "report", 1, 0), tmp_path / "run", splits, CPU, QUIET)


def test_initial_weights_are_where_the_run_begins(splits: Splits, tmp_path: Path) -> None:
    initial = tmp_path / "x.safetensors"
    model = build("lenet")
    save_checkpoint(initial, model.state_dict(), {"model": "lenet", "classes": list(CLASSES)})
    run = tmp_path / "run"
    prepare(run, settings := plan("lenet", "report", 1, 0, "x"))
    frozen = replace(settings, recipe=replace(settings.recipe, learning_rate=0.0))
    runs.train(frozen, run, splits, CPU, QUIET, initial=initial)
    assert all(torch.equal(value, model.state_dict()[key]) for key, value in weights(run).items())
    prepare(tmp_path / "other", other := plan("vgg", "report", 1, 0, "x"))
    with pytest.raises(InputError, match="not a vgg"):
        runs.train(other, tmp_path / "other", splits, CPU, QUIET, initial=initial)


def test_weights_of_another_network_leave_no_run_folder(tmp_path: Path) -> None:
    initial = tmp_path / "x.safetensors"
    facts = {"model": "lenet", "classes": list(CLASSES)}
    save_checkpoint(initial, build("lenet").state_dict(), facts)
    with pytest.raises(InputError, match="holds a lenet, not a vgg"):
        prepare(tmp_path / "run", plan("vgg", "best", None, 0, "x"), initial)
    assert not (tmp_path / "run").exists()


def test_a_damaged_run_is_told(splits: Splits, tmp_path: Path) -> None:
    run = tmp_path / "run"
    prepare(run, settings := plan("lenet", "report", 1, 0, ""))
    (run / "state.pt").write_bytes(b"no state")
    with pytest.raises(InputError, match="state.pt is damaged"):
        runs.train(settings, run, splits, CPU, QUIET)
    torch.save({"training": {"model": {}}, "rows": []}, run / "state.pt")
    with pytest.raises(InputError, match="state.pt is of another run"):
        runs.train(settings, run, splits, CPU, QUIET)


@pytest.mark.parametrize(
    "damage",
    [
        {"epochs": "1"},
        {"epochs": 0},
        {"seed": 2**70},
        {"model": "gtv"},
        {"epochs": 10**30},
        {"teachers": [5]},
        {"teachers": "vgg"},
        {"recipe": {}},
        {"recipe": {"pad": None}},
        {"recipe": {"optimizer": "foo"}},
        {"recipe": {"batch_size": 0}},
        {"recipe": {"learning_rate": math.nan}},
        {"recipe": {"held_out": 100_000}},
        {"recipe": {"crops": -5}},
        {"recipe": {"sizes": []}},
        {"recipe": {"sizes": [[1.0, 0]]}},
        {"recipe": {"sizes": [[0.5, 28]]}},
        {"recipe": {"sizes": [[1.0, math.inf]]}},
    ],
    ids=str,
)
def test_settings_that_nobody_could_choose_are_told(tmp_path: Path, damage: dict[str, Any]) -> None:
    prepare(tmp_path, plan("lenet", "report", 1, 0))
    whole = json.loads((tmp_path / "settings.json").read_text())
    if damage.get("recipe"):
        damage = {"recipe": whole["recipe"] | damage["recipe"]}
    (tmp_path / "settings.json").write_text(json.dumps(whole | damage))
    with pytest.raises(InputError, match="settings.json is damaged or of another version"):
        read_settings(tmp_path)


def test_a_state_whose_epochs_are_not_those_of_its_rows_is_told(
    splits: Splits, tmp_path: Path
) -> None:
    prepare(tmp_path / "run", settings := plan("lenet", "report", 2, 0))
    runs.train(settings, tmp_path / "run", splits, CPU, QUIET, stop_after=1)
    whole = torch.load(tmp_path / "run/state.pt", weights_only=True)
    training = {"training": {**whole["training"], "epoch": "x"}}
    damages: list[dict[str, Any]] = [{"rows": 5}, {"rows": []}, training]
    for damage in damages:
        torch.save(whole | damage, tmp_path / "run/state.pt")
        with pytest.raises(InputError, match="state.pt is of another run"):
            runs.train(settings, tmp_path / "run", splits, CPU, QUIET)


def test_a_result_that_is_none_is_told(splits: Splits, tmp_path: Path) -> None:
    prepare(tmp_path / "run", settings := plan("lenet", "report", 1, 0))
    runs.train(settings, tmp_path / "run", splits, CPU, QUIET)
    for text in ("{}", '{"test": 5}'):
        (tmp_path / "run/result.json").write_text(text)
        with pytest.raises(InputError, match="result.json is damaged. Delete it"):
            runs.train(settings, tmp_path / "run", splits, CPU, QUIET)
    (tmp_path / "run/result.json").unlink()
    assert runs.train(settings, tmp_path / "run", splits, CPU, QUIET) is not None


def test_a_run_is_never_started_over_another(tmp_path: Path) -> None:
    settings = plan("lenet", "report", 1, 0, "")
    prepare(tmp_path / "run", settings)
    with pytest.raises(InputError, match="already holds a run"):
        prepare(tmp_path / "run", settings)
    with pytest.raises(InputError, match="holds no run"):
        read_settings(tmp_path)


def test_imagenet_weights_that_are_none_leave_no_run_folder(tmp_path: Path) -> None:
    missing = tmp_path / "missing.pth"
    with pytest.raises(InputError, match="no such file"):
        plan("resnet18", "report", 1, 0, pretrained=str(missing))
    for wrong in (b"no weights", b"hello\n"):
        missing.write_bytes(wrong)
        settings = plan("resnet18", "report", 1, 0, pretrained=str(missing))
        with pytest.raises(InputError, match="cannot be had"):
            prepare(tmp_path / "run", settings)
        assert not (tmp_path / "run").exists()


def test_the_figures_of_a_run_are_those_of_the_weights_that_it_leaves(
    splits: Splits, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    changes = ("batch_size=16", "ema_decay=0.9")
    prepare(run, settings := plan("lenet", "best", 3, 0, changes=changes))
    facts = runs.train(settings, run, splits, CPU, QUIET)
    assert facts is not None
    rows = read_csv(run / "metrics.csv")
    assert float(rows[-1]["validation_loss"]) == pytest.approx(facts["validation"]["loss"])
    for name, part, split in (
        ("last", "test", splits[2]),
        ("last", "validation", splits[1]),
        ("best", "validation", splits[1]),
    ):
        network, card = load_model(run / f"{name}.safetensors")
        judged = from_logits(predict_logits(network, split.images), split.labels)
        assert card[part]["loss"] == pytest.approx(judged.loss, rel=1e-4), (name, part)
        assert card[part]["confusion"] == judged.confusion.tolist()


def test_a_run_stops_before_the_epoch_that_would_end_too_late(
    splits: Splits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a clock that goes ten seconds each time it is read: an epoch and its keeping take 40."""
    clock = SimpleNamespace(monotonic=itertools.count(0.0, 10.0).__next__)
    monkeypatch.setattr(runs, "time", clock)
    prepare(run := tmp_path / "run", settings := plan("lenet", "report", 9, 0))
    assert runs.train(settings, run, splits, CPU, QUIET, max_minutes=2.0) is None
    assert len(read_csv(run / "metrics.csv")) == 3


def test_seed_and_dropout_decide_where_a_run_ends(splits: Splits, tmp_path: Path) -> None:
    ends = []
    for number, (seed, dropout) in enumerate([(0, 1), (0, 1), (0, 0), (1, 1)]):
        settings = plan("lenet", "report", 1, seed, changes=(f"dropout={dropout}",))
        prepare(run := tmp_path / str(number), settings)
        runs.train(settings, run, splits, CPU, QUIET)
        ends.append(weights(run)["classifier.2.weight"])
    assert torch.equal(ends[0], ends[1])
    assert not any(torch.equal(ends[0], other) for other in ends[2:])


@pytest.mark.parametrize("name", LEFT)
def test_what_a_run_left_is_not_overwritten(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("kept")
    with pytest.raises(InputError, match="holds another run"):
        prepare(tmp_path, plan("lenet", "report", 1, 0))
    assert [path.name for path in tmp_path.iterdir()] == [name]

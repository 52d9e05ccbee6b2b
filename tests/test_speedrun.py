"""Against the clock: what a seed gives, what counts as reached, and going on after a stop."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn.utils import parameters_to_vector

from commands.speedrun import speedrun as race
from fmnist.benchmark import speedrun, training_speed
from fmnist.benchmark.training_speed import in_turn, our_trainer, plain_loop
from fmnist.choices import recipe_for
from fmnist.data import Split, load_splits
from fmnist.device import pick_device
from fmnist.recipes import RECIPES, Recipe
from fmnist.training.step import Training
from tests.command import fmnist

CPU = torch.device("cpu")
RECIPE = replace(recipe_for("best", "lenet"), epochs=6, batch_size=16, ema_decay=0.5)


def test_a_seed_decides_the_weights(tiny_split: Split) -> None:
    state, _ = speedrun.warm_up("lenet", RECIPE, tiny_split, tiny_split)
    accuracies, weights = [], []
    for seed in (0, 1, 0):
        done = speedrun.run("lenet", state, tiny_split, tiny_split, seed)
        assert done["seed"] == seed and done["seconds"] > 0
        accuracies.append(done["accuracy"])
        weights.append(parameters_to_vector(p.reshape(-1) for p in state.weights().parameters()))
    assert torch.equal(weights[0], weights[2]) and not torch.equal(weights[0], weights[1])
    assert accuracies[0] == accuracies[2] > 0.15


def test_the_mean_has_to_reach_the_target() -> None:
    runs = [{"seed": i, "seconds": 2.0 + i, "accuracy": a} for i, a in enumerate([0.94, 0.95])]
    told = speedrun.summary(runs, 0.9402, CPU)
    assert told["reached"] and told["mean_seconds"] == 2.5
    assert told["mean_accuracy"] == pytest.approx(0.945)
    exactly = [{"seed": 0, "seconds": 2.0, "accuracy": 0.9318}]
    assert speedrun.summary(exactly, 93.18 / 100, CPU)["reached"]
    assert not speedrun.summary(runs, 0.946, CPU)["reached"]
    assert speedrun.summary(runs[:1], 0.9, CPU)["sd_accuracy"] is None


def test_an_entry_has_enough_runs() -> None:
    runs = [{"seed": i, "seconds": 2.0, "accuracy": 0.95} for i in range(3)]
    assert speedrun.summary(runs, 0.94, CPU)["is_entry"]
    assert "more" not in speedrun.in_words(speedrun.summary(runs, 0.94, CPU))
    few = speedrun.summary(runs, 0.94, torch.device("cuda"))
    assert not few["is_entry"] and "an entry has 20 runs or more" in speedrun.in_words(few)


def test_a_rehearsal_never_sees_the_test_set(fashion_mnist: Path, tmp_path: Path) -> None:
    learnt, judge = speedrun.images(fashion_mnist, rehearsal=True)
    train, validation, _ = load_splits(fashion_mnist)
    assert torch.equal(learnt.images, train.images)
    assert torch.equal(judge.images, validation.images)
    learnt, judge = speedrun.images(fashion_mnist, rehearsal=False)
    assert (len(learnt), len(judge)) == (60_000, 10_000)


def test_a_rehearsal_is_no_entry() -> None:
    runs = [{"seed": i, "seconds": 2.0, "accuracy": 0.95} for i in range(3)]
    told = speedrun.summary(runs, 0.94, CPU, rehearsal=True)
    assert told["reached"] and not told["is_entry"]
    for some in (runs, runs[:1]):
        told = speedrun.summary(some, 0.94, CPU, rehearsal=True)
        assert "a rehearsal" in speedrun.in_words(told)
        assert "runs or more" not in speedrun.in_words(told)


@pytest.mark.parametrize(("told", "epochs"), [(None, RECIPES["race"].epochs), (3, 3)])
def test_a_race_is_as_long_as_its_recipe_unless_told(
    monkeypatch: pytest.MonkeyPatch,
    fashion_mnist: Path,
    tmp_path: Path,
    told: int | None,
    epochs: int,
) -> None:
    def warm_up(model: str, recipe: Recipe, *_: object) -> None:
        raise StopIteration(recipe.epochs)

    monkeypatch.setattr(speedrun, "warm_up", warm_up)
    with pytest.raises(StopIteration, match=f"^{epochs}$"):
        race(epochs=told, data_dir=fashion_mnist, run_dir=tmp_path, device="cpu")


def test_a_stopped_race_goes_on_with_the_next_seed(fashion_mnist: Path, tmp_path: Path) -> None:
    words = ["speedrun", "lenet", "--epochs", "1", "-o", "race", "--data-dir", str(fashion_mnist)]
    words += ["--set", "batch_size=2000", "--target", "10"]
    done = fmnist(*words, "--seeds", "1", folder=tmp_path)
    assert done.code == 0, done.err
    before = (tmp_path / "race/lenet-0.json").read_bytes()
    done = fmnist(*words, "--seeds", "2", "--json", "race.json", folder=tmp_path)
    assert done.code == 0, done.err
    assert (tmp_path / "race/lenet-0.json").read_bytes() == before
    told = json.loads((tmp_path / "race.json").read_text())
    assert told["n"] == 2 and told["reached"] and told["warm_up_seconds"] > 0
    assert [run["seed"] for run in told["runs"]] == [0, 1]
    other = fmnist(*words, "--set", "dropout=0.3", folder=tmp_path)
    assert other.code == 2 and "is of another entry" in other.err
    other = fmnist(*words, "--rehearse", folder=tmp_path)
    assert other.code == 2 and "is of another entry" in other.err
    other = fmnist(*words, "--set", "epochs=3", folder=tmp_path)
    assert other.code == 2 and "--epochs" in other.err


def test_passes_are_paired_and_the_first_round_warms_up() -> None:
    seconds = {"slow": [9.0, 4.0, 8.0], "fast": [9.0, 2.0, 1.0]}
    programs = {name: iter(its).__next__ for name, its in seconds.items()}
    slow, fast = in_turn(programs, 16, 2, lambda line: None)
    assert slow["ratio"]["values"] == [1, 1]
    assert fast["ratio"] == {"n": 2, "median": 5, "values": [2, 8]}
    assert fast["images_per_second"]["values"] == [8, 16]
    assert fast["seconds_of_60000"] == pytest.approx(5000)


def test_both_trainers_pass_over_the_images(
    tiny_split: Split, monkeypatch: pytest.MonkeyPatch
) -> None:
    view, train = training_speed.Listing1.__getitem__, training_speed.train_one_epoch
    seen: list[int] = []
    trained: list[Split] = []

    def viewed(self: training_speed.Listing1, index: int) -> tuple[Tensor, int]:
        seen.append(index)
        return view(self, index)

    def one_epoch(training: Training, split: Split) -> dict[str, float]:
        trained.append(split)
        return train(training, split)

    monkeypatch.setattr(training_speed.Listing1, "__getitem__", viewed)
    monkeypatch.setattr(training_speed, "train_one_epoch", one_epoch)
    monkeypatch.setattr(training_speed, "BATCHES", {"cpu": 16})
    cpu = pick_device("cpu")
    plain_loop("lenet", tiny_split, cpu)()
    our_trainer("lenet", tiny_split, cpu)()
    assert sorted(seen) == [*range(len(tiny_split))]
    assert [len(split) for split in trained] == [len(tiny_split)]


def test_the_view_of_the_plain_loop_is_listing_one(tiny_split: Split) -> None:
    image, label = training_speed.Listing1(tiny_split)[3]
    assert image.shape == (1, 28, 28) and label == 3
    assert 0 <= image.min() < 0.25 and 0.5 < image.max() <= 1

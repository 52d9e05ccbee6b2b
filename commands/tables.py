"""The tables that the commands print of classifiers: plain text from the figures of a JSON row."""

from collections.abc import Sequence
from typing import Any

from fmnist.classes import CLASSES


def counts_table(train: Sequence[int], test: Sequence[int]) -> str:
    """How many images of each class there are."""
    lines = [f"{'':12}{'train':>7}{'test':>7}"]
    rows = zip(CLASSES, train, test, strict=True)
    return "\n".join(lines + [f"{name:12}{a:7}{b:7}" for name, a, b in rows])


def models_table(rows: Sequence[dict[str, Any]]) -> str:
    """One line a network."""
    lines = [f"{'model':12}{'parameters':>12}{'MACs':>16}"]
    lines += [
        f"{row['model']:12}{row['parameters']:12,}{row['macs']:16,}  {row['about']}" for row in rows
    ]
    return "\n".join(lines)


def evaluation_table(row: dict[str, Any]) -> str:
    """The figures of `Evaluation.to_dict`, with the `weights` and the `model` they are of."""
    low, high = row["accuracy_interval_95"]
    lines = [
        f"{row['weights']} ({row['model']}): {row['n']} images, loss {row['loss']:.4f}",
        f"accuracy {row['accuracy']:.2%} (95 % interval {low:.2%} to {high:.2%})",
        f"{'':12}{'precision':>10}{'recall':>10}{'F1':>10}",
    ]
    for part in [*row["classes"], {"name": "macro mean", **row["macro"]}]:
        figures = "".join(f"{part[key]:10.4f}" for key in ("precision", "recall", "f1"))
        lines.append(f"{part['name']:12}{figures}")
    return "\n".join(lines)


def training_speed_table(whole: dict[str, Any]) -> str:
    """A line for every way of training, and for every way of answering."""
    lines = [f"{'':52}{'images/s':>10}{'60,000 in':>12}{'ratio':>8}"]
    for row in whole["rows"]:
        lines.append(
            f"{row['row']:52}{row['images_per_second']['median']:10,.0f}"
            f"{row['seconds_of_60000']:10.1f} s{row['ratio']['median']:8.2f}"
        )
    inference, answers = whole["inference"], dict(whole["answers"])
    batch = answers.pop("batch")
    rates = {
        f"answers as it is, batches of {inference['batch']}": inference["images_per_second"],
        **{f"answers, {name}, of {batch}": rate["median"] for name, rate in answers.items()},
    }
    lines += [f"{name:52}{rate:10,.0f}" for name, rate in rates.items()]
    return "\n".join(lines)


def result_line(facts: dict[str, Any]) -> str:
    """The one line that ends a run."""
    test = facts["test"]
    low, high = test["accuracy_interval_95"]
    return (
        f"test accuracy {test['accuracy']:.4f} (95 % interval {low:.4f} to {high:.4f}, "
        f"n = {test['n']}), loss {test['loss']:.4f}, macro F1 {test['macro']['f1']:.4f}"
    )

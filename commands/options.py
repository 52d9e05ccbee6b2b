"""What the commands share: options in the user's words, weights by name, JSON to a file."""

import json
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import typer

from commands.console import to_stderr
from detector.backends.names import BACKENDS, installed
from detector.defaults import GRID_FILE
from detector.layouts import CELLS, LARGEST, grid_card, is_ultralytics_file
from fmnist.cards import classifier_card, write_json
from fmnist.checks import device_name, known
from fmnist.errors import InputError
from fmnist.provenance import commit, origin
from fmnist.training.run_folder import LAST
from fmnist.training.settings import LARGEST_SEED
from weights import WEIGHTS

DataDir = Annotated[Path | None, typer.Option(help="Folder of the four Fashion-MNIST files.")]
Backend = Annotated[
    str,
    typer.Option(callback=installed, help=f"What runs the networks: auto, {', '.join(BACKENDS)}."),
]
Compile = Annotated[
    str,
    typer.Option(
        "--compile",
        callback=lambda choice: known(choice, ("auto", "on", "off"), "choice"),
        help="auto, on or off: torch.compile, which makes a GPU faster after a wait.",
    ),
]
Confidence = Annotated[
    float, typer.Option(min=0, max=1, help="Boxes less sure than this are left out.")
]
LabelConfidence = Annotated[
    float, typer.Option(min=0, max=1, help="Less likely labels are unknown.")
]
Device = Annotated[str, typer.Option(callback=device_name, help="auto, cpu, cuda or cuda:N.")]
GridWeights = Annotated[
    str, typer.Option(metavar="WEIGHTS", help="Grid: a shipped name, a file, or a run.")
]
HeadWeights = Annotated[
    str, typer.Option(metavar="WEIGHTS", help="Head: a shipped name, a file, or a run.")
]
ImageSize = Annotated[
    int | None,
    typer.Option(
        min=CELLS,
        max=LARGEST,
        help="For the grid, longest side of an upright frame; up to 1.5 times of a wide one.",
    ),
]


RUN_WEIGHTS = (LAST, GRID_FILE.name)  # what a classifier's run leaves, and a grid's


def _noted(target: str) -> str:
    """The commit is asked for now: measuring may take hours."""
    if target:
        commit()
    return target


Json = Annotated[
    str,
    typer.Option("--json", metavar="FILE", callback=_noted, help="Write JSON; - is stdout."),
]
Minutes = Annotated[
    float | None, typer.Option(min=0, help="Stop after about so many; it can go on later.")
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace files that exist.")]
Photos = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="DIR",
        help="Known garments, as the README lays them out; repeatable.",
    ),
]
Backgrounds = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Photos in which nobody wears anything.")
]
Pretrained = Annotated[
    str, typer.Option(metavar="FILE", help="ImageNet weights; or torchvision: fetch them.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, errors only.")]
Seed = Annotated[int, typer.Option(min=0, max=LARGEST_SEED, help="Seed of everything random.")]
Weights = Annotated[str, typer.Argument(help="A shipped name, a .safetensors file, or a run.")]


def say(line: str) -> None:
    to_stderr(line)


def written(paths: Sequence[Path]) -> str:
    """What a run leaves, for its last line."""
    return f"written: {', '.join(map(str, paths)) or 'nothing'}"


def classes_of(names: str) -> tuple[str, ...]:
    """Those named with commas between, in any case of letters. InputError where one is no class."""
    from fmnist.classes import CLASSES

    spelt = {name.lower(): name for name in CLASSES}
    return tuple(known(spelt.get(name.lower(), name), CLASSES, "class") for name in listed(names))


def listed(names: str) -> list[str]:
    """Names with commas between, one by one; spaces around them and empty ones are nothing."""
    return [name for part in names.split(",") if (name := part.strip())]


def quiet_or_say(quiet: bool) -> Callable[[str], None]:
    return (lambda line: None) if quiet else say


def said(context: typer.Context, name: str) -> bool:
    """Whether the user gave that option."""
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def weights_file(name: str) -> Path:
    """The file of shipped weights, the .safetensors file or the run that the user names."""
    if not name:  # which is also the folder that we are in
        raise InputError("Weights have an empty name. Name shipped ones, a file or a run.")
    if (path := Path(name)).suffix == ".safetensors":
        if not path.is_file():
            raise InputError(
                f"{path}: no such file. Train one with fmnist train, "
                "a grid with fmnist detector train."
            )
        return path
    shipped = sorted(file.stem for file in WEIGHTS.glob("*.safetensors"))
    left = [path / file for file in RUN_WEIGHTS if (path / file).is_file()]
    if left and name not in shipped:
        return left[0]
    if left:
        _tell_of_a_run_called(name)
    if path.is_dir() and name not in shipped:
        raise InputError(
            f"{path} holds no weights yet, if it is a run. Go on with --resume, or name others."
        )
    if path.is_file():
        raise InputError(f"{path} is no .safetensors file. Name one, a run or shipped weights.")
    return WEIGHTS / f"{known(name, shipped, 'shipped weights or .safetensors file')}.safetensors"


@cache  # of each name once
def _tell_of_a_run_called(name: str) -> None:
    say(f"{name} are the weights that ship; the run here is ./{name}")


def grid_start(name: str) -> Path:
    """The same for what the training of a grid starts from, a .pt file of ultralytics too."""
    if not is_ultralytics_file(path := Path(name)):
        return weights_file(name)
    if not path.is_file():
        raise InputError(
            f"{path}: no such file. Give ultralytics' yolo11n.pt, or leave --init out."
        )
    return path


def classifier_file(name: str) -> Path:
    """The same for a classifier, whose card is looked at: torch is not needed for that."""
    path = weights_file(name)
    classifier_card(path)
    return path


def grid_file(name: str) -> Path:
    """The same for a grid."""
    path = weights_file(name)
    grid_card(path)
    return path


def put(text: str, facts: Any, target: str) -> None:
    """Print the text, and write facts, with the command and commit they come from, or a list.

    To "-", which is stdout, the facts go in place of the text. To a file they go first: whoever
    reads the text may have enough of it (BrokenPipeError).
    """
    put_json(facts, target)
    if target != "-":
        print(text)


def put_json(facts: Any, target: str) -> None:
    """Write facts, with the command and commit they come from, or a list; "-" is stdout."""
    if target and isinstance(facts, dict):
        facts = {**origin(), **facts}
    if target == "-":
        print(json.dumps(facts, indent=2))
    elif target:
        write_json(Path(target), facts)
        say(f"written: {target}")

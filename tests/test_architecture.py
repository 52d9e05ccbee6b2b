"""The plan of the house: who may import whom, what importing costs, how long a file may be."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SHIPPED = [
    path.relative_to(ROOT)
    for path in [
        ROOT / "cli.py",
        *(
            p
            for d in ("commands", "fmnist", "detector", "weights")
            for p in sorted((ROOT / d).rglob("*.py"))
        ),
    ]
]
TESTS = [path.relative_to(ROOT) for path in sorted((ROOT / "tests").glob("*.py"))]
LONGEST_SOURCE, LONGEST_TEST = 260, 400
HEAVY = {"torch", "torchvision", "cv2", "av", "ultralytics", "matplotlib", "numpy", "rich"}

# A room, what it may never import, and why.
FORBIDDEN = [
    (
        "fmnist",
        {"detector", "cli", "commands", "weights"},
        "the classifiers know nothing of who uses them",
    ),
    (
        "fmnist",
        {"ultralytics", "typer", "av"},
        "the classifiers know nothing of detection or video",
    ),
    ("detector", {"cli", "commands", "typer"}, "the detector is a library, not a command"),
    ("weights", {"cli", "commands", "fmnist", "detector"}, "the weights are data"),
]
# A library's module and the only file that may import it.
ALONE = [
    ("ultralytics.nn", "detector/network.py"),
    ("ultralytics.utils", "detector/network.py"),
    ("ultralytics.trackers", "detector/tracking/association.py"),
    ("ultralytics", "detector/ultralytics_weights.py"),
    ("av", "detector/video/container.py"),
]


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, anywhere in it, by its full name."""
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            yield node.module or ""


def packages(path: Path) -> set[str]:
    return {name.partition(".")[0] for name in imports(path)}


@pytest.mark.parametrize(("room", "forbidden", "reason"), FORBIDDEN)
def test_imports_point_one_way(room: str, forbidden: set[str], reason: str) -> None:
    for path in SHIPPED:
        if path.parts[0] == room:
            assert not packages(path) & forbidden, f"{path}: {reason}"


@pytest.mark.parametrize("library", ["ultralytics", "av"])
def test_a_library_that_may_change_is_behind_few_files(library: str) -> None:
    uses = {(name, path.as_posix()) for path in SHIPPED for name in imports(path)}
    uses = {(name, path) for name, path in uses if name.partition(".")[0] == library}
    known = {
        (name, path)
        for name, path in uses
        for module, home in ALONE
        if path == home and f"{name}.".startswith(f"{module}.")
    }
    assert uses and uses == known


def module_of(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def circle_in(arrows: dict[str, set[str]]) -> list[str]:
    """Names that point at each other in a circle, or at one that does."""
    while leaves := {name for name, targets in arrows.items() if not targets & arrows.keys()}:
        arrows = {name: targets for name, targets in arrows.items() if name not in leaves}
    return sorted(arrows)


def test_no_import_cycles() -> None:
    names = {module_of(path): path for path in SHIPPED}
    arrows = {name: {to for to in imports(path) if to in names} for name, path in names.items()}
    assert not circle_in(arrows), "these import each other in a circle"


def test_folders_point_one_way() -> None:
    rooms = {path.parent for path in SHIPPED if len(path.parts) == 3}
    arrows: dict[str, set[str]] = {str(room): set() for room in rooms}
    for path in SHIPPED:
        if path.parent in rooms:
            targets = {"/".join(name.split(".")[:2]) for name in imports(path)}
            arrows[str(path.parent)] |= targets & arrows.keys() - {str(path.parent)}
    assert any(arrows.values()) and not circle_in(arrows), "these import each other in a circle"


@pytest.mark.parametrize("module", ["cli", "fmnist.models", "fmnist.training.settings", "weights"])
def test_importing_it_loads_nothing_heavy(module: str) -> None:
    code = f"import sys, {module}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert not HEAVY & set(done.stdout.split())


@pytest.mark.parametrize("path", SHIPPED + TESTS, ids=str)
def test_a_file_says_what_it_is_for_and_is_not_long(path: Path) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(text)), f"{path}: the first line says what the file is for"
    longest = LONGEST_TEST if path in TESTS else LONGEST_SOURCE
    assert len(text.splitlines()) <= longest, f"{path}: two ideas in one file"


def tree_of(text: str) -> list[Path]:
    """What the README's file tree shows, as paths: what its lines begin with, and Python files
    that they tell of, which lie beside that or in it.
    """
    found = re.search(r"^```\n(cli\.py.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert found, "the README has no file tree: a fenced block that starts with cli.py"
    paths: list[Path] = []
    room = Path()
    for line in found[1].splitlines():
        names = re.split(r"\s{2,}", line.strip())[0].split(", ")
        room = room if line.startswith(" ") else Path(names[0])
        paths += [room / name if line.startswith(" ") else Path(name) for name in names]
        beside = paths[-1] if paths[-1].suffix != ".py" else paths[-1].parent
        told = line.partition(names[-1])[2]
        paths += [beside / name for name in re.findall(r"[\w/]+\.py\b", told)]
    return paths


def test_the_readme_shows_every_folder_and_nothing_that_is_not_there() -> None:
    shown = tree_of((ROOT / "README.md").read_text(encoding="utf-8"))
    assert not [path for path in shown if not (ROOT / path).exists()]
    folders = {path.parent for path in SHIPPED if len(path.parts) == 3}
    assert folders and not folders - set(shown), "not in the README's file tree"

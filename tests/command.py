"""Runs the real command in a process of its own, and notes what it loaded."""

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parent.parent
# The command, then a note of every module that it loaded.
CODE = """
import sys, cli
code = cli.run(sys.argv[2:])
open(sys.argv[1], "w").write(" ".join(sys.modules))
sys.exit(code)
"""


@dataclass(frozen=True)
class Outcome:
    """What one run of the command came to."""

    code: int
    out: str
    err: str
    modules: frozenset[str] = field(repr=False)


def fmnist(
    *arguments: str, folder: Path, environment: dict[str, str] | None = None, code: str = CODE
) -> Outcome:
    """Run the command in a folder, without a display and without the user's own data set."""
    kept = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
    kept |= {"PYTHONPATH": str(ROOT), "FMNIST_DATA": str(folder / "no-data")}
    note = folder.with_name(folder.name + "-modules")
    note.unlink(missing_ok=True)
    done = subprocess.run(
        [sys.executable, "-c", code, str(note), *arguments],
        cwd=folder,
        env=kept | (environment or {}),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
    )
    modules = frozenset(note.read_text().split()) if note.exists() else frozenset()
    return Outcome(done.returncode, done.stdout, done.stderr, modules)

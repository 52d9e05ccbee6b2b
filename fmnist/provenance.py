"""Where weights come from: the facts that every card carries beside its own."""

import functools
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from fmnist.cards import Facts
from fmnist.classes import CLASSES

if TYPE_CHECKING:
    import torch

MADE_OF = (":/*.py", ":/*.yaml", ":/weights")  # what decides the result of a training


def provenance(device: "torch.device") -> Facts:
    """Classes, command, commit of the code, and the machine of a training on `device`."""
    from fmnist.device import describe

    return {"classes": list(CLASSES), **origin(), "machine": describe(device)}


def origin() -> Facts:
    """Command, and commit of the code: where figures come from."""
    return {"command": command_line(), "commit": commit()}


def travelling(name: str) -> str:
    """A file as a card names it: of an absolute path the last three parts, RUN/seed-0/FILE."""
    path = Path(name)
    return "/".join(path.parts[1:][-3:]) if path.is_absolute() else name


def command_line() -> str:
    """The command as the user typed it; of an absolute path its last part: cards travel."""
    words = [_last_part(word) for word in sys.argv]
    return " ".join(["fmnist" if words[0] == "cli.py" else words[0], *words[1:]])


def _last_part(word: str) -> str:
    option, equals, value = word.partition("=") if word.startswith("-") else ("", "", word)
    return f"{option}{equals}{Path(value).name if Path(value).is_absolute() else value}"


@functools.cache
def commit() -> str:
    """The commit of code and weights, with "+" where they have uncommitted changes.

    As it was when first asked: a training may take hours. "" outside a checkout.
    """

    def git(*arguments: str) -> str:
        here = Path(__file__).parent
        done = subprocess.run(["git", *arguments], cwd=here, capture_output=True, text=True)
        return done.stdout.strip() if done.returncode == 0 else ""

    try:
        if not git("ls-files", Path(__file__).name):
            return ""  # installed somewhere below another project's checkout
        revision = git("rev-parse", "--short", "HEAD")
        return revision + ("+" if git("status", "--porcelain", "--", *MADE_OF) else "")
    except OSError:
        return ""

"""Exports on a full disk: torch's own writer would end the process, OpenVINO's tells no why."""

from pathlib import Path

import pytest

from detector.backends.names import FORMATS, installed
from fmnist.errors import InputError
from tests.command import fmnist

# Files may have two megabytes, as on a disk with no more room; Python ignores the signal of it.
CODE = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (2 << 20,) * 2)
import cli
sys.exit(cli.run(sys.argv[2:]))
"""


def here() -> list[str]:
    found = []
    for name in FORMATS:
        try:
            found.append(installed(name))
        except InputError:
            continue
    return found


@pytest.mark.parametrize("backend", here())
def test_it_is_told_and_nothing_is_left(tmp_path: Path, backend: str) -> None:
    done = fmnist("export", "head", "--format", backend, folder=tmp_path, code=CODE)
    assert done.code == 2, done.err
    assert done.err.startswith("fmnist: vgg-worn.") and "Choose another place." in done.err
    assert list(tmp_path.iterdir()) == []

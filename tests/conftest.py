"""What the tests share: where the real data set is, small separable data, settled libraries."""

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

# isort: off
# In this order: av before cv2 hangs OpenCV's windows, ultralytics before torch pins its threads.
import torch
import cv2  # noqa: F401
import av  # noqa: F401

# isort: on
import pytest

if TYPE_CHECKING:
    from fmnist.data import Split, Splits
    from fmnist.errors import InputError

torch.set_num_threads(1)  # small tensors: a second thread only waits for the first


@pytest.fixture(scope="session")
def found_data() -> "Path | InputError":
    """The folder of the real data set, downloaded or packaged; or why there is none."""
    from fmnist.errors import InputError
    from fmnist.files import find

    try:
        return find(None)
    except InputError as error:
        return error


@pytest.fixture(scope="session", autouse=True)
def own_cache(found_data: object, tmp_path_factory: pytest.TempPathFactory) -> None:
    """What the tests remember for the next time is not remembered for the user.

    Nor is what they serve asked for through his proxy.
    """
    os.environ["XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("cache"))
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"


@pytest.fixture(scope="session")
def fashion_mnist(found_data: "Path | InputError") -> Path:
    """The folder of the real data set; FMNIST_REQUIRE_DATA makes its absence a failure."""
    if isinstance(found_data, Path):
        os.environ["FMNIST_DATA"] = str(found_data)  # the commands', too, whose cache is empty
        return found_data
    if os.environ.get("FMNIST_REQUIRE_DATA"):
        pytest.fail(str(found_data), pytrace=False)
    pytest.skip("Fashion-MNIST was not found: apt install dataset-fashion-mnist")


@pytest.fixture(scope="session")
def tiny_split() -> "Split":
    """64 noisy images, every class a bright block at a place of its own; two seconds learn it."""
    from fmnist.data import Split

    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(64) % 10
    images = torch.randint(0, 60, (64, 28, 28), generator=generator, dtype=torch.uint8)
    for image, label in zip(images, labels.tolist(), strict=True):
        row, column = divmod(label, 5)
        image[4 + 11 * row :, 1 + 5 * column :][:9, :5] += 180
    return Split(images, labels)


@pytest.fixture(scope="session")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a grid and a head that have not learnt anything."""
    from detector.layouts import MODEL
    from detector.network import build
    from fmnist.checkpoint import save_checkpoint
    from fmnist.classes import CLASSES
    from fmnist.models import build as build_classifier

    folder = tmp_path_factory.mktemp("untrained")
    grid, head = build().state_dict(), build_classifier("lenet").state_dict()
    save_checkpoint(folder / "grid.safetensors", grid, {"model": MODEL, "image_size": 128})
    facts = {"model": "lenet", "classes": list(CLASSES)}
    save_checkpoint(folder / "head.safetensors", head, facts)
    return folder


@pytest.fixture
def small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four small files of known MD5 in the place of the real ones."""
    from fmnist import files
    from tests.data_files import CONTENT

    sums = {name: hashlib.md5(content).hexdigest() for name, content in CONTENT.items()}
    for name, md5 in sums.items():
        monkeypatch.setitem(files.FILES, name, md5)


@pytest.fixture
def no_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The tests see neither the settings nor the data sets of the machine that runs them."""
    from fmnist import files

    monkeypatch.delenv("FMNIST_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(files, "DEBIAN_FOLDER", tmp_path / "debian")


@pytest.fixture
def splits(tiny_split: "Split") -> "Splits":
    """Training, validation and test of it."""
    from fmnist.data import Splits, hold_out

    return Splits(*hold_out(tiny_split, 20), tiny_split)

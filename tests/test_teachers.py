"""What teachers say is remembered, and costs no more memory than itself."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from fmnist.data import Splits
from fmnist.training import runs
from fmnist.training.settings import plan, prepare
from fmnist.training.teachers import Teachers

# In a process of its own, which has nothing else in its memory.
LEARN = """
import sys
from pathlib import Path
import torch
from fmnist.checkpoint import load_model
from fmnist.choices import recipe_for
from fmnist.data import load_splits
from fmnist.models import build
from fmnist.training.epoch import train_one_epoch
from fmnist.training.step import start

torch.set_num_threads(1)
split = load_splits(Path(sys.argv[1])).training.select(slice(128 * 80))
teacher, _ = load_model(Path("weights/vgg.safetensors"))
training = start(build("lenet"), recipe_for("distill", "lenet"), 9, 0, [teacher])
pages = []
train_one_epoch(
    training, split, lambda *_: pages.append(int(open("/proc/self/statm").read().split()[1]))
)
# By the 20th step every tensor has found its place; before, some are mapped once more.
print((pages[-1] - pages[29]) * 4096 / 1e6)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells of the memory")
def test_answers_leave_the_memory_between_the_large_tensors_whole(fashion_mnist: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LEARN, str(fashion_mnist)],
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    assert float(done.stdout) < 20, "MB more in 50 steps; with a tensor a step 45 and more"


def test_what_was_said_is_said_again_until_it_is_forgotten() -> None:
    asked: list[int] = []

    class Teacher(torch.nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            asked.append(len(images))
            return images.mean((1, 2, 3))[:, None] * torch.arange(10.0)

    teachers, images = Teachers([Teacher()], 1.0, views=2), torch.rand(7, 1, 28, 28)
    batches = list(zip((0, 3, 6), images.split(3), strict=True))
    said = [[teachers(epoch, first, 7, part) for first, part in batches] for epoch in range(4)]
    assert asked == [3, 3, 1] * 2
    for one, again in zip(said[:2], said[2:], strict=True):
        assert all(map(torch.equal, one, again))
    teachers.forget()
    teachers(0, 0, 7, images[:3])
    assert len(asked) == 7


def test_a_teacher_is_asked_no_more_at_once_than_it_has_memory_for() -> None:
    asked: list[int] = []

    class Large(torch.nn.Module):
        answers_at_once = 100

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            asked.append(len(images))
            return images.mean((1, 2, 3))[:, None] * torch.arange(10.0)

    images = torch.rand(230, 1, 28, 28)
    said = Teachers([Large()], 1.0, views=0)(0, 0, 230, images)
    assert asked == [100, 100, 30]
    torch.testing.assert_close(said, Large()(images).softmax(1))


def test_weights_that_the_settings_name_have_to_come(tmp_path: Path, splits: Splits) -> None:
    taught = plan("lenet", "distill", 1, 0, teachers=["vgg"])
    begun = plan("lenet", "report", 1, 0, init="lenet-plain")
    for number, settings in enumerate((taught, begun)):
        prepare(run := tmp_path / str(number), settings)
        with pytest.raises(ValueError, match="teachers are named|settings.init is"):
            runs.train(settings, run, splits, torch.device("cpu"))

"""Two processes under torchrun train what one trains with the same batches."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from fmnist.cards import read_csv, read_json
from fmnist.checkpoint import read_weights
from fmnist.data import Split, Splits
from fmnist.errors import InputError
from fmnist.training import parallel
from fmnist.training.runs import Watch, train
from fmnist.training.settings import plan, prepare
from tests.command import ROOT

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}

# What a process does, alone or under torchrun. Dropout is off: each process draws its own. In fp32
# where bf16 would be faster, too: its rounding is coarser than what is looked for.
RUN = """
import sys
from pathlib import Path
import torch
from fmnist import device
from fmnist.training import parallel
from fmnist.data import Split, Splits, hold_out
from fmnist.training.runs import Watch, train
from fmnist.training.settings import plan, prepare

device.has_bf16 = lambda _: False
torch.set_num_threads(1)
run, changes = Path(sys.argv[1]), ["dropout=0", "batch_size=16", *sys.argv[2:]]
images = torch.randint(0, 256, (96, 28, 28), generator=torch.Generator().manual_seed(1))
split = Split(images.to(torch.uint8), torch.arange(96) % 10)
settings = plan("lenet", "best", 2, 3, changes=changes)
with parallel.group(torch.device("cpu")) as where:
    if parallel.rank() == 0:
        prepare(run, settings)
    watch = Watch()
    data = Splits(*hold_out(split, 20), split)
    train(settings, run, data, where, watch)
"""


def launched(
    script: Path, code: str, processes: int, *arguments: str
) -> "subprocess.CompletedProcess[str]":
    """What became of that program in so many processes."""
    script.write_text(code)
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    return subprocess.run(
        [sys.executable, *(launch if processes > 1 else []), str(script), *arguments],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=300,
    )


def finished(run: Path, processes: int, *changes: str) -> dict[str, torch.Tensor]:
    """Train in so many processes; the last weights."""
    done = launched(run.with_suffix(".py"), RUN, processes, str(run), *changes)
    assert done.returncode == 0, done.stderr
    return read_weights(run / "last.safetensors")


def test_two_processes_end_where_one_does(tmp_path: Path) -> None:
    changes = "cutmix=0.5", "erasing=0.5"
    alone = finished(tmp_path / "alone", 1, *changes)
    both = finished(tmp_path / "both", 2, *changes)
    for name, value in alone.items():
        torch.testing.assert_close(both[name], value, atol=2e-5, rtol=2e-4, msg=name)
    rows = zip(
        *(read_csv(tmp_path / name / "metrics.csv") for name in ("alone", "both")), strict=True
    )
    for one, two in rows:
        assert float(two["train_loss"]) == pytest.approx(float(one["train_loss"]), rel=1e-3)
    assert (tmp_path / "both/result.json").exists()


def test_the_line_that_a_stopped_run_tells_goes_on(fashion_mnist: Path, tmp_path: Path) -> None:
    """Two processes of the real command, each as torchrun starts it."""
    start = "train lenet --recipe report --epochs 2 --stop-after 1 -o run --device cpu"
    stopped = torchrun(f"--standalone --nproc-per-node 2 -m cli {start}", tmp_path, fashion_mnist)
    assert stopped.returncode == 0, stopped.stderr
    assert not (tmp_path / "run/result.json").exists()
    (told,) = re.findall("go on with: torchrun (.*)", stopped.stderr)  # by one of the two
    assert told == "--nproc-per-node 2 -m cli train --resume run --device cpu"
    done = torchrun(told, tmp_path, fashion_mnist)
    assert done.returncode == 0, done.stderr
    assert [row["epoch"] for row in read_csv(tmp_path / "run/metrics.csv")] == ["1", "2"]
    assert 0.7 < read_json(tmp_path / "run/result.json")["test"]["accuracy"] < 0.95


def torchrun(line: str, folder: Path, data: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", *line.split()],
        cwd=folder,
        env={**ENVIRONMENT, "FMNIST_DATA": str(data)},
        capture_output=True,
        text=True,
        timeout=300,
    )


TURNS = """
import sys, time
from pathlib import Path
import torch
from fmnist.training import parallel
from fmnist.errors import InputError

def made():
    file = Path(sys.argv[1])
    if file.suffix == ".no":
        raise InputError("nothing to make")
    found = file.exists()
    if not found:
        time.sleep(1)
        file.write_text("made")
    return found

with parallel.group(torch.device("cpu")):
    try:
        found = parallel.rank_zero_first(made)
    except InputError as error:
        Path(f"{sys.argv[1]}.{parallel.rank()}").write_text(str(error))
        found = parallel.rank() > 0
    assert found == (parallel.rank() > 0), (found, parallel.rank())
"""


def test_what_the_first_process_makes_the_others_find(tmp_path: Path) -> None:
    done = launched(tmp_path / "turns.py", TURNS, 2, str(tmp_path / "made"))
    assert done.returncode == 0, done.stderr


def test_what_the_first_process_cannot_make_no_other_waits_for(tmp_path: Path) -> None:
    done = launched(tmp_path / "turns.py", TURNS, 2, str(tmp_path / "made.no"))
    assert done.returncode == 0, done.stderr
    for rank in range(2):
        assert (tmp_path / f"made.no.{rank}").read_text() == "nothing to make"


@pytest.mark.parametrize(("processes", "kind"), [("2", "cpu"), ("2", "cuda"), ("two", "cpu")])
def test_half_of_what_torchrun_sets_is_told(
    monkeypatch: pytest.MonkeyPatch, processes: str, kind: str
) -> None:
    monkeypatch.setenv("WORLD_SIZE", processes)
    for name in ("MASTER_ADDR", "RANK", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    device = torch.device(kind)
    with pytest.raises(InputError, match="Start with torchrun"), parallel.group(device):
        pass


def test_without_torchrun_nothing_is_shared() -> None:
    batch = torch.arange(6)
    assert parallel.world_size() == 1
    assert torch.equal(parallel.shard(batch), batch)
    assert parallel.broadcast("mine") == "mine"
    done: list[int] = []
    parallel.rank_zero_first(lambda: done.append(1))
    assert done == [1]


def test_a_batch_that_cannot_be_shared_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tiny_split: Split
) -> None:
    monkeypatch.setattr(parallel, "world_size", lambda: 3)
    prepare(tmp_path / "run", settings := plan("lenet", "report", 1, 0))
    watch = Watch()
    with pytest.raises(InputError, match="128 cannot be shared evenly by 3 processes"):
        train(settings, tmp_path / "run", Splits(*[tiny_split] * 3), torch.device("cpu"), watch)

"""Files that stand under their name only when they are whole, on a disk that may fill up."""

import errno
import io
from pathlib import Path
from typing import Any

from fmnist.atomic import part_of, take_name
from fmnist.errors import InputError

# Set aside while a video is written: a full disk must still take its index, 20 bytes a frame.
RESERVE_BYTES = 4 << 20
DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class SpareDisk(io.FileIO):
    """A file that grows beside its target, with spare space to finish it on a full disk.

    FFmpeg drops everything after the first failed write, so it may never see one.
    """

    def __init__(self, target: Path) -> None:
        if target.exists() and not target.is_file():
            raise InputError(f"{target} is no file, and a video goes into one. Name another.")
        self.is_full = False
        self._target = target
        self._part = part_of(target)
        self._spare = self._part.with_suffix(".spare")
        # FFmpeg opens it once more by its name, and takes what is before a colon for a protocol.
        super().__init__(self._part.absolute(), "w+b")
        try:
            self._spare.write_bytes(bytes(RESERVE_BYTES))
        except OSError as error:
            self.settle(keep=False)
            raise disk_full(target, kept=False) if error.errno in DISK_FULL else error from None

    def write(self, data: Any) -> int:
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[super().write(rest) :]
            except OSError as error:
                if self.is_full or error.errno not in DISK_FULL:
                    raise
                self.is_full = True
                self._spare.unlink()
        return len(data)

    def settle(self, keep: bool) -> None:
        """Give the finished file its name, or take every trace away."""
        self.close()
        self._spare.unlink(missing_ok=True)
        if keep:
            take_name(self._part, self._target)
        else:
            self._part.unlink(missing_ok=True)


def disk_full(path: Path, kept: bool) -> InputError:
    """The error for a disk that filled up while `path` was written; `kept`: what fitted is."""
    told = "What fitted is there" if kept else "Nothing was kept"
    return InputError(f"{path}: the disk is full. {told}; free space, then run it again.")

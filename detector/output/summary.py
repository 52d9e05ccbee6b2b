"""What a run of `fmnist detect` came to."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Summary:
    """What a run came to; `str()` is a line for the user."""

    frames_read: int
    frames_detected: int
    frames_damaged: int
    boxes: int
    seconds: float
    written: tuple[Path, ...]
    failed: tuple[str, ...] = ()  # why sources gave nothing

    def __str__(self) -> str:
        rate = self.frames_read / max(self.seconds, 1e-9)
        line = f"{self.frames_read} frames, {self.boxes} boxes, {self.seconds:.1f} s"
        return "; ".join(filter(None, (f"{line} ({rate:.1f} frames/s)", self.damage)))

    @property
    def damage(self) -> str:
        """How many frames could not be decoded, in words; empty if all could."""
        count, total = self.frames_damaged, self.frames_read + self.frames_damaged
        frames = "frame" if count == 1 else "frames"
        return f"{count} damaged {frames} skipped (of {total})" if count else ""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C, after every file was finished; `summary` tells what there is."""

    def __init__(self, summary: Summary) -> None:
        super().__init__(str(summary))
        self.summary = summary

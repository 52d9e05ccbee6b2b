"""One run of the command: its exit code, and what the user reads when it cannot go on."""

import errno
import os
import sys
import traceback
from collections.abc import Callable
from typing import TextIO

from fmnist.errors import CheckFailed, InputError

BAD_PLACE = {
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EIO,
    errno.ELOOP,
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.EEXIST,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.ENAMETOOLONG,
}
INTERRUPTED = 130  # 128 and the number of SIGINT, as shells tell it
# What torch and OpenCV say of it, as errors without a type of their own.
NO_MEMORY = ("DefaultCPUAllocator: can't allocate", "Insufficient memory", "Failed to allocate")


def run(command: Callable[[], None], debug: bool = False) -> int:
    """Run the command; 0 done, 1 our bug, 2 bad input or environment, 3 a check failed, 130 Ctrl-C.

    What went wrong is told on stderr in a line or two; the traceback only when `debug`.
    """
    try:
        command()
        sys.stdout.flush()
    except KeyboardInterrupt:
        return _say("interrupted", INTERRUPTED)
    except BrokenPipeError:  # whoever read stdout has enough
        return 0
    except Exception as error:
        if debug:
            traceback.print_exc()
        return _say(*_explain(error))
    finally:
        _settle_stdout()
    return 0


def to_stderr(text: str, end: str = "\n") -> None:
    """Tell the user; where nobody reads that any more, the work goes on in silence."""
    try:
        print(text, end=end, file=sys.stderr, flush=True)
    except OSError:
        _silence(sys.stderr)


def _say(message: str, code: int) -> int:
    to_stderr(f"fmnist: {message}")
    return code


def _explain(error: Exception) -> tuple[str, int]:
    if isinstance(error, InputError):
        return str(error), 2
    if isinstance(error, CheckFailed):
        return str(error), 3
    if isinstance(error, ImportError) and "libG" in str(error):
        return "OpenCV needs libGL: apt install libgl1 libglib2.0-0", 2
    if isinstance(error, OSError) and error.errno in BAD_PLACE:
        return f"{error.filename or 'output'}: {error.strerror}. Choose another place.", 2
    if type(error).__name__ == "OutOfMemoryError":  # torch's, which is perhaps not loaded
        return (
            "The GPU has too little memory. Choose --device cpu, or, where you train a classifier, "
            "smaller batches (--set batch_size=64)."
        ), 2
    if isinstance(error, MemoryError) or any(sign in str(error) for sign in NO_MEMORY):
        return (
            "There is too little memory. Choose a smaller --image-size, or, where you train a "
            "classifier, smaller batches (--set batch_size=64)."
        ), 2
    what = f"{type(error).__name__}: {error}".splitlines()[0]
    return f"internal error: {what}; run with --debug for the traceback", 1


def _settle_stdout() -> None:
    """Python flushes stdout at exit; what cannot be written must not fail a second time."""
    try:
        sys.stdout.flush()
    except OSError:
        _silence(sys.stdout)


def _silence(stream: TextIO) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())

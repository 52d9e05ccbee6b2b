"""What `fmnist detect` will read and write, settled before anything slow begins."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from detector.pictures import can_write_image
from detector.video.frames import Reader
from detector.video.sources import MARK, find_sources, is_image
from fmnist.checks import LONGEST_NAME, free, named_mp4
from fmnist.errors import InputError

STDOUT = Path("-")


@dataclass(frozen=True)
class Plan:
    """Files in, files out.

    `outputs` has the drawn video or image of every source, or None where none is wanted; `json`
    may be `STDOUT`; `sheet` is the contact sheet. `failed` tells what is wrong with files that
    were left out.
    """

    sources: tuple[Path, ...]
    outputs: tuple[Path | None, ...]
    json: Path | None = None
    sheet: Path | None = None
    failed: tuple[str, ...] = ()


def plan_outputs(
    sources: Sequence[str],
    output: Path | None = None,
    json: str = "",
    sheet: Path | None = None,
    no_video: bool = False,
    overwrite: bool = False,
) -> Plan:
    """Settle and check the inputs and outputs; nothing is written.

    Without `output` results go to the current directory: clip.mov gives clip.fmnist.mp4,
    photo.jpg gives photo.fmnist.jpg. `output` is the file for a single source, and a folder,
    made if need be, for several or when it has no suffix. InputError if a source cannot be read
    (of a folder or a glob: none of them), an output exists, is a source, or cannot be written.
    """
    if no_video and output:
        raise InputError(f"Nothing is written to {output} with --no-video. Leave one of them out.")
    if output == STDOUT:
        raise InputError("Pictures do not go to stdout. Name a file or a folder with -o.")
    failed: list[str] = []
    paths = tuple(dict.fromkeys(find_sources(sources, failed, check=Reader)))
    is_single = len(paths) + len(failed) == 1
    outputs = (None,) * len(paths) if no_video else _outputs(paths, output, is_single)
    json_path = Path(json) if json else None
    targets = [path for path in (*outputs, json_path, sheet) if path and path != STDOUT]
    if sheet and not can_write_image(sheet):
        raise InputError(f"{sheet}: a contact sheet is a picture. Name it {sheet.stem}.png.")
    _check_distinct(paths, targets)
    for target in targets:
        # A folder that is to be made has nothing in it yet; whether it can be made counts.
        is_in_new_folder = target.parent == output and not target.parent.exists()
        free(target.parent if is_in_new_folder else target, overwrite)
    return Plan(paths, outputs, json_path, sheet, tuple(failed))


def _outputs(paths: Sequence[Path], output: Path | None, is_single: bool) -> tuple[Path, ...]:
    is_folder = output is not None and (output.is_dir() or not output.suffix)
    if output is None or is_folder or not is_single:
        folder = output or Path()
        if folder.exists() and not folder.is_dir():
            raise InputError(f"{folder} is a file, where results need a folder. Choose another.")
        if not is_folder and output and _names_a_file(output):
            raise InputError(f"{output} is one file for several sources. Name a folder.")
        return tuple(folder / name for name in _names(paths))
    if is_image(paths[0]):
        if not can_write_image(output):
            raise InputError(f"{output} is no picture's name. Name it {output.stem}.png.")
    else:
        named_mp4(output)
    return (output,)


def _names_a_file(path: Path) -> bool:
    """Whether a video or a picture is written under such a name."""
    return path.suffix.lower() == ".mp4" or can_write_image(path)


def _names(paths: Sequence[Path]) -> list[str]:
    """Of each result: clip.fmnist.mp4 of clip.mov; clip.mov.fmnist.mp4 where clip.mp4 is there,
    too; monday-clip.mov.fmnist.mp4 where another folder has a clip.mov."""
    stems = Counter((path.stem, _suffix(path)) for path in paths)
    results = []
    for path in paths:
        name = path.stem if stems[path.stem, _suffix(path)] == 1 else path.name
        places = "".join(f"{folder}-" for folder in _folders_that_differ(path, paths))
        end = f"{MARK}{_suffix(path)}"
        results.append(_at_most(f"{places}{name}", LONGEST_NAME - len(os.fsencode(end))) + end)
    return results


def _at_most(name: str, size: int) -> str:
    """The name; one of more bytes than that is cut, and ends with what tells it from others."""
    whole = os.fsencode(name)
    if len(whole) <= size:
        return name
    end = f"-{sha256(whole).hexdigest()[:8]}"
    return whole[: size - len(end)].decode(errors="ignore") + end


def _folders_that_differ(path: Path, paths: Sequence[Path]) -> tuple[str, ...]:
    """The fewest parent folders, outermost first, that tell a file from others of its name."""
    own = _folders(path)
    others = {_folders(each) for each in paths if each.name == path.name} - {own}
    for count in range(1, len(own) + 1):
        if others and all(own[-count:] != each[-count:] for each in others):
            return own[-count:]
    return ()


def _folders(path: Path) -> tuple[str, ...]:
    """The parent folders of a file, outermost first."""
    return Path(os.path.abspath(path)).parent.parts[1:]


def _suffix(source: Path) -> str:
    if not is_image(source):
        return ".mp4"
    return source.suffix if can_write_image(source) else ".png"


def _check_distinct(sources: Sequence[Path], targets: Sequence[Path]) -> None:
    taken = {path.resolve(): f"{path} is a source and would be lost" for path in sources}
    for target in targets:
        place = target.resolve()
        if place in taken:
            raise InputError(f"{taken[place]}. Choose another name for the output.")
        taken[place] = f"{target} would be written twice"

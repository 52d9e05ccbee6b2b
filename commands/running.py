"""A training run as the commands carry it on: crops first, a bar, and how to go on after Ctrl-C."""

import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from commands.options import quiet_or_say, weights_file
from fmnist.cards import figures_line
from fmnist.errors import InputError

if TYPE_CHECKING:
    import torch

    from fmnist.cards import Facts
    from fmnist.data import Splits
    from fmnist.training.settings import Settings


class PhotoFolders(NamedTuple):
    """The user's own folders that a head can learn from."""

    photos: tuple[Path, ...] = ()
    backgrounds: Path | None = None


NO_PHOTOS = PhotoFolders()


class RunOptions(NamedTuple):
    """How far a run goes on now, and what is heard of it."""

    max_minutes: float | None
    stop_after: int | None  # this epoch
    quiet: bool
    compiling: str
    again: str  # how the user goes on with it


def check_photos(settings: "Settings", folders: PhotoFolders, resume: Path | None = None) -> None:
    """Raises InputError where the recipe learns from photos and none are named, or learns from
    none and some are, or a folder holds none.
    """
    recipe = settings.recipe
    if recipe.photo_crops and not folders.photos and not resume:
        raise InputError(
            f"The recipe {settings.recipe_name} learns from photos. "
            "Name folders of them with --photos."
        )
    if folders != NO_PHOTOS and not recipe.photo_crops:
        raise InputError(
            f"The recipe {settings.recipe_name} learns from no photos. "
            "Leave out --photos and --backgrounds, or train with --recipe worn."
        )
    check_folders(folders.photos, folders.backgrounds, is_resumed=bool(resume))


def check_folders(photos: Sequence[Path], backgrounds: Path | None, *, is_resumed: bool) -> None:
    """Raises InputError where one holds no photos or half of a split.

    So does, in a new run, a photo that validates and is learnt from, too.
    """
    if photos:
        from detector.photos.folder import check, check_split

        (check if is_resumed else check_split)(photos)
    if backgrounds:
        from detector.synthesis.backgrounds import photos_in

        photos_in(backgrounds)


def paced(
    settings: "Settings",
    epochs: int | None,
    data: "Splits",
    device: "torch.device",
    compiled: bool = False,
) -> "Settings":
    """With as many epochs as the recipe has time for, unless the user chose their number."""
    from fmnist.choices import MOST_EPOCHS, changed_in

    if epochs or "epochs" in changed_in(settings.changes) or not settings.recipe.seconds:
        return settings
    from dataclasses import replace

    from fmnist.data import release
    from fmnist.training.pace import epochs_within

    split = release(data, settings.recipe.held_out).training.to(device)
    fitting = epochs_within(settings.model, settings.recipe, split, compiled)
    return replace(settings, epochs=min(fitting, MOST_EPOCHS))


def carry_on(
    settings: "Settings",
    run_dir: Path,
    data: "Splits",
    device: "torch.device",
    options: RunOptions,
    folders: PhotoFolders = NO_PHOTOS,
) -> "Facts | None":
    """Train from where the run stands, and tell of it; the result, or None where it was stopped."""
    from commands.progress import Progress
    from fmnist.device import compiles
    from fmnist.provenance import commit
    from fmnist.training import runs
    from fmnist.training.parallel import on_rank_zero, rank_zero_first
    from fmnist.training.run_folder import claimed, epochs_done, has_begun, is_finished

    commit()  # that of a card is that of the beginning
    initial = weights_file(settings.init) if settings.init and not has_begun(run_dir) else None
    say = quiet_or_say(options.quiet)
    if settings.recipe.crops:
        kept_in, plain = run_dir / "crops.npz", data
        data = rank_zero_first(lambda: _crop_splits(plain, settings, kept_in, say, folders))
    with ExitStack() as stack:
        if not is_finished(run_dir) or epochs_done(run_dir) < settings.epochs:
            on_rank_zero(lambda: stack.enter_context(claimed(run_dir)))
        progress = stack.enter_context(Progress(options.quiet))
        watch = runs.Watch(
            step=lambda epoch, done, of: progress(f"epoch {epoch} of {settings.epochs}", done, of),
            epoch=lambda row: progress.say(figures_line(row)),
        )
        try:
            facts = runs.train(
                settings,
                run_dir,
                data,
                device,
                watch,
                max_minutes=options.max_minutes,
                stop_after=options.stop_after,
                initial=initial,
                teachers=[weights_file(name) for name in settings.teachers],
                compiled=compiles(options.compiling, device, settings.epochs * len(data.training)),
            )
        except KeyboardInterrupt:
            progress.say(f"stopped; go on with: {options.again}")
            raise
    say(f"written: {run_dir}" if facts else f"stopped; go on with: {options.again}")
    return facts


def _crop_splits(
    plain: "Splits",
    settings: "Settings",
    kept_in: Path,
    say: Callable[[str], None],
    folders: PhotoFolders,
) -> "Splits":
    from detector.frame_sets import photo_scenes, training_background
    from detector.photos.scenes import FOR_HEAD
    from detector.training.crops import CropPlan, crop_splits

    recipe, seed, make = settings.recipe, settings.seed, None
    if kept_in.exists():
        if folders != NO_PHOTOS:
            say(f"{kept_in} is there already: --photos and --backgrounds are not read")
    else:
        say("rendering crops: some minutes, once for a run")
        if recipe.photo_crops:
            check_photos(settings, folders)
            behind = training_background(seed, folders.backgrounds)
            make = photo_scenes(folders.photos, behind, FOR_HEAD, say)
    wanted = CropPlan(recipe.crops, recipe.nothing, recipe.photo_crops)
    return crop_splits(plain, wanted, seed, kept_in, os.cpu_count() or 1, make)

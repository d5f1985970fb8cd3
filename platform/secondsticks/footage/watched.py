"""Which server folders may be watched, and where their exports may go: beside the footage, never into it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from django.db import transaction

from secondsticks.footage import folders
from secondsticks.footage.folders import FolderRefused
from secondsticks.footage.models import Project, WatchedFolder
from secondsticks.terminal import printable
from secondsticks.watch.journal import NAME as JOURNAL
from secondsticks.watch.overlap import WatchRefused, refuse_overlap

#: In each export folder: it says whose it is, and that the share on which it lies is mounted.
MARK = ".secondsticks-exports"
ABOUT_MARK = "Second Sticks writes claps here. Keep this file: it shows that the folder is there."
BESIDE = "-claps"


class ExportsRefused(FolderRefused):
    """An export folder that may not be used; str() is a sentence for the person."""


@dataclass(frozen=True)
class Exports:
    """Where exports of a watched folder's clips shall go (empty: beside it), and which."""

    folder: str
    formats: Sequence[str]
    include_unsure: bool


def add(project: Project, folder: str, exports: Exports | None) -> WatchedFolder:
    """Watch a folder from now on. Raises FolderRefused, and ExportsRefused for its export folder."""
    top = folders.found(folder)
    target = _export_folder(top, exports.folder) if exports else None
    with transaction.atomic():
        Project.objects.select_for_update().get(pk=project.pk)
        _refuse_known(project, top)
        watched = WatchedFolder.objects.create(
            project=project,
            path=str(top),
            is_mount=top.is_mount(),
            export_to=str(target or ""),
            formats=list(exports.formats) if exports else [],
            include_unsure=exports.include_unsure if exports else True,
        )
        if target:
            _refuse_neighbours(watched)
            _claim(target, watched)
    return watched


def check_exports(watched: WatchedFolder) -> None:
    """Raise ExportsRefused unless its exports may be written now: to a folder that is there, and ours."""
    target = watched.export_folder
    if target is None:
        raise ExportsRefused("No export folder was chosen.")
    if str(watched.uuid) not in _mark_in(target):
        raise ExportsRefused(
            f"{printable(target)} is not there, or no longer the folder that was chosen. Is its share "
            "connected? If it was removed, remove this watched folder and add it again."
        )
    if not folders.is_allowed(target):
        raise ExportsRefused(f"{printable(target)} lies in no folder that this server may use.")
    _refuse_overlap(watched.folder, target)
    _refuse_neighbours(watched)


def _export_folder(top: Path, typed: str) -> Path:
    target = Path(typed or f"{top}{BESIDE}")
    if not target.is_absolute() or "\0" in typed:
        raise ExportsRefused("Give the whole path of the export folder, from / on.")
    target = target.resolve()
    if not folders.is_allowed(target):
        beside = "" if typed else "There is no room beside this folder: "
        raise ExportsRefused(f"{beside}{printable(target)} lies in no folder that this server may use.")
    _refuse_overlap(top, target)
    return target


def _refuse_overlap(top: Path, target: Path) -> None:
    try:
        refuse_overlap(top, target)
    except WatchRefused as error:
        raise ExportsRefused(str(error)) from None


def _refuse_known(project: Project, top: Path) -> None:
    """Each clip has one watched folder in its project; and what we write is never footage."""
    for other in project.watched_folders.all():
        if _overlap(top, other.folder):
            raise FolderRefused(
                f"{printable(other.path)} is being watched already: both hold the same clips."
            )
    written = WatchedFolder.objects.exclude(export_to="").values_list("export_to", flat=True)
    if any(_overlap(top, Path(one)) for one in written):
        raise FolderRefused("Exports of a watched folder are written there: it cannot be watched itself.")


def _refuse_neighbours(watched: WatchedFolder) -> None:
    """Raise ExportsRefused where other folders, of any project, are watched or written to."""
    target, others = Path(watched.export_to), WatchedFolder.objects.exclude(pk=watched.pk)
    for path, export_to in others.values_list("path", "export_to"):
        if _overlap(target, Path(path)):
            raise ExportsRefused(f"{printable(target)} overlaps with another folder that is watched.")
        if export_to and _overlap(target, Path(export_to)):
            raise ExportsRefused(
                f"{printable(target)} overlaps with the export folder of another watched folder."
            )


def _overlap(one: Path, other: Path) -> bool:
    return one.is_relative_to(other) or other.is_relative_to(one)


def _claim(target: Path, watched: WatchedFolder) -> None:
    """Make the folder ours: it is new, or empty, or one that a watched folder which is gone has left."""
    try:
        if not target.exists():
            target.mkdir()
        elif not _mark_in(target) and _holds_something(target):
            raise ExportsRefused(
                f"{printable(target)} holds other files. Choose a new or an empty folder, so that none of "
                "them is ever overwritten."
            )
        (target / MARK).write_text(f"{ABOUT_MARK}\n{watched.uuid}\n")
    except FileNotFoundError:
        raise ExportsRefused(f"There is no folder {printable(target.parent)} to make it in.") from None
    except OSError as error:
        raise ExportsRefused(f"{printable(target)} cannot be written to: {error.strerror}.") from None


def _holds_something(target: Path) -> bool:
    """Anything but what a system hides in folders; also what `secondsticks watch` keeps there."""
    return any(not one.name.startswith(".") or one.name == JOURNAL for one in target.iterdir())


def _mark_in(target: Path) -> str:
    """What the mark in an export folder says; empty where there is none."""
    try:
        return (target / MARK).read_text()
    except (OSError, ValueError):
        return ""

"""Folders on the server whose clips and sound files are used where they lie, without a copy.

A site admin lists them in SECONDSTICKS_FOLDERS. Links may not lead out of them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from secondsticks.footage import names
from secondsticks.footage.models import Clip, Project, SoundFile
from secondsticks.footage.uploads import Arrived
from training.footage.footage import FootageError

MOST_FILES = 20_000
File = TypeVar("File", Clip, SoundFile)


class FolderRefused(Exception):
    """A folder that may not be registered; str() is a sentence for the person."""


@dataclass(frozen=True)
class Found:
    """What lay in a folder."""

    added: int
    known: int
    other: int  # neither video nor sound by its name, hidden, or a link that leads out
    sounds: int = 0  # sound files added


def allowed_roots() -> list[Path]:
    return [Path(folder).resolve() for folder in settings.SECONDSTICKS_FOLDERS]


def is_allowed(path: Path) -> bool:
    """Whether the path, with all links followed, lies in an allowed folder."""
    real = path.resolve()
    return any(real == root or root in real.parents for root in allowed_roots())


def checked(file: Arrived) -> Path:
    """Return the path of a clip's or sound file's file, or refuse if its folder is not allowed (any more)."""
    if file.origin == Clip.Origin.FOLDER and not is_allowed(file.path):
        raise FootageError("missing", "It lies in a server folder that is no longer allowed.")
    return file.path


def found(folder: str) -> Path:
    """Return the real path of an allowed folder that somebody typed, or raise FolderRefused."""
    top = Path(folder)
    if not top.is_absolute() or "\0" in folder or not is_allowed(top):
        raise FolderRefused("This folder is not one of the allowed ones.")
    top = top.resolve()
    if not top.is_dir():
        raise FolderRefused("There is no such folder on the server.")
    return top


def register(project: Project, folder: str, *, send_ingest: Callable[[Arrived], None]) -> Found:
    """Make clips and sound files of what lies under an allowed folder; those we have stay as they are."""
    locations, other = _split(_files(found(folder)))
    sounds = [location for location in locations if names.is_sound(location)]
    videos = [location for location in locations if not names.is_sound(location)]
    with transaction.atomic():
        Project.objects.select_for_update().get(pk=project.pk)
        clips = _new(Clip, project, videos)
        sound_files = _new(SoundFile, project, sounds)
        arrived: list[Arrived] = [*sound_files, *clips]
        for file in arrived:
            transaction.on_commit(partial(send_ingest, file), robust=True)
    known = len(locations) - len(clips) - len(sound_files)
    return Found(added=len(clips), known=known, other=other, sounds=len(sound_files))


def _new(kind: type[File], project: Project, locations: list[str]) -> list[File]:
    """Make rows for the files that the project does not know yet."""
    rows = kind.objects.filter(project=project, location__in=locations)
    known = set(rows.values_list("location", flat=True))
    same = {"project": project, "origin": Clip.Origin.FOLDER, "queued_at": Now()}
    new = [kind(name=names.shown(one), location=one, **same) for one in locations if one not in known]
    kind.objects.bulk_create(new)
    return new


def _files(top: Path) -> Iterator[Path]:
    for count, (folder, _, files) in enumerate(os.walk(top, followlinks=False)):
        if count > MOST_FILES:
            raise FolderRefused(f"This folder holds more than {MOST_FILES} folders. Choose one further down.")
        yield from (Path(folder) / name for name in files)


def _split(files: Iterator[Path]) -> tuple[list[str], int]:
    """Return the real paths of video and sound files in order, and how many files are no business of ours."""
    ours: set[str] = set()
    other = 0
    for path in files:
        if _is_ours(path):
            ours.add(str(path.resolve()))
        else:
            other += 1
        if len(ours) > MOST_FILES:
            raise FolderRefused(f"This folder holds more than {MOST_FILES} clips. Choose one further down.")
    return sorted(ours), other


def _is_ours(path: Path) -> bool:
    shown = not path.name.startswith(".") and names.ending(path.name) != "bin"
    return shown and is_allowed(path) and path.is_file()

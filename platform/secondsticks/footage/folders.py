"""Folders on the server whose clips are used where they lie, without a copy.

A site admin lists them in SECONDSTICKS_FOLDERS. Links may not lead out of them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from secondsticks.footage import names
from secondsticks.footage.models import Clip, Project
from training.footage.footage import FootageError

MOST_FILES = 20_000


class FolderRefused(Exception):
    """A folder that may not be registered; str() is a sentence for the person."""


@dataclass(frozen=True)
class Found:
    """What lay in a folder."""

    added: int
    known: int
    other: int  # not a video by its name, hidden, or a link that leads out


def allowed_roots() -> list[Path]:
    return [Path(folder).resolve() for folder in settings.SECONDSTICKS_FOLDERS]


def is_allowed(path: Path) -> bool:
    """Whether the path, with all links followed, lies in an allowed folder."""
    real = path.resolve()
    return any(real == root or root in real.parents for root in allowed_roots())


def checked(clip: Clip) -> Path:
    """Return the path of a clip's file, or refuse if its folder is not allowed (any more)."""
    if clip.origin == Clip.Origin.FOLDER and not is_allowed(clip.path):
        raise FootageError("missing", "It lies in a server folder that is no longer allowed.")
    return clip.path


def register(project: Project, folder: str, *, send_ingest: Callable[[Clip], None]) -> Found:
    """Make clips of all video files under an allowed folder; those already here stay as they are."""
    top = Path(folder)
    if not top.is_absolute() or "\0" in folder or not is_allowed(top):
        raise FolderRefused("This folder is not one of the allowed ones.")
    top = top.resolve()
    if not top.is_dir():
        raise FolderRefused("There is no such folder on the server.")
    videos, other = _split(_files(top))
    with transaction.atomic():
        Project.objects.select_for_update().get(pk=project.pk)
        known = set(project.clips.filter(location__in=videos).values_list("location", flat=True))
        new = [_clip(project, top, location) for location in videos if location not in known]
        Clip.objects.bulk_create(new)
        for clip in new:
            transaction.on_commit(partial(send_ingest, clip), robust=True)
    return Found(added=len(new), known=len(known), other=other)


def _clip(project: Project, top: Path, location: str) -> Clip:
    name = names.shown(location)
    return Clip(project=project, name=name, origin=Clip.Origin.FOLDER, location=location, queued_at=Now())


def _files(top: Path) -> Iterator[Path]:
    for count, (folder, _, files) in enumerate(os.walk(top, followlinks=False)):
        if count > MOST_FILES:
            raise FolderRefused(f"This folder holds more than {MOST_FILES} folders. Choose one further down.")
        yield from (Path(folder) / name for name in files)


def _split(files: Iterator[Path]) -> tuple[list[str], int]:
    """Return the real paths of the video files in order, and how many files are none of our business."""
    videos: set[str] = set()
    other = 0
    for path in files:
        if _is_video_of_ours(path):
            videos.add(str(path.resolve()))
        else:
            other += 1
        if len(videos) > MOST_FILES:
            raise FolderRefused(f"This folder holds more than {MOST_FILES} clips. Choose one further down.")
    return sorted(videos), other


def _is_video_of_ours(path: Path) -> bool:
    shown = not path.name.startswith(".") and names.ending(path.name) != "bin"
    return shown and is_allowed(path) and path.is_file()

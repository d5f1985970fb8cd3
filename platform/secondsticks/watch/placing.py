"""Where the exports of one clip lie in an export folder, and how they get there whole."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from secondsticks.markers import place
from secondsticks.markers.bundle import file_name

#: What `place` leaves when it is killed.
_LEFT_OVER = re.compile(r"\.[a-z0-9_]{8}\.part")


def mirrored(
    files: dict[str, bytes], path: str, name: str, owner: Callable[[str], str | None]
) -> dict[str, bytes]:
    """The files in a folder that mirrors the clip's own, or in one of its name where others have these names.

    `path`: of the clip called `name`, from the watched folder. `owner`: the path whose export a file is.
    """
    folder = beside = PurePosixPath(*map(file_name, PurePosixPath(path).parent.parts))
    number = 0
    while any(owner(str(folder / file)) not in (None, path) for file in files):
        number += 1
        folder = beside / (file_name(name) + (f"-{number}" if number > 1 else ""))
    return {str(folder / file): content for file, content in files.items()}


def place_durably(files: dict[str, bytes], folder: Path) -> None:
    """On the disk when this returns: nobody must note as written what a power cut takes away."""
    paths = place(files, folder)
    for path in [*paths, *{path.parent for path in paths}]:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def remove_left_overs(folder: Path) -> None:
    """Remove the beginnings of files that were never finished: we were killed while we wrote them."""
    for path in folder.rglob(".*.part"):
        if _LEFT_OVER.fullmatch(path.name):
            path.unlink(missing_ok=True)

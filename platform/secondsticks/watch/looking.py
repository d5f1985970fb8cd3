"""What lies in a watched folder just now. Imports little: a child process looks where a share may hang."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from secondsticks.gather import FolderUnreadable, gather, is_clip, is_sound
from secondsticks.watch.journal import Fingerprint

#: What copying and downloading programs call a file until it is whole; `._` and other hidden ones never come.
UNFINISHED = {".part", ".partial", ".filepart", ".crdownload", ".download", ".tmp", ".temp"}


def is_footage(path: Path) -> bool:
    """Whether a file is a clip, or a sound recorder's."""
    return is_sound(path) or is_clip(path)


def clips_in(
    folder: Path, *, is_mount: bool, wanted: Callable[[Path], bool] = is_clip
) -> Iterator[Path | FolderUnreadable]:
    """The clips in a folder and those under it, but for those whose names say that they are unfinished.

    `is_mount`: a share was mounted here. Raises OSError where there is none now.
    """
    os.scandir(folder).close()
    if is_mount and not os.path.ismount(folder):
        raise FileNotFoundError  # an unmounted share leaves an empty folder
    for path in gather([folder], wanted):
        if isinstance(path, FolderUnreadable) or path.suffix.lower() not in UNFINISHED:
            yield path


def fingerprint(folder: Path, path: Path) -> Fingerprint | None:
    """None for what is gone, or empty: nothing has been written yet."""
    try:
        about = path.stat()
    except OSError:
        return None
    where = path.relative_to(folder).as_posix()
    return Fingerprint(where, about.st_size, about.st_mtime_ns) if about.st_size else None

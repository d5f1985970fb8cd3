"""Which files `secondsticks scan` reads: those named, and the videos in the folders named."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

#: Files in a folder that are taken for clips by their names.
SUFFIXES = {".avi", ".m2t", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mts", ".mxf", ".ts", ".webm"}
#: Those of a sound recorder.
SOUND_SUFFIXES = {".wav", ".wave", ".bwf"}
#: Files with other names are taken when they begin like a clip: (offset, bytes).
HEADS = (
    (4, b"ftypqt"),
    (4, b"ftypisom"),
    (4, b"ftypmp4"),
    (4, b"ftypavc1"),
    (0, b"\x1a\x45\xdf\xa3"),  # Matroska, WebM
    (0, b"\x06\x0e\x2b\x34\x02\x05\x01\x01\x0d\x01\x02\x01\x01\x02"),  # MXF header partition
)


class FolderUnreadable(Exception):
    """A folder whose files cannot be listed; `path` says which."""

    def __init__(self, path: Path) -> None:
        super().__init__("The folder cannot be read.")
        self.path = path


def is_clip(path: Path) -> bool:
    """Whether a file is a clip by its name or by how it begins."""
    if not path.is_file():
        return False
    if path.suffix.lower() in SUFFIXES:
        return True
    try:
        with path.open("rb") as file:
            head = file.read(32)
    except OSError:
        return False
    return any(head[at:].startswith(magic) for at, magic in HEADS)


def is_sound(path: Path) -> bool:
    """Whether a file is a sound recorder's by its name."""
    return path.suffix.lower() in SOUND_SUFFIXES and not path.is_dir()


def gather(
    paths: Iterable[Path], wanted: Callable[[Path], bool] = is_clip
) -> Iterator[Path | FolderUnreadable]:
    """Each file once, in the order given; a folder's `wanted` ones by path, with those in folders under it.

    Hidden and other files in folders are left out, links to folders are not followed. What is named itself
    always comes, also when it is missing: reading it says what is wrong.
    """
    seen: set[str] = set()
    for path in paths:
        for found in _files_in(path, wanted) if path.is_dir() else (path,):
            if isinstance(found, FolderUnreadable):
                yield found
            elif (real := os.path.realpath(found)) not in seen:
                seen.add(real)
                yield found


def _files_in(folder: Path, wanted: Callable[[Path], bool]) -> Iterator[Path | FolderUnreadable]:
    unreadable: list[FolderUnreadable] = []

    def note(error: OSError) -> None:
        unreadable.append(FolderUnreadable(Path(os.fsdecode(error.filename))))

    found: list[Path] = []
    for where, folders, names in os.walk(folder, onerror=note):
        folders[:] = [name for name in folders if not name.startswith(".")]
        files = (Path(where, name) for name in names if not name.startswith("."))
        found += [path for path in files if wanted(path)]
    yield from sorted(found, key=os.fsencode)
    yield from sorted(unreadable, key=lambda error: os.fsencode(error.path))

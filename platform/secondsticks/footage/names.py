"""File names as people gave them: made fit to be shown, never used as a path."""

from __future__ import annotations

import unicodedata
from pathlib import PurePosixPath

LONGEST = 200
#: Endings that our own copy of a file may have; the content decides what it is.
VIDEO_ENDINGS = frozenset(
    {"mov", "mp4", "m4v", "mxf", "mkv", "webm", "avi", "ts", "mts", "m2ts", "mpg", "mpeg", "3gp"}
)
#: Endings of a sound recorder's files.
SOUND_ENDINGS = frozenset({"wav", "wave", "bwf"})


def shown(name: str) -> str:
    """Return the last part of a name without control or direction characters, at most 200 characters."""
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    # Category C: controls, and format characters that turn or hide text (a name must not fake its ending).
    visible = "".join(c for c in unicodedata.normalize("NFC", last) if unicodedata.category(c)[0] != "C")
    visible = " ".join(visible.split())
    if len(visible) > LONGEST:
        ending = PurePosixPath(visible).suffix[:10]
        visible = visible[: LONGEST - len(ending) - 1] + "…" + ending
    return visible or "unnamed"


def ending(name: str) -> str:
    """Return the ending for our own copy of a file with this name: a known one, or `bin`."""
    found = PurePosixPath(shown(name)).suffix.lower().lstrip(".")
    return found if found in VIDEO_ENDINGS | SOUND_ENDINGS else "bin"


def is_sound(name: str) -> bool:
    return ending(name) in SOUND_ENDINGS

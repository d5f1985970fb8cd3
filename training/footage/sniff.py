"""Say in words what a file is when it plainly is no video, from its first bytes."""

from __future__ import annotations

import stat
from pathlib import Path

from training.footage.facts import FootageError

_HEADS = (
    (b"\x89PNG\r\n", "a picture (PNG)"),
    (b"\xff\xd8\xff", "a picture (JPEG)"),
    (b"GIF8", "a picture (GIF)"),
    (b"BM", "a picture (BMP)"),
    (b"PK\x03\x04", "a zip archive"),
    (b"\x1f\x8b", "a compressed archive"),
    (b"7z\xbc\xaf", "an archive"),
    (b"Rar!", "an archive"),
    (b"%PDF", "a PDF document"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"ID3", "sound only"),
    (b"fLaC", "sound only"),
    (b"OggS", "an Ogg file, which is not read here"),
)
_CONTROL = bytes(c for c in range(32) if c not in b"\t\n\r\f\x1b") + b"\x7f"


def refuse_what_is_no_video(path: Path) -> None:
    """Raise FootageError for what is missing, no plain file, empty, or plainly something else."""
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):  # opening a pipe or a device could block for ever
            raise FootageError("not_video", "This is not a video file: it is no ordinary file.")
        with path.open("rb") as file:
            head = file.read(4096)
    except (FileNotFoundError, NotADirectoryError):
        raise FootageError("missing", "The file is not there.") from None
    except (OSError, ValueError):
        raise FootageError("missing", "The file could not be opened.") from None
    if not head:
        raise FootageError("empty", "The file is empty.")
    if held := _held_by(head):
        raise FootageError("not_video", f"This is not a video file: it holds {held}.")


def _held_by(head: bytes) -> str | None:
    for magic, held in _HEADS:
        if head.startswith(magic):
            return held
    if head.startswith(b"RIFF") and head[8:12] == b"WAVE":
        return "sound only"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "a picture (WebP)"
    if not head.strip(b"\0"):
        return "only zeros"
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or head.translate(None, _CONTROL) == head:
        return "text"
    return None

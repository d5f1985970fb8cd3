"""The files of one or of all formats, with names that any disk can hold: in a zip, or in a folder."""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
import unicodedata
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePath

from secondsticks.markers.clips import MarkedClip
from secondsticks.markers.formats import FORMATS, Format, without_unsure
from secondsticks.markers.readme import readme
from secondsticks.markers.words import one_line

README = "READ ME.txt"
#: Names that Windows keeps for devices, with any ending.
_DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}


def written(
    clips: Sequence[MarkedClip], formats: Iterable[Format], *, include_unsure: bool = True
) -> dict[str, bytes]:
    """Relative path -> content of every file that these formats need for these clips."""
    files: dict[str, bytes] = {}
    taken: set[str] = set()
    chosen = clips if include_unsure else without_unsure(clips)
    for format in formats:
        for told_apart, group in format.groups(chosen):
            path = _free(_path(format, told_apart, clips), taken)
            files[path] = format.write(group)
    return files


def bundle(
    clips: Sequence[MarkedClip], formats: Iterable[Format] | None = None, *, include_unsure: bool = True
) -> bytes:
    """A zip of these formats, or of all, and a text about it. The same clips give the same bytes."""
    files = written(clips, FORMATS.values() if formats is None else formats, include_unsure=include_unsure)
    files[README] = readme(clips, files, include_unsure=include_unsure).encode("utf-8", "replace")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for path, content in files.items():
            packed.writestr(_entry(path), content)
    return archive.getvalue()


def place(files: dict[str, bytes], folder: Path) -> list[Path]:
    """Write files into a folder, each whole or not at all; files of the same names are replaced."""
    paths = []
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, content)
        paths.append(path)
    return paths


def file_name(text: str, *, longest: int = 120) -> str:
    """A name that every system takes as that of a file, without an ending; `clip` if nothing is left."""
    plain = one_line(unicodedata.normalize("NFC", text))
    plain = "".join("_" if letter in '\\/:*?"<>|\ufffd' else letter for letter in plain).lstrip(". ")
    while len(plain.encode()) > longest:
        plain = plain[:-1]
    plain = plain.rstrip(". ")
    return f"_{plain}" if plain.split(".")[0].lower() in _DEVICES else plain or "clip"


def _path(format: Format, told_apart: str, clips: Sequence[MarkedClip]) -> str:
    if format.folder:
        return f"{format.folder}/{file_name(PurePath(told_apart).stem)}-claps.{format.suffix}"
    alone = f"{file_name(PurePath(clips[0].name).stem)}-" if len(clips) == 1 else ""
    rate = f"-{told_apart}" if told_apart else ""
    return f"{alone}claps{rate}.{format.suffix}"


def _free(path: str, taken: set[str]) -> str:
    """The path, or with a number if two clips have one name. Many disks see no difference in case."""
    stem, dot, suffix = path.rpartition(".")
    number, free = 1, path
    while free.casefold() in taken:
        number += 1
        free = f"{stem}-{number}{dot}{suffix}"
    taken.add(free.casefold())
    return free


def _entry(path: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(path)  # dated 1980, so that the same export is the same file
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    return entry


def _replace(path: Path, content: bytes) -> None:
    handle, part = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(part).chmod(0o666 & ~_umask())
        Path(part).replace(path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            Path(part).unlink()
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask

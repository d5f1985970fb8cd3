"""A zip file, or a single JSON file, from outside: read with limits, and nothing is ever unpacked to disk."""

from __future__ import annotations

import lzma
import stat
import struct
import zipfile
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO

from training.exchange.foreign import ExchangeError, Problem

MOST_FILES = 120_000
#: Of the list of files at a zip's end, which Python reads whole.
MOST_DIRECTORY = 64 << 20
MOST_UNPACKED = 200 << 30
MOST_TEXT = 64 << 20
MOST_PICTURE = 128 << 20
PICTURES = {".jpg", ".jpeg", ".png", ".webp"}
LABELS = {".json", ".txt", ".yaml", ".yml", ".names"}
#: What systems put into zip files by themselves.
CLUTTER = ("__MACOSX/", ".DS_Store", "Thumbs.db")


@dataclass
class Archive:
    """The files in it by their names: relative POSIX paths, none of which leads out."""

    path: Path
    names: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    beat: Callable[[], None] = lambda: None  # called before each file is opened
    _zip: zipfile.ZipFile | None = None
    _by_base: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        for name in self.names:
            self._by_base[PurePosixPath(name).name].append(name)

    def ending(self, *suffixes: str) -> list[str]:
        return [name for name in self.names if name.lower().endswith(suffixes)]

    @property
    def pictures(self) -> list[str]:
        return self.ending(*PICTURES)

    def read(self, name: str, most: int = MOST_TEXT) -> bytes:
        """The whole file. Raises ExchangeError if it is larger than `most` bytes or damaged."""
        with self.open(name) as file:
            try:
                content = file.read(most + 1)
            except DAMAGED as error:
                raise ExchangeError(f"{name} in the file is damaged.") from error
        if len(content) > most:
            raise ExchangeError(f"{name} is larger than {most >> 20} MB.")
        return content

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """Raises ExchangeError."""
        self.beat()
        try:
            file = self._zip.open(name) if self._zip is not None else self.path.open("rb")
        except DAMAGED as error:
            raise ExchangeError(f"{name} in the file is damaged.") from error
        with file:
            yield file

    def find(self, file_name: str, folder: str = "", *, anywhere: bool = False) -> list[str]:
        """The pictures that a file name may mean: where it says, else all whose path ends like it.

        `anywhere`: its folder is one of another computer, and only its last part counts.
        """
        wanted = PurePosixPath(file_name.replace("\\", "/").lstrip("/"))
        parts = tuple(part for part in wanted.parts if part not in (".", ".."))
        if not parts:
            return []
        named = "/".join(parts)
        of_name = [one for one in self._by_base.get(parts[-1], ()) if one.lower().endswith(tuple(PICTURES))]
        for place in (named, f"images/{named}", f"{folder}{named}", f"{folder}images/{named}"):
            if place in of_name:
                return [place]
        return [one for one in of_name if one.endswith(f"/{named}")] or (of_name if anywhere else [])


#: What reading a damaged zip file may raise.
DAMAGED = (
    *(OSError, EOFError, ValueError, LookupError, OverflowError, NotImplementedError, RuntimeError),
    *(struct.error, zlib.error, lzma.LZMAError, zipfile.BadZipFile),
)


@contextmanager
def open_archive(path: Path, beat: Callable[[], None] = lambda: None) -> Iterator[Archive]:
    """`beat` is called now and then, and may raise. Raises ExchangeError."""
    if not path.is_file():
        raise ExchangeError("The file is not there any more: give it again.")
    if not zipfile.is_zipfile(path):
        yield Archive(path, [f"{path.stem}.json"], beat=beat)
        return
    with _opened(path) as opened:
        names, problems = _names(opened)
        yield Archive(path, names, problems, beat, opened)


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        check_directory(path)
        return zipfile.ZipFile(path)
    except ExchangeError:
        raise
    except DAMAGED as error:
        raise ExchangeError("The zip file is damaged.") from error


def check_directory(path: Path) -> None:
    """Refuse a zip file whose list of files would not fit into memory. Raises ExchangeError."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(size - (1 << 16) - 22, 0))
        tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) < at + 22:
        raise ExchangeError("The zip file is damaged.")
    (length,) = struct.unpack_from("<L", tail, at + 12)
    if length == 0xFFFFFFFF and (wide := tail.rfind(b"PK\x06\x06", 0, at)) >= 0:
        (length,) = struct.unpack_from("<Q", tail, wide + 40)
    if length > min(MOST_DIRECTORY, size):
        raise ExchangeError("The zip file lists far too many files.")


def _names(opened: zipfile.ZipFile) -> tuple[list[str], list[Problem]]:
    files = [info for info in opened.infolist() if not info.is_dir() and not _is_clutter(info.filename)]
    if len(files) > MOST_FILES:
        raise ExchangeError(f"The zip file holds more than {MOST_FILES} files.")
    if sum(info.file_size for info in files) > MOST_UNPACKED:
        raise ExchangeError(f"Unpacked, the zip file has more than {MOST_UNPACKED >> 30} GB.")
    times = Counter(info.filename for info in files)
    names: list[str] = []
    problems: list[Problem] = []
    for info in files:
        why = _refusal(info) or (times[info.filename] > 1 and "It is in the zip file twice.") or ""
        if why:
            problems.append(Problem(_printable(info.filename), why))
        elif PurePosixPath(info.filename).suffix.lower() in PICTURES | LABELS:
            names.append(info.filename)
    return names, list(dict.fromkeys(problems))


def _is_clutter(name: str) -> bool:
    return name.startswith(CLUTTER[0]) or PurePosixPath(name).name in CLUTTER[1:]


def _refusal(info: zipfile.ZipInfo) -> str:
    name = info.filename
    path = PurePosixPath(name)
    odd = path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name or not name.isprintable()
    if odd or len(name) > 400:
        return "Its name is not one of a file inside of the zip file."
    if info.flag_bits & 1:
        return "It is encrypted."
    if stat.S_ISLNK(info.external_attr >> 16):
        return "It is a link."
    suffix = path.suffix.lower()
    if suffix in PICTURES | LABELS and info.file_size > (MOST_PICTURE if suffix in PICTURES else MOST_TEXT):
        return "It is too large."
    return ""


def _printable(name: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in name)[:200]

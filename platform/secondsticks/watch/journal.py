"""What a watch has done, a line of JSON for each file, so that no restart repeats it."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NAME = ".secondsticks-watch.jsonl"
Entry = dict[str, Any]


@dataclass(frozen=True)
class Fingerprint:
    """A file as it was: one that changes is another. `path` is relative to the watched folder."""

    path: str
    size: int
    mtime_ns: int


class AlreadyWatched(Exception):
    """Another watch holds this journal."""


class Journal:
    """The journal of one export folder, held against other watches until it is closed or the process ends.

    Raises AlreadyWatched, or OSError where the folder cannot hold it. An entry has `path`, `size`,
    `mtime_ns`, `outcome`, `files` and `at`; the last one about a path counts.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self.entries: dict[str, Entry] = {}
        self._owners: dict[str, str] = {}
        self._hold()
        for entry in self._whole_lines():
            self._remember(entry)

    def knows(self, one: Fingerprint) -> bool:
        """Whether this very file has been dealt with."""
        entry = self.entries.get(one.path)
        return entry is not None and (entry["size"], entry["mtime_ns"]) == (one.size, one.mtime_ns)

    def owner(self, file: str) -> str | None:
        """The path whose export a file is. Many disks see no difference in case."""
        return self._owners.get(file.casefold())

    def check(self) -> None:
        """Raise OSError if the folder is gone: what is written then would fill a mount point."""
        if not os.path.samestat(self._path.stat(), os.fstat(self._handle)):  # mounted again
            self._hold(self._handle)

    def append(self, entry: Entry) -> None:
        """On the disk when this returns; when it raises OSError, the journal is as it was."""
        line = json.dumps(entry).encode() + b"\n"  # ASCII: names of any bytes come back as they were
        end = os.lseek(self._handle, 0, os.SEEK_END)
        try:
            if os.write(self._handle, line) < len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(self._handle)
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(self._handle, end)
            raise
        self._remember(entry)

    def close(self) -> None:
        """Let the next watch have it."""
        os.close(self._handle)

    def _hold(self, before: int | None = None) -> None:
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
        if before is not None:
            os.close(before)
        self._handle = handle
        try:
            # The system lets go of this lock when the process ends, however it ends.
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise AlreadyWatched from None

    def _whole_lines(self) -> Iterator[Entry]:
        content = self._path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):  # torn by a kill or a power cut: what it was about is done again
            os.ftruncate(self._handle, whole)
        for line in content[:whole].splitlines():
            with contextlib.suppress(ValueError):
                yield json.loads(line)

    def _remember(self, entry: Entry) -> None:
        self.entries[entry["path"]] = entry
        self._owners |= {file.casefold(): entry["path"] for file in entry["files"]}

"""A folder of limited size: room is made by removing what was not used for longest, never what is in use."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from training.store.s3_faults import is_still_named

#: Kept free on the disk for the database and the proxies.
SPARE_BYTES = 512 << 20
#: How long to wait for others to be done with theirs, and how often to look.
PATIENCE_SECONDS = 30 * 60
LOOK_EVERY_SECONDS = 2.0
LOCK = ".lock"
PROMISED = ".promised"


class NoRoom(Exception):
    """What is wanted does not fit, in one plain sentence."""


@dataclass(frozen=True)
class LimitedFolder:
    """Files that can be had again. Whoever reads one holds a shared lock on it."""

    folder: Path
    limit: int  # bytes

    @contextmanager
    def room_for(self, path: Path, size: int) -> Iterator[None]:
        """Keep room for a file that is about to be written, while the block runs. Raises NoRoom."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if size > self.limit:
            raise NoRoom("This file is larger than the folder for fetched footage may be.")
        promise, name = self._promise(path, size)
        try:
            yield
        finally:
            Path(name).unlink(missing_ok=True)
            os.close(promise)

    def _promise(self, path: Path, size: int) -> tuple[int, str]:
        """Make a file that counts as if it were this large, and that is locked while we live."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            with _locked(self.folder / LOCK):
                if self._make_room(path, size):
                    promise, name = tempfile.mkstemp(PROMISED, f".{path.name}.", self.folder)
                    fcntl.flock(promise, fcntl.LOCK_SH)
                    os.truncate(promise, size)
                    return promise, name
            if time.monotonic() > deadline:
                raise NoRoom("There is no room for this file: other footage is in use.")
            time.sleep(LOOK_EVERY_SECONDS)

    def _make_room(self, wanted: Path, size: int) -> bool:
        """Remove the oldest until `size` fits. False while others are in use; raises NoRoom when none is."""
        found = [(path, stat) for path, stat in self._files() if not _is_begun(wanted, path)]
        kept = {path: stat.st_size for path, stat in found}
        for path, _ in sorted(found, key=lambda entry: entry[1].st_mtime):
            if self._fits(kept, size):
                return True
            if _remove_if_unused(path):
                del kept[path]
        if not kept and not self._fits(kept, size):
            raise NoRoom("The server's disk is full.")
        return self._fits(kept, size)

    def _fits(self, kept: dict[Path, int], size: int) -> bool:
        promised = sum(count for path, count in kept.items() if path.name.endswith(PROMISED))
        free = shutil.disk_usage(self.folder).free
        return sum(kept.values()) + size <= self.limit and free >= promised + size + SPARE_BYTES

    def _files(self) -> Iterator[tuple[Path, os.stat_result]]:
        for path in self.folder.iterdir():
            try:
                stat = path.stat()
            except FileNotFoundError:
                continue
            if path.name != LOCK:
                yield path, stat


def _is_begun(wanted: Path, path: Path) -> bool:
    """Whether a file is what a kill left of the wanted one, to be gone on with."""
    return path.name.startswith(f".{wanted.name}.") and not path.name.endswith(PROMISED)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _remove_if_unused(path: Path) -> bool:
    """Remove a file that nobody holds a lock on."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if is_still_named(path, handle):
            path.unlink()
        return True
    except BlockingIOError:
        return False
    finally:
        os.close(handle)

"""Footage at hand: where it lies on this server, or brought from the bucket for as long as it is read.

Frame numbers need the time of every packet, so a clip is read to its end again and again, and by a decoder
that may open nothing but a file. So a clip of the bucket is fetched whole, into a folder of limited size
(SECONDSTICKS_FOOTAGE_CACHE) from which what was not used for longest is removed.

Who reads a file holds a shared lock on it, who removes it needs an exclusive one: a file in use stays, and
the lock of a process that was killed is gone with it.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from secondsticks.footage import bucket, folders
from secondsticks.footage.limited_folder import LimitedFolder, NoRoom
from secondsticks.footage.uploads import Arrived
from training.footage.facts import FootageError
from training.store import StoreError, Trouble
from training.store.s3_faults import is_still_named

Tick = Callable[[], None]
#: What each trouble of the store means for a clip; those that pass are worth another try.
KINDS = {
    Trouble.MISSING: "missing",
    Trouble.DENIED: "missing",
    Trouble.NAME: "missing",
    Trouble.FULL: "no_space",
    Trouble.UNREACHABLE: "timeout",
    Trouble.CHANGED: "broken",
}


@contextmanager
def at_hand(file: Arrived, *, tick: Tick = lambda: None) -> Iterator[Path]:
    """The file of a clip or sound file, on this machine while the block runs. Raises FootageError.

    `tick` is called about once a second while it is fetched; by raising it ends the wait, not the fetching.
    """
    if not bucket.is_in_bucket(file.location):
        yield folders.checked(file)
        return
    path = Path(settings.HOME) / "cache" / "footage" / f"{file.uuid}{Path(file.location).suffix}"
    while True:
        _fetch(file, path, tick)
        try:
            handle = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            continue  # removed between the two: nobody held it yet
        try:
            fcntl.flock(handle, fcntl.LOCK_SH)
            if is_still_named(path, handle):
                os.utime(path)
                yield path
                return
        finally:
            os.close(handle)


class OnItsWay(FootageError):
    """Being fetched, and not here within the time that somebody can wait."""

    def __init__(self) -> None:
        super().__init__("timeout", "This clip is being fetched from the footage store.")


def patient(seconds: float) -> Tick:
    """A tick that ends the wait after so long with OnItsWay; the next one finds more of it here."""
    deadline = time.monotonic() + seconds

    def tick() -> None:
        if time.monotonic() > deadline:
            raise OnItsWay

    return tick


class _Fetch(threading.Thread):
    """One fetching in the background. A daemon: the next process goes on where this one ends."""

    def __init__(self, key: str, path: Path, size: int) -> None:
        super().__init__(name=f"fetch {key}", daemon=True)
        self.key, self.path, self.size = key, path, size
        self.error: FootageError | None = None

    def run(self) -> None:
        try:
            self.bring()
        except FootageError as error:
            self.error = error
        except StoreError as error:
            self.error = FootageError(KINDS[error.trouble], str(error))
        except NoRoom as error:
            self.error = FootageError("no_space", str(error))
        except OSError as error:
            said = f"The folder of fetched footage cannot be used: {error.strerror}."
            self.error = FootageError("no_space", said)
        finally:
            with _changing:
                _under_way.pop(self.path, None)

    def bring(self) -> None:
        store = bucket.bucket()
        if store.size(self.key) != self.size:
            raise FootageError("broken", "The file in the footage store is not the one that was uploaded.")
        shelf = LimitedFolder(self.path.parent, settings.SECONDSTICKS_FOOTAGE_CACHE)
        with shelf.room_for(self.path, self.size):
            store.download(self.key, self.path)


_under_way: dict[Path, _Fetch] = {}
_changing = threading.Lock()


def _fetch(file: Arrived, path: Path, tick: Tick) -> None:
    with _changing:
        if path.exists():
            return
        fetch = _under_way.get(path)
        if fetch is None:
            fetch = _under_way[path] = _Fetch(bucket.key_of(file.location), path, file.size)
            fetch.start()
    while fetch.is_alive():
        fetch.join(1)
        tick()
    if fetch.error:
        raise FootageError(fetch.error.kind, str(fetch.error))

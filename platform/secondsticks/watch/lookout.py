"""Looks through a folder in a child process, as a share that has gone away may hang whoever looks at it.

Run as a program it is that child: it gets an order as JSON and answers with lines of JSON.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from secondsticks.gather import FolderUnreadable
from secondsticks.terminal import printable
from secondsticks.watch.journal import Fingerprint
from secondsticks.watch.looking import clips_in, fingerprint, is_footage

#: Seconds until a folder must have answered at all, and until it must have been looked through.
ANSWER, WHOLE = 15.0, 180.0
MOST_FILES = 20_000
TOO_MANY = f"It holds more than {MOST_FILES} clips and sound files: watch the folders in it instead."
#: Bytes: what an index of the database holds with room to spare.
LONGEST_PATH = 2000
_HUNG: dict[str, subprocess.Popen[bytes]] = {}


class FolderAway(Exception):
    """The folder cannot be looked through now; says so in a sentence."""


@dataclass(frozen=True)
class Seen:
    """A clip or sound file in a watched folder; `location` is its path with all links followed."""

    about: Fingerprint
    location: str


@dataclass(frozen=True)
class Look:
    """What lies there. `notes`: sentences about what was left out."""

    files: list[Seen]
    notes: list[str]


def look(folder: Path, *, is_mount: bool, within: Sequence[str], also: Sequence[Path] = ()) -> Look:
    """The clips and sound files in a folder that lie `within` one of these folders. Raises FolderAway.

    `is_mount`: a share was mounted on it. `also`: folders that must answer too, if they are there.
    """
    before = _HUNG.get(str(folder))
    if before is not None and before.poll() is None:  # the last child still hangs in the kernel
        raise _hangs(folder)
    order = {"folder": str(folder), "is_mount": is_mount}
    order |= {"within": list(within), "also": [str(one) for one in also]}
    # -P and cwd: a file beside the footage must never be imported in place of ours.
    child = subprocess.Popen(
        [sys.executable, "-P", "-m", "secondsticks.watch.lookout", json.dumps(order)],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd="/", bufsize=0,
    )  # fmt: skip
    try:
        for answer in _answers(child):
            if answer["is"] == "away":
                raise FolderAway(answer["why"])
            if answer["is"] == "found":
                return Look(
                    [Seen(Fingerprint(*about), at) for *about, at in answer["files"]], answer["notes"]
                )
        raise FolderAway(f"{printable(folder)} could not be looked through: looking failed.")
    except TimeoutError:
        _HUNG[str(folder)] = child
        raise _hangs(folder) from None
    finally:
        _end(child)


def _hangs(folder: Path) -> FolderAway:
    return FolderAway(f"{printable(folder)} does not answer. Is its share connected?")


def _end(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    with contextlib.suppress(subprocess.TimeoutExpired):  # a hung share keeps even killed processes
        child.wait(2)
    assert child.stdout
    child.stdout.close()


def _answers(child: subprocess.Popen[bytes]) -> Iterator[dict[str, Any]]:
    """The child's lines; raises TimeoutError where the next one does not come in time."""
    assert child.stdout
    deadline, ahead = time.monotonic() + ANSWER, bytearray()
    waiting = select.poll()
    waiting.register(child.stdout, select.POLLIN)
    while True:
        if not waiting.poll(max(0.0, deadline - time.monotonic()) * 1000):
            raise TimeoutError
        if not (chunk := os.read(child.stdout.fileno(), 1 << 16)):
            return
        ahead += chunk
        while (end := ahead.find(b"\n")) >= 0:
            yield json.loads(ahead[:end])
            del ahead[: end + 1]
            deadline = time.monotonic() + WHOLE


class _Looker:
    """The child's end."""

    def __init__(self, order: dict[str, Any]) -> None:
        self._folder = Path(order["folder"])
        self._is_mount, self._also = order["is_mount"], order["also"]
        self._within = [os.path.realpath(one) for one in order["within"]]
        self._notes: list[str] = []

    def answer(self) -> Iterator[dict[str, Any]]:
        try:
            if not self._is_allowed(os.path.realpath(self._folder)):
                raise FolderAway(f"{printable(self._folder)} lies in no folder that this server may use.")
            os.scandir(self._folder).close()
            for folder in self._also:
                Path(folder).exists()
            yield {"is": "there"}
            files = [[*asdict(seen.about).values(), seen.location] for seen in self._files()]
            yield {"is": "found", "files": files, "notes": self._notes}
        except FolderAway as error:
            yield {"is": "away", "why": str(error)}
        except FileNotFoundError:
            yield {"is": "away", "why": f"{printable(self._folder)} is not there. Is its share connected?"}
        except OSError as error:
            yield {"is": "away", "why": f"{printable(self._folder)} cannot be read: {error.strerror}."}

    def _files(self) -> Iterator[Seen]:
        found = 0
        for path in clips_in(self._folder, is_mount=self._is_mount, wanted=is_footage):
            if isinstance(path, FolderUnreadable):
                self._notes.append(f"{printable(path.path)} cannot be read.")
            elif about := fingerprint(self._folder, path):
                location = os.path.realpath(path)
                if why := self._unusable(about, location):
                    self._notes.append(f"{printable(about.path)} is left out: {why}.")
                    continue
                found += 1
                if found > MOST_FILES:
                    raise FolderAway(TOO_MANY)
                mtime_ns = min(about.mtime_ns, 2**63 - 1)  # what a database can hold
                yield Seen(Fingerprint(about.path, about.size, mtime_ns), location)

    def _unusable(self, about: Fingerprint, location: str) -> str:
        """Why we may not or cannot use a file, in words; empty if we can."""
        if not self._is_allowed(location):
            return "it is a link that leads out of the folders that this server may use"
        if not _is_text(location + about.path) or len(os.fsencode(location)) > LONGEST_PATH:
            return "its name is too long, or in letters that are no Unicode"
        return "" if os.access(location, os.R_OK) else "this server's account may not read it"

    def _is_allowed(self, real: str) -> bool:
        return any(Path(real).is_relative_to(root) for root in self._within)


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


if __name__ == "__main__":
    for line in _Looker(json.loads(sys.argv[1])).answer():
        print(json.dumps(line), flush=True)

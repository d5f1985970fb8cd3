"""Looks through a folder again and again, and scans what is new and fully written.

inotify would be told nothing of what other machines write to a network share, which is where footage lies,
and loses what happens while it is not running: the folder would have to be looked through anyhow.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from secondsticks.gather import FolderUnreadable
from secondsticks.markers import Format, MarkedClip, marked_clip
from secondsticks.terminal import ProgressBar, printable
from secondsticks.watch.journal import Fingerprint
from secondsticks.watch.looking import clips_in, fingerprint
from secondsticks.watch.outbox import Outbox, OutUnusable
from secondsticks.watch.settling import Settling, written_now
from training.footage.facts import FootageError
from training.footage.sniff import refuse_what_is_no_video
from training.scanner import Scanner, ScannerFailed


@dataclass(frozen=True)
class Order:
    """What to watch, and what is wanted of it. Times are in seconds."""

    folder: Path
    out: Path
    formats: Sequence[Format]
    include_unsure: bool = True
    settle: float = 10.0
    interval: float = 5.0


class Watch:
    """One folder, and an export folder that exists; its lock is held until the `with` block ends.

    Raises AlreadyWatched, and OutUnusable where the export folder cannot be used.
    """

    def __init__(self, order: Order, scanner: Scanner) -> None:
        self._order, self._scanner = order, scanner
        self._outbox = Outbox(order.out, order.formats, include_unsure=order.include_unsure)
        self._is_mount = os.path.ismount(order.folder)
        self._settling = Settling(order.settle)
        self._said: set[str] = set()
        self._bar = ProgressBar(0, "clips")
        self._all_read = True

    def __enter__(self) -> Watch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._outbox.close()

    def once(self) -> bool:
        """Scan what is there; whether all of it was read.

        Raises OutUnusable, and ScannerFailed if there is no scanner to ask.
        """
        first = set(self._look())
        if first:
            self._settling.settled(first)
            time.sleep(self._order.settle)
            present = [one for one in self._look() if one.path in {known.path for known in first}]
            ready = self._ready(one for one in present if one in first)
            for one in present:
                if one not in ready:
                    self._say_once(one.path, f"{printable(one.path)}: it is still being written")
                    self._all_read = False
            self._scan_all(ready)
        self._outbox.write()
        return self._all_read

    def forever(self) -> None:
        """Until it is interrupted. Raises ScannerFailed if there is no scanner to ask."""
        self._scanner.start()  # says now, not with tonight's first clip, that the checkpoint is missing
        self._say(f"Watching {printable(self._order.folder)} for new clips. Ctrl-C ends it.")
        while True:
            began = time.monotonic()
            self._write()
            ready = self._ready(self._look())
            looking = time.monotonic() - began
            self._scan_all(ready)
            time.sleep(max(self._order.interval, looking))  # a slow share is not kept busy by us

    def _look(self) -> list[Fingerprint]:
        """The files that are not dealt with, as they are now."""
        found = []
        try:
            for path in self._paths():
                if one := fingerprint(self._order.folder, path):
                    found.append(one)
        except OSError:
            self._all_read = False
            self._say_once("folder", f"{printable(self._order.folder)} is not there. Waiting for it.")
            return []
        if "folder" in self._said:
            self._said.discard("folder")
            self._say(f"{printable(self._order.folder)} is back.")
        return [one for one in found if not self._outbox.knows(one)]

    def _paths(self) -> Iterator[Path]:
        """The clips in the folder. Raises OSError where there is none: its share was unmounted."""
        for path in clips_in(self._order.folder, is_mount=self._is_mount):
            if isinstance(path, FolderUnreadable):
                self._all_read = False
                self._say_once(str(path.path), f"{printable(path.path)}: {path}")
            else:
                yield path

    def _is_still(self, one: Fingerprint) -> bool:
        return fingerprint(self._order.folder, self._order.folder / one.path) == one

    def _ready(self, found: Iterable[Fingerprint]) -> list[Fingerprint]:
        """Those that are fully written, as far as one can see from here."""
        settled = self._settling.settled(found)
        being_written = written_now() if settled else set()
        ready = []
        for one in settled:
            if os.path.realpath(self._order.folder / one.path) in being_written:
                self._say_once(one.path, f"{printable(one.path)}: another program has it open for writing")
            else:
                ready.append(one)
        return ready

    def _scan_all(self, ready: Sequence[Fingerprint]) -> None:
        with ProgressBar(len(ready), "clips") as self._bar:
            for number, one in enumerate(ready):
                if self._is_still(one):  # it may have changed while the others were read
                    self._scanner.start()
                    self._scan(one, number)
                    self._write()
                self._bar.reach(number + 1)

    def _scan(self, one: Fingerprint, number: int) -> None:
        path = self._order.folder / one.path
        try:
            refuse_what_is_no_video(path)
            clip = marked_clip(path, self._scanner.scan(path, on_progress=self._part_of(number)))
        except (FootageError, ScannerFailed) as error:
            self._all_read = False
            self._fail(one, error)
        else:
            if self._is_still(one):
                self._outbox.add_clip(one, clip)
                self._said.discard(one.path)
                self._say(f"{printable(one.path)}: {_summary(clip)}")
            else:
                self._say(f"{printable(one.path)}: it changed while it was read")
                self._all_read = False

    def _fail(self, one: Fingerprint, error: FootageError | ScannerFailed) -> None:
        """Kept, so that it is not tried again, if it is the file's fault: not if it went away, perhaps with
        its share, or may not be opened by us yet.
        """
        self._say_once(one.path, f"{printable(one.path)}: {error}")
        if error.kind != "missing" and self._is_still(one):
            self._outbox.add_failure(one, str(error))
            self._said.discard(one.path)

    def _part_of(self, number: int) -> Callable[[int, int], None]:
        return lambda done, total: self._bar.reach(number + done / total)

    def _write(self) -> None:
        try:
            self._outbox.write()
            self._said.discard("out")
        except OutUnusable as error:
            self._say_once(
                "out", f"{printable(self._order.out)} cannot be written to: {error}. Trying again."
            )

    def _say(self, line: str) -> None:
        self._bar.say(line)

    def _say_once(self, about: str, line: str) -> None:
        if about not in self._said:
            self._said.add(about)
            self._say(line)


def _summary(clip: MarkedClip) -> str:
    return f"{clip.verdict}, {', '.join(marker.timecode for marker in clip.claps) or clip.reason}"

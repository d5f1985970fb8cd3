"""What a watch writes: the exports of each clip, and when they are whole its line in the journal."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from secondsticks.markers import Format, MarkedClip, written
from secondsticks.markers.tables import disarmed
from secondsticks.watch.journal import Entry, Fingerprint, Journal
from secondsticks.watch.placing import mirrored, place_durably, remove_left_overs

FAILURES = "failures.csv"


class OutUnusable(Exception):
    """The folder for exports cannot be written to."""


@dataclass(frozen=True)
class _Letter:
    """A file that was read, and what is to be written about it."""

    about: Fingerprint
    entry: Entry
    files: dict[str, bytes]


class Outbox:
    """The export folder, which exists; what cannot be written now is kept.

    Raises AlreadyWatched and OutUnusable.
    """

    def __init__(self, folder: Path, formats: Sequence[Format], *, include_unsure: bool) -> None:
        self._folder, self._formats, self._include_unsure = folder, formats, include_unsure
        self._unwritten: list[_Letter] = []
        try:
            self._journal = Journal(folder)
            remove_left_overs(folder)
        except OSError as error:
            raise OutUnusable(error.strerror or str(error)) from error

    def knows(self, one: Fingerprint) -> bool:
        """Whether this very file has been dealt with, written or not."""
        return self._journal.knows(one) or any(letter.about == one for letter in self._unwritten)

    def add_clip(self, one: Fingerprint, clip: MarkedClip) -> None:
        self._add(one, {"outcome": "scanned", "verdict": clip.verdict}, self._files(one, clip))

    def add_failure(self, one: Fingerprint, error: str) -> None:
        self._add(one, {"outcome": "failed", "error": error}, {})

    def write(self) -> None:
        """Write what is left to be written. Raises OutUnusable if some of it is still left: call again."""
        refused: OSError | None = None
        for letter in list(self._unwritten):
            try:
                self._journal.check()
                place_durably(letter.files, self._folder)
                self._write_failures(letter)
                self._journal.append(letter.entry)
                self._unwritten.remove(letter)
            except OSError as error:
                refused = error
        if refused:
            raise OutUnusable(refused.strerror or str(refused)) from refused

    def close(self) -> None:
        self._journal.close()

    def _add(self, one: Fingerprint, outcome: dict[str, Any], files: dict[str, bytes]) -> None:
        entry = asdict(one) | outcome | {"files": list(files), "at": datetime.now(UTC).isoformat()}
        # What is older about this clip must not be written over it later.
        self._unwritten = [letter for letter in self._unwritten if letter.about.path != one.path]
        self._unwritten.append(_Letter(one, entry, files))

    def _files(self, one: Fingerprint, clip: MarkedClip) -> dict[str, bytes]:
        files = written([clip], self._formats, include_unsure=self._include_unsure)
        return mirrored(files, one.path, clip.name, self._owner)

    def _owner(self, file: str) -> str | None:
        for letter in self._unwritten:
            if file.casefold() in map(str.casefold, letter.files):
                return letter.about.path
        return self._journal.owner(file)

    def _write_failures(self, letter: _Letter) -> None:
        """All that failed and has not changed since, as a table."""
        before = self._journal.entries
        after = before | {letter.about.path: letter.entry}
        if any(one["outcome"] == "failed" for one in [*before.values(), letter.entry]):
            failed = [one for one in after.values() if one["outcome"] == "failed"]
            place_durably({FAILURES: _table(failed)}, self._folder)


def _table(failed: Iterable[Entry]) -> bytes:
    text = io.StringIO()
    lines = csv.writer(text)
    lines.writerow(["path", "error", "at"])
    for entry in sorted(failed, key=lambda entry: str(entry["path"])):
        lines.writerow([disarmed(entry[name]) for name in ("path", "error", "at")])
    return text.getvalue().encode("utf-8", "replace")

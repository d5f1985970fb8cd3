"""Files read one after the other; what fails is said and does not stop the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from secondsticks.cli.outcomes import CheckpointRefused, FileRefused
from secondsticks.gather import FolderUnreadable
from secondsticks.terminal import ProgressBar, printable
from training.footage.facts import FootageError
from training.scanner import ScannerFailed

Document = dict[str, Any]
Report = Callable[[float], None]
#: Reads one file and reports how far it is, from 0 to 1. Raises one of REFUSALS.
Read = Callable[[Path, Report], Document]
REFUSALS = (FolderUnreadable, FootageError, ScannerFailed, FileRefused)


def read_all(
    files: Sequence[Path | FolderUnreadable], read: Read, *, what: str
) -> tuple[list[Document], list[Document]]:
    """Read every file; what fails is said on stderr at once and does not stop the others."""
    done: list[Document] = []
    failed: list[Document] = []
    with ProgressBar(len(files), what) as bar:
        for number, path in enumerate(files):
            try:
                if isinstance(path, FolderUnreadable):
                    raise path
                done.append(read(path, _part_of(bar, number)))
            except REFUSALS as error:
                if isinstance(error, ScannerFailed) and error.kind == "checkpoint":
                    raise CheckpointRefused(str(error)) from error
                where = path.path if isinstance(path, FolderUnreadable) else path
                failed.append({"path": str(where), "error": str(error)})
                bar.say(f"{printable(where)}: {error}")
            bar.reach(number + 1)
    return done, failed


def _part_of(bar: ProgressBar, number: int) -> Report:
    """Move the bar within file `number`."""
    return lambda part: bar.reach(number + part)

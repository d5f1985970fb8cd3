"""What the command line shows to a person: a progress bar, tables, names that cannot garble the terminal."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from types import TracebackType


class ProgressBar:
    """How many files of `total` are read, on stderr, where that is a terminal. Use as a context manager."""

    def __init__(self, total: int, what: str) -> None:
        self._bar = None
        if sys.stderr.isatty() and total:
            from tqdm import tqdm  # a quarter of a second that --help need not wait for

            shape = "{desc}: {percentage:3.0f}%|{bar}| {n:.1f}/{total} [{elapsed}<{remaining}]"
            # tqdm shows nothing where the terminal gives its size as 0 x 0, as some consoles do.
            size = shutil.get_terminal_size()
            self._bar = tqdm(
                total=total,
                desc=what,
                bar_format=shape,
                ncols=size.columns,
                nrows=size.lines,
                file=sys.stderr,
                leave=False,
            )

    def reach(self, done: float) -> None:
        if self._bar is not None:
            self._bar.update(max(0.0, done - self._bar.n))

    def say(self, line: str) -> None:
        """A line on stderr, above the bar."""
        if self._bar is not None:
            self._bar.write(line, file=sys.stderr)
        else:
            print(line, file=sys.stderr)

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines with aligned columns; the last column is as long as it likes."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]


def printable(text: object) -> str:
    """The text without control characters or bytes that are no characters: these are escaped."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in str(text)
    )

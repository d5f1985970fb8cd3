"""`--slate-text`: scene, take, roll and camera, read off the sharpest closed slate. Needs the extra `ocr`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from secondsticks.cli.outcomes import ExtraMissing
from secondsticks.cli.reading import Document
from secondsticks.terminal import printable
from training.footage.facts import FootageError
from training.slate_text import NOT_INSTALLED, is_installed
from training.slate_text.failures import SlateTextFailed

if TYPE_CHECKING:
    from training.slate_text.reader import SlateReader


def offer_slate_text(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--slate-text",
        action="store_true",
        help="read scene, take, roll and camera off the slate; needs the extra `ocr`",
    )


class Slates:
    """Reads the slates of scanned clips where that was asked for."""

    def __init__(self, *, asked: bool) -> None:
        if asked and not is_installed():
            raise ExtraMissing(NOT_INSTALLED)
        self.asked = asked
        self._reader: SlateReader | None = None

    def read(self, path: Path, result: Document) -> Document:
        """The result of a scan with `slate_frame` and `slate_read`. What cannot be read fails no clip."""
        if not self.asked:
            return result
        # numpy, which a scan without slates does not need
        from training.claps.sharpness import candidates
        from training.slate_text.reader import SlateReader

        self._reader = self._reader or SlateReader()
        try:
            found = self._reader.read_sharpest(path, candidates(result))
        except (FootageError, SlateTextFailed) as error:
            print(f"{printable(path)}: its slate was not read. {error}", file=sys.stderr)
            found = None
        frame, slate = found or (None, None)
        return result | {"slate_frame": frame, "slate_read": slate.fields if slate else {}}

    def __enter__(self) -> Slates:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._reader is not None:
            self._reader.close()

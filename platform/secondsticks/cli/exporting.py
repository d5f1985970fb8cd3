"""`--export FORMAT --out DIR`: claps as files for editing programs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from secondsticks.cli.outcomes import FolderRefused
from secondsticks.cli.reading import Document
from secondsticks.markers import FORMATS, Format, MarkedClip, place, written
from secondsticks.terminal import printable

OUT = "the folder for those files; made if it is missing"


def offer_exports(command: argparse.ArgumentParser) -> None:
    names = ", ".join(FORMATS)
    command.add_argument(
        "--export",
        type=_formats,
        metavar="FORMAT[,FORMAT]",
        help=f"files for editing programs: {names}; or all",
    )
    command.add_argument(
        "--sure-only", action="store_true", help="leave claps that a person should look at out of them"
    )


def _formats(text: str) -> list[Format]:
    names = list(FORMATS) if text == "all" else text.split(",")
    for name in names:
        if name not in FORMATS:
            raise argparse.ArgumentTypeError(
                f"there is no format {name!r}; there are {', '.join(FORMATS)}, all"
            )
    return [FORMATS[name] for name in dict.fromkeys(names)]


def make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FolderRefused(f"{printable(folder)} cannot be used: {error.strerror}.") from error


def unread(failure: Document) -> MarkedClip:
    path = Path(failure["path"])
    return MarkedClip(name=path.name, path=path, reason=failure["error"])


def export(clips: Sequence[MarkedClip], options: argparse.Namespace) -> None:
    files = written(clips, options.export, include_unsure=not options.sure_only)
    try:
        paths = place(files, options.out)
    except OSError as error:
        raise FolderRefused(
            f"The files could not be written to {printable(options.out)}: {error.strerror}."
        ) from error
    print(
        f"Wrote {len(paths)} file{'' if len(paths) == 1 else 's'} to {printable(options.out)}.",
        file=sys.stderr,
    )

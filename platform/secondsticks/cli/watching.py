"""`secondsticks watch`: a folder scanned as it fills."""

from __future__ import annotations

import argparse
from pathlib import Path

from secondsticks.cli.exporting import OUT, make_folder, offer_exports
from secondsticks.cli.outcomes import ALL_READ, SOME_FAILED, CheckpointRefused, FolderRefused
from secondsticks.markers import FORMATS
from secondsticks.terminal import printable
from secondsticks.watch.journal import AlreadyWatched
from secondsticks.watch.outbox import OutUnusable
from secondsticks.watch.overlap import refuse_overlap
from secondsticks.watch.watching import Order, Watch
from training.scanner import Scanner, ScannerFailed

HELP = "scan a folder as it fills"
DESCRIPTION = "Scan new, fully written clips in a folder and under it. A restart repeats nothing."


def offer(command: argparse.ArgumentParser) -> None:
    command.add_argument("folder", type=Path, metavar="DIR", help="the footage; nothing is written into it")
    command.add_argument("--out", type=Path, metavar="DIR", required=True, help=OUT)
    offer_exports(command)
    command.set_defaults(export=list(FORMATS.values()))
    command.add_argument(
        "--settle",
        type=_seconds,
        default=10.0,
        metavar="S",
        help="seconds that a file must stay as it is to count as fully written, otherwise 10",
    )
    command.add_argument("--once", action="store_true", help="scan what is there, and end")


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 86400:  # also refuses nan
        raise argparse.ArgumentTypeError(f"{text} is not from 0 seconds to a day")
    return value


def run(options: argparse.Namespace, scanner: Scanner) -> int:
    order = Order(options.folder, options.out, options.export, not options.sure_only, options.settle)
    refuse_overlap(order.folder, order.out)
    make_folder(order.out)
    try:
        with Watch(order, scanner) as watch:
            if not options.once:
                watch.forever()
            return ALL_READ if watch.once() else SOME_FAILED
    except AlreadyWatched:
        raise FolderRefused(f"Another watch already writes to {printable(order.out)}.") from None
    except OutUnusable as error:
        raise FolderRefused(f"{printable(order.out)} cannot be written to: {error}.") from error
    except ScannerFailed as error:  # of no file: there is no scanner to ask
        raise CheckpointRefused(str(error)) from error

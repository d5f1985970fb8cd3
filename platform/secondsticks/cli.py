"""`secondsticks scan`, `watch` and `detect`: claps and slates without a server or a database.

The network runs in a scanner process of its own. What comes out is described in docs/scan-json.md.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from secondsticks import __version__
from secondsticks.gather import FolderUnreadable, gather
from secondsticks.markers import FORMATS, Format, MarkedClip, marked_clip, place, written
from secondsticks.terminal import ProgressBar, printable, table
from secondsticks.watch.journal import AlreadyWatched
from secondsticks.watch.outbox import OutUnusable
from secondsticks.watch.overlap import WatchRefused, refuse_overlap
from secondsticks.watch.watching import Order, Watch
from training.footage.facts import FootageError
from training.footage.sniff import refuse_what_is_no_video
from training.scanner import Scanner, ScannerFailed

ALL_READ, SOME_FAILED, WRONG_USAGE, STOPPED = 0, 1, 2, 130
Document = dict[str, Any]
#: Reads one file and reports how far it is, from 0 to 1. Raises ScannerFailed or FootageError.
Read = Callable[[Path, Callable[[float], None]], Document]


class CheckpointRefused(Exception):
    """The checkpoint that was asked for cannot be used."""


class FolderRefused(Exception):
    """The folder for exported files cannot be used."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a name must not end us on a terminal without its letters
            stream.reconfigure(errors="backslashreplace")
    parser = _parser()
    options = parser.parse_args(arguments)
    command = {"scan": _scan, "watch": _watch, "detect": _detect}[options.command]
    if options.command == "scan" and bool(options.export) != bool(options.out):
        parser.error("--export and --out go together")
    try:
        with Scanner(checkpoint=options.checkpoint) as scanner:
            return command(options, scanner)
    except (CheckpointRefused, FolderRefused, WatchRefused) as error:
        print(f"secondsticks: {error}", file=sys.stderr)
        return WRONG_USAGE
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return STOPPED
    except BrokenPipeError:
        # Whoever read our stdout has left. Python would complain once more when it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 128 + signal.SIGPIPE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="secondsticks", description="Finds the claps in film footage.")
    parser.add_argument("--version", action="version", version=f"secondsticks {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    scan = commands.add_parser("scan", help="find the claps in clips", description="Find the claps in clips.")
    scan.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a clip, or a folder of clips")
    _offer_exports(scan)
    scan.add_argument("--out", type=Path, metavar="DIR", help=_OUT)
    watch = _offer_watch(commands)
    detect = commands.add_parser(
        "detect", help="find the slates in still images", description="Find the slates in still images."
    )
    detect.add_argument("paths", nargs="+", type=Path, metavar="IMAGE", help="a still image")
    detect.add_argument(
        "--score-threshold", type=_score, default=0.5, metavar="S", help="from 0 to 1, otherwise 0.5"
    )
    for command in (scan, detect):
        command.add_argument("--json", action="store_true", help="one JSON document on stdout")
    for command in (scan, watch, detect):
        command.add_argument("--checkpoint", type=Path, metavar="FILE", help="instead of the shipped one")
        command.epilog = "Exit status: 0 all files were read, 1 some were not, 2 wrong usage."
    return parser


_OUT = "the folder for those files; made if it is missing"


def _offer_watch(commands: Any) -> argparse.ArgumentParser:
    watch: argparse.ArgumentParser = commands.add_parser(
        "watch",
        help="scan a folder as it fills",
        description="Scan new, fully written clips in a folder and under it. A restart repeats nothing.",
    )
    watch.add_argument("folder", type=Path, metavar="DIR", help="the footage; nothing is written into it")
    watch.add_argument("--out", type=Path, metavar="DIR", required=True, help=_OUT)
    _offer_exports(watch)
    watch.set_defaults(export=list(FORMATS.values()))
    watch.add_argument(
        "--settle",
        type=_seconds,
        default=10.0,
        metavar="S",
        help="seconds that a file must stay as it is to count as fully written, otherwise 10",
    )
    watch.add_argument("--once", action="store_true", help="scan what is there, and end")
    return watch


def _offer_exports(scan: argparse.ArgumentParser) -> None:
    names = ", ".join(FORMATS)
    scan.add_argument(
        "--export",
        type=_formats,
        metavar="FORMAT[,FORMAT]",
        help=f"files for editing programs: {names}; or all",
    )
    scan.add_argument(
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


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 86400:  # also refuses nan
        raise argparse.ArgumentTypeError(f"{text} is not from 0 seconds to a day")
    return value


def _score(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:  # also refuses nan
        raise argparse.ArgumentTypeError(f"{text} is not from 0 to 1")
    return value


def _scan(options: argparse.Namespace, scanner: Scanner) -> int:
    marked: list[MarkedClip] = []

    def read(path: Path, report: Callable[[float], None]) -> Document:
        refuse_what_is_no_video(path)  # at once, where it is plain, without waiting for the network
        result = scanner.scan(path, on_progress=lambda done, total: report(done / total))
        marked.append(marked_clip(path, result))
        return _clip(path, result)

    if options.out:
        _make(options.out)  # before hours of work, not after them
    files = list(gather(options.paths))
    if not files:
        print("No video files were found.", file=sys.stderr)
    clips, failed = _read_all(files, read, what="clips")
    _print({"version": 1, "clips": clips, "failed": failed}, options.json, _clip_lines(clips))
    if options.out:
        _export([*marked, *map(_unread, failed)], options)
    return SOME_FAILED if failed else ALL_READ


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FolderRefused(f"{printable(folder)} cannot be used: {error.strerror}.") from error


def _unread(failure: Document) -> MarkedClip:
    path = Path(failure["path"])
    return MarkedClip(name=path.name, path=path, reason=failure["error"])


def _export(clips: Sequence[MarkedClip], options: argparse.Namespace) -> None:
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


def _watch(options: argparse.Namespace, scanner: Scanner) -> int:
    order = Order(options.folder, options.out, options.export, not options.sure_only, options.settle)
    refuse_overlap(order.folder, order.out)
    _make(order.out)
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


def _detect(options: argparse.Namespace, scanner: Scanner) -> int:
    def read(path: Path, report: Callable[[float], None]) -> Document:
        return {"path": str(path), **scanner.detect(path, score_threshold=options.score_threshold)}

    files = list(dict.fromkeys(options.paths))
    images, failed = _read_all(files, read, what="images")
    _print({"version": 1, "images": images, "failed": failed}, options.json, _image_lines(images))
    return SOME_FAILED if failed else ALL_READ


def _part_of(bar: ProgressBar, number: int) -> Callable[[float], None]:
    """Move the bar within file `number`."""
    return lambda part: bar.reach(number + part)


def _read_all(
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
            except (FolderUnreadable, FootageError, ScannerFailed) as error:
                if isinstance(error, ScannerFailed) and error.kind == "checkpoint":
                    raise CheckpointRefused(str(error)) from error
                where = path.path if isinstance(path, FolderUnreadable) else path
                failed.append({"path": str(where), "error": str(error)})
                bar.say(f"{printable(where)}: {error}")
            bar.reach(number + 1)
    return done, failed


_OF_A_CLAP = (
    *("frame", "timecode", "seconds", "confidence", "picture_confidence", "sound_confidence"),
    *("sample", "sample_rate", "disagreement_ms"),
)


def _clip(path: Path, result: Document) -> Document:
    """One of the document's clips, from what the scanner says."""
    facts = result["facts"]
    return {
        "path": str(path),
        "fps": facts["rate"],
        "frames": facts["frames"],
        "start_timecode": facts["start_timecode"],
        "verdict": result["verdict"],
        "reason": result["reason"],
        "av_offset_ms": result["sound"]["av_offset_ms"],
        "claps": [{name: clap[name] for name in _OF_A_CLAP} for clap in result["claps"]],
    }


def _print(document: Document, as_json: bool, lines: Sequence[str]) -> None:
    if as_json:
        print(json.dumps(document, indent=1, allow_nan=False))
    elif lines:
        print("\n".join(lines))
    sys.stdout.flush()


def _clip_lines(clips: Sequence[Document]) -> list[str]:
    rows = [["CLIP", "VERDICT", "CLAP", "FRAME", "CONFIDENCE", "SOUND", "WHY"]]
    for clip in clips:
        first = [printable(clip["path"]), clip["verdict"]]
        claps = [
            [one["timecode"], str(one["frame"]), f"{one['confidence']:.2f}", _sound_of(one)]
            for one in clip["claps"]
        ]
        for number, clap in enumerate(claps or [[""] * 4]):
            rows.append([*(["", ""] if number else first), *clap, "" if number else clip["reason"]])
    return table(rows) if clips else []


def _sound_of(clap: Document) -> str:
    """How far the sound is from the picture; nothing for a clip without sound."""
    if clap["disagreement_ms"] is not None:
        return f"{clap['disagreement_ms']:+.0f} ms" if clap["disagreement_ms"] else "agrees"
    return "" if clap["sound_confidence"] is None else "not heard"


def _image_lines(images: Sequence[Document]) -> list[str]:
    rows = [["IMAGE", "STATE", "SCORE", "BOX"]]
    for image in images:
        found = [
            [one["state"], f"{one['score']:.2f}", " ".join(f"{value:.0f}" for value in one["bbox"])]
            for one in image["detections"]
        ]
        for number, cells in enumerate(found or [["no slate", "", ""]]):
            rows.append(["" if number else printable(image["path"]), *cells])
    return table(rows) if images else []


if __name__ == "__main__":
    sys.exit(main())

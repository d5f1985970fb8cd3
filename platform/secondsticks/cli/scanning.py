"""`secondsticks scan`: the claps in clips."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from secondsticks.cli.exporting import OUT, export, make_folder, offer_exports, unread
from secondsticks.cli.outcomes import ALL_READ, SOME_FAILED
from secondsticks.cli.reading import Document, Report, read_all
from secondsticks.cli.showing import show
from secondsticks.cli.slates import Slates, offer_slate_text
from secondsticks.gather import gather
from secondsticks.markers import MarkedClip, marked_clip
from secondsticks.markers.scanned import suggested_in
from secondsticks.markers.tables import on_slate
from secondsticks.terminal import printable, table
from training.footage.sniff import refuse_what_is_no_video
from training.scanner import Scanner
from training.slate_text.fields import CONFIDENT, FIELDS

HELP = "find the claps in clips"
DESCRIPTION = "Find the claps in clips."
_OF_A_CLAP = (
    *("frame", "timecode", "seconds", "confidence", "picture_confidence", "sound_confidence"),
    *("sample", "sample_rate", "disagreement_ms"),
)


def offer(command: argparse.ArgumentParser) -> None:
    command.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a clip, or a folder of clips")
    offer_exports(command)
    command.add_argument("--out", type=Path, metavar="DIR", help=OUT)
    offer_slate_text(command)
    command.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(options: argparse.Namespace, scanner: Scanner) -> int:
    marked: list[MarkedClip] = []

    def read(path: Path, report: Report) -> Document:
        result = slates.read(path, scan(scanner, path, report))
        marked.append(marked_clip(path, result))
        return clip_document(path, result)

    slates = Slates(asked=options.slate_text)
    if options.out:
        make_folder(options.out)  # before hours of work, not after them
    files = list(gather(options.paths))
    if not files:
        print("No video files were found.", file=sys.stderr)
    with slates:
        clips, failed = read_all(files, read, what="clips")
    document = {"version": 1, "clips": clips, "failed": failed}
    show(document, as_json=options.json, lines=_lines(clips, with_slates=options.slate_text))
    if options.out:
        export([*marked, *map(unread, failed)], options)
    return SOME_FAILED if failed else ALL_READ


def scan(scanner: Scanner, path: Path, report: Report) -> Document:
    refuse_what_is_no_video(path)  # at once, where it is plain, without waiting for the network
    return scanner.scan(path, on_progress=lambda done, total: report(done / total))


def clip_document(path: Path, result: Document) -> Document:
    """One of the document's clips, from what the scanner says."""
    facts = result["facts"]
    read: Document = {name: result[name] for name in ("slate_frame", "slate_read") if name in result}
    return {
        "path": str(path),
        "fps": facts["rate"],
        "frames": facts["frames"],
        "start_timecode": facts["start_timecode"],
        "verdict": result["verdict"],
        "reason": result["reason"],
        "av_offset_ms": result["sound"]["av_offset_ms"],
        "claps": [{name: clap[name] for name in _OF_A_CLAP} for clap in result["claps"]],
        **on_slate({}, suggested_in(result)),
        **read,
    }


def _lines(clips: Sequence[Document], *, with_slates: bool) -> list[str]:
    slate = ["SLATE"] if with_slates else []
    rows = [["CLIP", "VERDICT", "CLAP", "FRAME", "CONFIDENCE", "SOUND", *slate, "WHY"]]
    for clip in clips:
        first = [printable(clip["path"]), clip["verdict"]]
        last = [*([_slate_of(clip)] if with_slates else []), clip["reason"]]
        claps = [
            [one["timecode"], str(one["frame"]), f"{one['confidence']:.2f}", _sound_of(one)]
            for one in clip["claps"]
        ]
        for number, clap in enumerate(claps or [[""] * 4]):
            rows.append([*(["", ""] if number else first), *clap, *([""] * len(last) if number else last)])
    return table(rows) if clips else []


def _slate_of(clip: Document) -> str:
    """What was read on the slate; a question mark where the machine is unsure."""
    return " ".join(
        f"{name} {field['text']}{'' if field['confidence'] >= CONFIDENT else '?'}"
        for name in FIELDS
        if (field := clip["slate_read"].get(name))
    )


def _sound_of(clap: Document) -> str:
    """How far the sound is from the picture; nothing for a clip without sound."""
    if clap["disagreement_ms"] is not None:
        return f"{clap['disagreement_ms']:+.0f} ms" if clap["disagreement_ms"] else "agrees"
    return "" if clap["sound_confidence"] is None else "not heard"

"""`secondsticks link-sound`: which recorder's file belongs to which clip, and where the clip lies in it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

from secondsticks.cli.exporting import OUT, export, make_folder, offer_exports, unread
from secondsticks.cli.outcomes import ALL_READ, SOME_FAILED
from secondsticks.cli.reading import Document, Report, read_all
from secondsticks.cli.scanning import clip_document, scan
from secondsticks.cli.showing import show
from secondsticks.gather import FolderUnreadable, gather, is_clip, is_sound
from secondsticks.terminal import printable, table
from training.scanner import Scanner

HELP = "find the sound recorder's file of each clip"
DESCRIPTION = (
    "Find the WAV or Broadcast WAV file that was recorded with each clip, by timecode and by claps heard "
    "in both, and where in it the clip begins. Nothing is written to either."
)


def offer(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "paths",
        nargs="+",
        type=Path,
        metavar="PATH",
        help="a clip, a sound file (.wav, .bwf), or a folder of both",
    )
    offer_exports(command)
    command.add_argument("--out", type=Path, metavar="DIR", help=OUT)
    command.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(options: argparse.Namespace, scanner: Scanner) -> int:
    from secondsticks.cli.recordings import Recordings  # numpy and scipy, which no other command needs

    if options.out:
        make_folder(options.out)  # before hours of work, not after them
    sound_files, clip_files = _sorted(
        gather(options.paths, wanted=lambda path: is_clip(path) or is_sound(path))
    )
    recordings = Recordings()

    def link(path: Path, report: Report) -> Document:
        result = scan(scanner, path, report)
        return clip_document(path, result) | {"sound": recordings.match(path, result)}

    sounds, unheard = read_all(sound_files, recordings.hear, what="sounds")
    clips, unseen = read_all(clip_files, link, what="clips")
    document = {"version": 1, "sounds": sounds, "clips": clips, "failed": [*unheard, *unseen]}
    show(document, as_json=options.json, lines=_lines(clips))
    if options.out:
        export([*recordings.marked, *map(unread, unseen)], options)
    return SOME_FAILED if unheard or unseen else ALL_READ


def _sorted(found: Iterable[Path | FolderUnreadable]) -> tuple[list[Path], list[Path | FolderUnreadable]]:
    """Sound files, and clips with what cannot be told."""
    sounds: list[Path] = []
    clips: list[Path | FolderUnreadable] = []
    for path in found:
        if isinstance(path, Path) and is_sound(path):
            sounds.append(path)
        else:
            clips.append(path)
    if not sounds:
        print("No sound files were found: their names end in .wav or .bwf.", file=sys.stderr)
    if not clips:
        print("No video files were found.", file=sys.stderr)
    return sounds, clips


def _lines(clips: Sequence[Document]) -> list[str]:
    rows = [["CLIP", "SOUND FILE", "BEGINS AT SAMPLE", "FRAME", "SECONDS", "BY", "", "WHY"]]
    rows += [_row(clip["path"], clip["sound"]) for clip in clips]
    return table(rows) if clips else []


def _row(path: str, sound: Document) -> list[str]:
    if sound["file"] is None:
        return [printable(path), "", "", "", "", "", sound["certainty"], sound["reason"]]
    seconds = Fraction(sound["offset_samples"], sound["sample_rate"])
    return [
        printable(path),
        printable(Path(sound["file"]).name),
        str(sound["offset_samples"]),
        f"{sound['offset_frames']:.2f}",
        f"{float(seconds):.3f}",
        sound["how"],
        sound["certainty"],
        printable(sound["reason"]),
    ]

"""Where clips lie in a recorder's sound file: `python -m training.sound.link SOUND.wav CLIP [CLIP ...]`.

Prints a line of JSON for each clip; nothing is written to either file.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

from training.claps.appearance import Clap
from training.footage.facts import ClipFacts
from training.scanner import Scanner, ScannerFailed
from training.slates import Box
from training.sound.files import SoundFile, SoundFileError, probe_sound, read_sound
from training.sound.links import SoundLink, link
from training.sound.transients import Transient, find_transients

Document = dict[str, Any]


class Scans(Protocol):
    """What scans a clip: training.scanner.Scanner."""

    def scan(self, path: Path, *, on_progress: Any) -> Document: ...


def link_scanned(result: Document, sound: SoundFile, transients: Sequence[Transient]) -> SoundLink | None:
    """Link a scanned clip: `result` as in docs/scan-json.md, `transients` those of the sound file."""
    claps = [_clap(clap) for clap in result["claps"]]
    return link(ClipFacts.from_json(result["facts"]), claps, sound, transients)


def _clap(document: Document) -> Clap:
    known = {name: document[name] for name in Clap.__slots__ if name in document}
    return Clap(**known | {"box": Box(*document["box"]) if document.get("box") else None})


def main(arguments: Sequence[str] | None = None, scans: Scans | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m training.sound.link", description=__doc__)
    parser.add_argument("sound", type=Path, metavar="SOUND")
    parser.add_argument("clips", type=Path, nargs="+", metavar="CLIP")
    options = parser.parse_args(arguments)
    try:
        sound = probe_sound(options.sound)
    except SoundFileError as error:
        print(f"{options.sound}: {error}", file=sys.stderr)
        return 1
    transients = find_transients(read_sound(sound)).transients
    if scans is not None:
        return _tell_all(options.clips, sound, transients, scans)
    with Scanner() as scanner:
        return _tell_all(options.clips, sound, transients, scanner)


def _tell_all(clips: Sequence[Path], sound: SoundFile, transients: Sequence[Transient], scans: Scans) -> int:
    failed = False
    for path in clips:
        try:
            result = scans.scan(path, on_progress=lambda done, total: None)
        except ScannerFailed as error:
            failed = True
            print(f"{path}: {error}", file=sys.stderr)
            continue
        found = link_scanned(result, sound, transients)
        linked = {**asdict(found), "offset_frames": float(found.offset_frames)} if found else None
        print(json.dumps({"clip": str(path), "sound": str(sound.path), "link": linked}))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

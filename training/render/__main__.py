"""Draw slates to train on, to test with and to show.

python -m training.render stills --out DIR --count N --seed S [--backgrounds DIR] [--workers 2]
python -m training.render frames --out DIR --count N ...      frames of takes, most of them around the clap
python -m training.render clips --out DIR --kind head --count N --rate 24000/1001 --size 1280x720 --seconds 8
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import cv2
from tqdm import tqdm

from training.render.clips import ClipSpec, write_clips
from training.render.long import write_long
from training.render.motion import KINDS
from training.render.sets import draw_frame, draw_still, write_set

LONG = "two_slates_long"


def size(text: str) -> tuple[int, int]:
    wide, _, high = text.partition("x")
    return int(wide), int(high)


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="python -m training.render",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    whats = top.add_subparsers(dest="what", required=True)
    for name, meaning in (("stills", "pictures and coco.json"), ("frames", "frames of takes and coco.json")):
        each = whats.add_parser(name, help=meaning)
        _options_of_all(each, (640, 360))
        each.add_argument("--workers", type=int, default=1)
    clips = whats.add_parser("clips", help="clips with sound, a .truth.json beside each")
    _options_of_all(clips, (1280, 720))
    clips.add_argument("--kind", choices=[*KINDS, LONG], default="head")
    clips.add_argument("--rate", type=Fraction, default=Fraction(24), help="exact: 24000/1001")
    clips.add_argument("--seconds", type=float, default=8.0)
    clips.add_argument("--start-timecode", help="HH:MM:SS:FF; HH:MM:SS;FF for drop-frame")
    clips.add_argument("--no-sound", action="store_true")
    clips.add_argument("--hard", action="store_true", help="any light, any distance, any lens")
    return top


def _options_of_all(to: argparse.ArgumentParser, default_size: tuple[int, int]) -> None:
    to.add_argument("--out", type=Path, required=True, help="a folder; what is there already is kept")
    to.add_argument("--count", type=int, default=1)
    to.add_argument("--seed", type=int, default=0)
    to.add_argument("--backgrounds", type=Path, help="a folder of photographs without slates")
    to.add_argument("--size", type=size, default=default_size, help="WIDTHxHEIGHT")


def written(options: argparse.Namespace) -> Iterator[int]:
    """Do what the options ask for; yields how many are there."""
    if options.what == "clips":
        spec = ClipSpec(
            kind=options.kind,
            rate=options.rate,
            size=options.size,
            seconds=options.seconds,
            start_timecode=options.start_timecode,
            seed=options.seed,
            audio=not options.no_sound,
            clean=not options.hard,
        )
        write = write_long if options.kind == LONG else write_clips
        return write(options.out, spec, count=options.count, backgrounds=options.backgrounds)
    return write_set(
        options.out,
        count=options.count,
        seed=options.seed,
        size=options.size,
        backgrounds=options.backgrounds,
        workers=options.workers,
        draw=draw_frame if options.what == "frames" else draw_still,
    )


def main(arguments: Sequence[str] | None = None) -> None:
    options = parser().parse_args(arguments)
    cv2.setNumThreads(1)
    with tqdm(total=options.count, unit=options.what.rstrip("s")) as bar:
        for done in written(options):
            bar.update(done - bar.n)


if __name__ == "__main__":
    main()

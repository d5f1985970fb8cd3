"""python -m training.render stills|frames|clips --out DIR ...: draw slates to train on, to test with, to show."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from training.render.sets import write_set


def size(text: str) -> tuple[int, int]:
    wide, _, high = text.partition("x")
    return int(wide), int(high)


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python -m training.render", description=__doc__)
    kinds = top.add_subparsers(dest="what", required=True)
    stills = kinds.add_parser("stills", help="pictures and coco.json")
    stills.add_argument(
        "--size", type=size, default=(640, 360), help="WIDTHxHEIGHT; other shapes are mixed in"
    )
    stills.add_argument("--workers", type=int, default=1)
    for each in (stills,):
        each.add_argument("--out", type=Path, required=True)
        each.add_argument("--count", type=int, default=1)
        each.add_argument("--seed", type=int, default=0)
        each.add_argument("--backgrounds", type=Path, help="a folder of photographs without slates")
    return top


def main(arguments: Sequence[str] | None = None) -> None:
    options = parser().parse_args(arguments)
    written = write_set(
        options.out,
        count=options.count,
        seed=options.seed,
        size=options.size,
        backgrounds=options.backgrounds,
        workers=options.workers,
    )
    with tqdm(total=options.count, unit="picture") as bar:
        for done in written:
            bar.update(done - bar.n)


if __name__ == "__main__":
    main()

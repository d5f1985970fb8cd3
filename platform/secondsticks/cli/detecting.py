"""`secondsticks detect`: the slates in still images."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from secondsticks.cli.outcomes import ALL_READ, SOME_FAILED
from secondsticks.cli.reading import Document, Report, read_all
from secondsticks.cli.showing import show
from secondsticks.terminal import printable, table
from training.scanner import Scanner

HELP = "find the slates in still images"
DESCRIPTION = "Find the slates in still images."


def offer(command: argparse.ArgumentParser) -> None:
    command.add_argument("paths", nargs="+", type=Path, metavar="IMAGE", help="a still image")
    command.add_argument(
        "--score-threshold", type=_score, default=0.5, metavar="S", help="from 0 to 1, otherwise 0.5"
    )
    command.add_argument("--json", action="store_true", help="one JSON document on stdout")


def _score(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:  # also refuses nan
        raise argparse.ArgumentTypeError(f"{text} is not from 0 to 1")
    return value


def run(options: argparse.Namespace, scanner: Scanner) -> int:
    def read(path: Path, report: Report) -> Document:
        return {"path": str(path), **scanner.detect(path, score_threshold=options.score_threshold)}

    files = list(dict.fromkeys(options.paths))
    images, failed = read_all(files, read, what="images")
    document = {"version": 1, "images": images, "failed": failed}
    show(document, as_json=options.json, lines=_lines(images))
    return SOME_FAILED if failed else ALL_READ


def _lines(images: Sequence[Document]) -> list[str]:
    rows = [["IMAGE", "STATE", "SCORE", "BOX"]]
    for image in images:
        found = [
            [one["state"], f"{one['score']:.2f}", " ".join(f"{value:.0f}" for value in one["bbox"])]
            for one in image["detections"]
        ]
        for number, cells in enumerate(found or [["no slate", "", ""]]):
            rows.append(["" if number else printable(image["path"]), *cells])
    return table(rows) if images else []

"""How well scene, take, roll and camera are read off rendered slates: `python benchmarks/slate_text.py`.

Frames of rendered takes a moment after their clap, at full size, cut out by their true box: it measures
reading, not detecting. Hands, shadows and tape cover some of the fields, as in life; a field that is
covered counts as written, so not all of them can be read. Needs the extra `ocr`.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from statistics import median

import cv2
import numpy as np
from tqdm import tqdm

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from training import slate_text  # noqa: E402
from training.claps.sharpness import part  # noqa: E402
from training.render.scenes import Backgrounds  # noqa: E402
from training.render.shots import choose_shot  # noqa: E402
from training.slate_text.fields import CONFIDENT, FIELDS  # noqa: E402
from training.slate_text.reader import MARGIN, SlateReader  # noqa: E402

RESULT = ROOT / "benchmarks/results/slate_text.json"
SEED = 85_000
#: Which of a board's labels are a field of ours; the first that is written counts.
LABELS = {"scene": ("SCENE", "SLATE", "SHOT"), "take": ("TAKE",), "roll": ("ROLL",), "camera": ("CAM",)}
#: Of four slates, one is a tail slate, which may be held upside down.
KINDS = ("head", "head", "head", "tail")


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    if not slate_text.is_installed():
        print(slate_text.NOT_INSTALLED, file=sys.stderr)
        return 2
    cv2.setNumThreads(1)
    counts: Counter[str] = Counter()
    seconds, misread = [], []
    with SlateReader() as reader:
        for name, picture, truth, upside_down in tqdm(_slates(options), total=options.count, unit="slate"):
            began = time.monotonic()
            slate = reader.read(picture)
            seconds.append(time.monotonic() - began)
            read = {field: (one["text"], one["confidence"]) for field, one in slate.fields.items()}
            _count(counts, truth, read)
            counts["upside down"] += upside_down
            counts["upside down, seen"] += upside_down and slate.upside_down
            counts["turned for nothing"] += slate.upside_down and not upside_down
            misread += [
                {
                    "slate": name,
                    "field": field,
                    "written": truth.get(field, ""),
                    "read": text,
                    "confidence": round(at, 2),
                }
                for field, (text, at) in read.items()
                if truth.get(field, "").upper() != text
            ]
    result = _result(options, counts, seconds, misread)
    if not options.no_result:
        RESULT.write_text(json.dumps(result, indent=1) + "\n")
    print(_table(result))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=60, help="slates")
    parser.add_argument("--size", default="1920x1080", help="of the picture: WIDTHxHEIGHT")
    parser.add_argument("--hard", action="store_true", help="any light, any distance, any lens")
    parser.add_argument("--backgrounds", type=Path, help="a folder of photographs without slates")
    parser.add_argument("--no-result", action="store_true", help="do not write results/slate_text.json")
    return parser


def _slates(
    options: argparse.Namespace,
) -> Iterator[tuple[str, np.ndarray, dict[str, str], bool]]:
    """Name, picture, field -> what is written, upside down: of boards that somebody has filled in or not."""
    photos = Backgrounds(options.backgrounds)
    wide, _, high = options.size.partition("x")
    size = int(wide), int(high)
    for number in range(options.count):
        kind = KINDS[number % len(KINDS)]
        shot = choose_shot(
            kind,
            rate=Fraction(24),
            size=size,
            seconds=4.0,
            seed=SEED + number,
            backgrounds=photos,
            clean=not options.hard,
        )
        picture, slate = shot.frame(min(shot.claps[0] + 6, shot.frames - 1))
        if slate is None:
            continue
        box = [slate.box.x, slate.box.y, slate.box.w, slate.box.h]
        written = {
            field: next((slate.text[label] for label in labels if label in slate.text), "")
            for field, labels in LABELS.items()
        }
        truth = {field: text for field, text in written.items() if text}
        yield (
            f"{kind}-{SEED + number}",
            part(picture, box, full_width=size[0], margin=MARGIN),
            truth,
            slate.upside_down,
        )


def _count(counts: Counter[str], truth: dict[str, str], read: dict[str, tuple[str, float]]) -> None:
    counts["slates"] += 1
    for field in FIELDS:
        text, confidence = read.get(field, ("", 0.0))
        right = bool(text) and truth.get(field, "").upper() == text
        counts[f"{field} written"] += field in truth
        counts[f"{field} right"] += right
        counts[f"{field} wrong"] += bool(text) and not right
        counts[f"{field} confident"] += confidence >= CONFIDENT
        counts[f"{field} confident, wrong"] += confidence >= CONFIDENT and not right


def _result(
    options: argparse.Namespace, counts: Counter[str], seconds: list[float], misread: list[dict[str, object]]
) -> dict[str, object]:
    columns = ("written", "right", "wrong", "confident", "confident, wrong")
    return {
        "slates": counts["slates"],
        "size": options.size,
        "hard": options.hard,
        "fields": {field: {column: counts[f"{field} {column}"] for column in columns} for field in FIELDS},
        "upside_down": {
            name: counts[name] for name in ("upside down", "upside down, seen", "turned for nothing")
        },
        "median_seconds": round(median(seconds), 2),
        "misread": misread,
    }


def _table(result: dict[str, object]) -> str:
    fields: dict[str, dict[str, int]] = result["fields"]  # type: ignore[assignment]
    lines = [
        "| field | written | read right | read wrong | confident | confident but wrong |",
        "|---|---|---|---|---|---|",
    ]
    for field, count in fields.items():
        share = f"{count['right'] / count['written']:.0%}" if count["written"] else "–"
        cells = (
            count["written"],
            f"{count['right']} ({share})",
            count["wrong"],
            count["confident"],
            count["confident, wrong"],
        )
        lines.append(f"| {field} | " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())

"""How the shipped checkpoint is made, from nothing but photographs without slates and ImageNet weights.

`python -m training.recipe --backgrounds DIR --validation DIR --backbone-weights FILE --out DIR` renders,
trains in two stages, measures and exports. Started again after a kill, it goes on: pictures that are there
are kept, and each stage resumes.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2

from training.checkpoints import CheckpointError, write_whole
from training.coco import CocoError, CocoImage, CocoSet, find_coco, write_coco
from training.dataset import fit, read_picture
from training.evaluate import evaluate, table
from training.inference import load_detector
from training.loop import Options
from training.render.sets import Draw, draw_frame, draw_still, write_set
from training.run_state import RunError
from training.train import train

#: Photographs without slates are learned as they are, so often in an epoch: with fewer, printed shirts and
#: certificates were taken for slates.
NEGATIVE_TIMES = 24
PICTURE_ENDINGS = {".jpg", ".jpeg", ".png", ".webp"}


@dataclass(frozen=True)
class Amounts:
    """How much of everything; the defaults are about what the shipped checkpoint saw."""

    stills: int = 8000
    frames: int = 1600
    validation_count: int = 300
    first_steps: int = 1400
    second_steps: int = 3000
    first_side: int = 384
    second_side: int = 448


def write_negatives(photographs: Path, out: Path, *, times: int = NEGATIVE_TIMES) -> Path:
    """A dataset folder of photographs without slates, each `times` times. Raises CocoError without any."""
    found = sorted(path for path in photographs.iterdir() if path.suffix.lower() in PICTURE_ENDINGS)
    if not found:
        raise CocoError(f"There are no photographs in {photographs}.")
    out.mkdir(parents=True, exist_ok=True)
    images: list[CocoImage] = []
    for path in found:
        picture = fit(read_picture(path), 800)
        cv2.imwrite(str(out / f"{path.stem}.jpg"), picture[:, :, ::-1])
        height, width = picture.shape[:2]
        for _ in range(times):
            images.append(CocoImage(len(images) + 1, f"{path.stem}.jpg", width, height))
    write_coco(CocoSet(tuple(images), ()), out / "coco.json")
    return out


def render(out: Path, count: int, *, seed: int, backgrounds: Path, draw: Draw) -> Path:
    """A rendered dataset folder; what is there already is kept."""
    for done in write_set(out, count=count, seed=seed, backgrounds=backgrounds, draw=draw):
        if done % 100 == 0:
            print(f"{out.name}: {done} of {count}", flush=True)
    return out


def make(
    out: Path,
    *,
    backgrounds: Path,
    validation: Path,
    backbone_weights: str | None,
    amounts: Amounts,
    threads: int,
) -> Path:
    """Renders, trains and measures; returns the checkpoint. Raises RunError, CocoError or CheckpointError."""
    sets = (
        render(out / "stills", amounts.stills, seed=1, backgrounds=backgrounds, draw=draw_still),
        render(out / "frames", amounts.frames, seed=5, backgrounds=backgrounds, draw=draw_frame),
        write_negatives(backgrounds, out / "negatives"),
    )
    first, second = stages(sets, out, amounts, backbone_weights=backbone_weights, threads=threads)
    train(first)
    checkpoint = train(second)
    measure(checkpoint, out, dict(_validation_sets(out, validation, amounts.validation_count)))
    return checkpoint


def stages(
    sets: tuple[Path, ...], out: Path, amounts: Amounts, *, backbone_weights: str | None, threads: int
) -> tuple[Options, Options]:
    """Small pictures first, which is cheap, then larger ones from the first stage's weights."""
    first = Options(
        dataset=sets,
        out=out / "first",
        steps=amounts.first_steps,
        warmup=min(100, amounts.first_steps),
        rate=5e-4,
        longest_side=amounts.first_side,
        backbone_weights=backbone_weights,
        precision="bfloat16",
        threads=threads,
    )
    frames = out / "frames"
    second = Options(
        # Frames of takes look most like real ones, and hold the moments that decide a clap: twice an epoch.
        dataset=(*sets, frames),
        out=out / "second",
        seed=2,
        steps=amounts.second_steps,
        warmup=min(100, amounts.second_steps),
        rate=4e-4,
        longest_side=amounts.second_side,
        start=out / "first" / "checkpoint.safetensors",
        precision="bfloat16",
        threads=threads,
        name="day0",
    )
    return first, second


def _validation_sets(out: Path, photographs: Path, count: int) -> Iterator[tuple[str, Path]]:
    yield "stills", render(out / "v-stills", count, seed=77, backgrounds=photographs, draw=draw_still)
    yield "frames", render(out / "v-frames", count, seed=78, backgrounds=photographs, draw=draw_frame)
    yield "photographs", write_negatives(photographs, out / "v-negatives", times=1)


def measure(checkpoint: Path, out: Path, sets: dict[str, Path]) -> None:
    """Prints and writes (numbers.json) the checkpoint's numbers on each set."""
    detector = load_detector(checkpoint)
    columns = {}
    for name, folder in sets.items():
        columns[name] = evaluate(detector, find_coco(folder), folder)["all"]
    print(table(columns))
    write_whole(out / "numbers.json", (json.dumps(columns, indent=2) + "\n").encode())


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 when made, 1 when it cannot."""
    parser = argparse.ArgumentParser(prog="python -m training.recipe", description=__doc__)
    parser.add_argument(
        "--backgrounds", type=Path, required=True, help="photographs without slates, to learn on"
    )
    parser.add_argument("--validation", type=Path, required=True, help="other photographs, to measure on")
    parser.add_argument("--backbone-weights", help="a safetensors file, or the name of torchvision weights")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=1)
    for key, value in vars(Amounts()).items():
        parser.add_argument(f"--{key.replace('_', '-')}", type=int, default=value)
    chosen = vars(parser.parse_args(arguments))
    amounts = Amounts(**{key: chosen.pop(key) for key in vars(Amounts())})
    try:
        print(make(chosen.pop("out"), amounts=amounts, **chosen))
    except (RunError, CocoError, CheckpointError, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""How good a checkpoint is on labelled pictures.

`python -m training.evaluate --checkpoint FILE --dataset COCO.json --images DIR [--by style]` prints a table,
and writes JSON with `--json FILE`.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import io
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from faster_coco_eval import COCO, COCOeval_faster

from training.checkpoints import CheckpointError, write_whole
from training.coco import (
    CocoBox,
    CocoError,
    CocoImage,
    CocoSet,
    as_document,
    as_results,
    find_coco,
    read_coco,
)
from training.dataset import fit, read_picture
from training.inference import Detector, load_detector
from training.slates import CLASS_IDS, Detection, State

Detections = Mapping[int, Sequence[Detection]]
#: A detection is of a slate when they overlap at least this much.
FOUND_IOU = 0.5
#: The score from which a detection counts, where a number depends on one.
THRESHOLD = 0.5
#: Pictures are brought to this size as a scan brings its frames.
SCAN_SIDE = 640


def coco_numbers(truth: CocoSet, detections: Detections) -> dict[str, float]:
    """COCO's AP, AP50 and AP75 over both states and for each; -1 (COCO's word) where there is no slate."""
    numbers = _summary(truth, detections, list(CLASS_IDS.values()))
    for state, number in CLASS_IDS.items():
        of_state = _summary(truth, detections, [number])
        numbers |= {f"{name}_{state}": value for name, value in of_state.items()}
    return numbers


def _summary(truth: CocoSet, detections: Detections, categories: list[int]) -> dict[str, float]:
    results = as_results(detections)
    present = {CLASS_IDS[box.state] for box in truth.boxes if not box.ignore}
    if not results or not present.intersection(categories):
        # The evaluator wants at least one detection; none at all is AP 0, and no slates are no AP.
        value = 0.0 if present.intersection(categories) else -1.0
        return dict.fromkeys(("AP", "AP50", "AP75"), value)
    with contextlib.redirect_stdout(io.StringIO()):
        ground = COCO(copy.deepcopy(as_document(truth)))
        measured = COCOeval_faster(ground, ground.loadRes(copy.deepcopy(results)), iouType="bbox")
        measured.params.catIds = categories
        measured.evaluate()
        measured.accumulate()
        measured.summarize()
    return {name: float(measured.stats[place]) for place, name in enumerate(("AP", "AP50", "AP75"))}


def slate_numbers(
    truth: CocoSet, detections: Detections, *, threshold: float = THRESHOLD
) -> dict[str, float]:
    """Recall of slates at 0.5 IoU, in any state and per state; right states among the found; false boxes.

    `threshold` is the least score that counts. A slate's state is that of the best detection over it.
    `false_boxes_per_empty_image` counts boxes in pictures without any slate, one for both states at a place.
    """
    matches = [
        (box, match_of(box, detections.get(box.image_id, ()), threshold))
        for box in truth.boxes
        if not box.ignore
    ]
    numbers = {"slates": float(len(matches)), "recall": _share([match is not None for _, match in matches])}
    for state in State:
        of_state = [match for box, match in matches if box.state is state]
        right = [match.state is state for match in of_state if match]
        numbers[f"slates_{state}"] = float(len(of_state))
        numbers[f"recall_{state}"] = _share([match is not None for match in of_state])
        numbers[f"state_accuracy_{state}"] = _share(right)
    numbers["state_accuracy"] = _share([match.state is box.state for box, match in matches if match])
    with_slates = {box.image_id for box in truth.boxes}
    empty = [image.id for image in truth.images if image.id not in with_slates]
    numbers["empty_images"] = float(len(empty))
    false = sum(len(places(detections.get(number, ()), threshold)) for number in empty)
    numbers["false_boxes_per_empty_image"] = false / len(empty) if empty else -1.0
    return numbers


def match_of(box: CocoBox, detections: Sequence[Detection], threshold: float) -> Detection | None:
    """The best scored detection that overlaps a slate enough, in whichever state."""
    over = [one for one in detections if one.score >= threshold and one.box.iou(box.box) >= FOUND_IOU]
    return max(over, key=lambda one: one.score, default=None)


def places(detections: Sequence[Detection], threshold: float) -> list[Detection]:
    """Detections from `threshold` on, best first, without those that repeat a place in the other state."""
    kept: list[Detection] = []
    for one in sorted(detections, key=lambda one: -one.score):
        if one.score >= threshold and all(one.box.iou(other.box) < FOUND_IOU for other in kept):
            kept.append(one)
    return kept


def _share(right: Sequence[bool]) -> float:
    return sum(right) / len(right) if right else -1.0


def detect_all(
    detector: Detector, truth: CocoSet, images: Path, *, longest_side: int = SCAN_SIDE
) -> dict[int, list[Detection]]:
    """Detections by image id, in the dataset's pixels; each picture is shrunk as a scan shrinks it.

    Raises CocoError for a picture that cannot be read.
    """
    found = {}
    for image in truth.images:
        picture = read_picture(images / image.file_name)
        if max(picture.shape[:2]) > longest_side:
            picture = fit(picture, longest_side)
        sx, sy = image.width / picture.shape[1], image.height / picture.shape[0]
        found[image.id] = [
            Detection(one.box.scaled(sx, sy), one.state, one.score) for one in detector.detect([picture])[0]
        ]
    return found


def all_numbers(truth: CocoSet, detections: Detections, *, threshold: float = THRESHOLD) -> dict[str, float]:
    """`coco_numbers` and `slate_numbers` in one."""
    return coco_numbers(truth, detections) | slate_numbers(truth, detections, threshold=threshold)


def parts(truth: CocoSet, key: Callable[[CocoImage], str]) -> dict[str, CocoSet]:
    """The set cut up by a word about each picture, such as its style."""
    words = {image.id: key(image) for image in truth.images}
    return {
        word: CocoSet(
            images=tuple(image for image in truth.images if words[image.id] == word),
            boxes=tuple(box for box in truth.boxes if words[box.image_id] == word),
        )
        for word in sorted(set(words.values()))
    }


def table(columns: Mapping[str, Mapping[str, float]]) -> str:
    """Numbers as text, one column for each part; a dash where there is nothing to measure."""
    names = list(next(iter(columns.values())))
    lines = ["".join([f"{'':<30}", *(f"{column:>14}" for column in columns)])]
    for name in names:
        cells = (numbers[name] for numbers in columns.values())
        lines.append(
            "".join([f"{name:<30}", *(f"{'-' if cell < 0 else f'{cell:.3f}':>14}" for cell in cells)])
        )
    return "\n".join(lines)


def evaluate(
    detector: Detector, dataset: Path, images: Path, *, by: str | None = None, threshold: float = THRESHOLD
) -> dict[str, dict[str, float]]:
    """Numbers over all pictures as "all", and for each value of their field `by`. Raises CocoError."""
    truth = read_coco(dataset, images=images)
    detections = detect_all(detector, truth, images)
    columns = {"all": all_numbers(truth, detections, threshold=threshold)}
    if by:
        for word, part in parts(truth, lambda image: str(image.extra.get(by, "unknown"))).items():
            of_part = {image.id: detections[image.id] for image in part.images}
            columns[word] = all_numbers(part, of_part, threshold=threshold)
    return columns


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 when measured, 1 when it cannot."""
    parser = argparse.ArgumentParser(prog="python -m training.evaluate", description=__doc__)
    parser.add_argument("--checkpoint", type=Path, help="without it, the shipped checkpoint")
    parser.add_argument("--dataset", type=Path, required=True, help="a COCO file, or a folder with one")
    parser.add_argument("--images", type=Path, help="the pictures' folder; without it, the COCO file's")
    parser.add_argument("--by", help="a field of the pictures to cut the numbers by, such as style")
    parser.add_argument("--threshold", type=float, default=THRESHOLD)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--json", type=Path, help="where to write the numbers")
    chosen = parser.parse_args(arguments)
    try:
        detector = load_detector(chosen.checkpoint, threads=chosen.threads)
        dataset = find_coco(chosen.dataset)
        images = chosen.images or dataset.parent
        columns = evaluate(detector, dataset, images, by=chosen.by, threshold=chosen.threshold)
    except (CocoError, CheckpointError) as error:
        print(error, file=sys.stderr)
        return 1
    print(table(columns))
    if chosen.json:
        write_whole(chosen.json, (json.dumps(columns, indent=2) + "\n").encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())

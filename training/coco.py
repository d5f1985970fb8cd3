"""COCO files of slates: typed read, write and check. Torch-free."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from training.slates import CLASS_IDS, STATES, Box, Detection, State

#: Names a dataset folder may give its COCO file, tried in this order.
FILE_NAMES = ("annotations.json", "labels.json", "coco.json", "instances.json")
#: How far a box may stick out of its picture (pixels) before it is an error: hand-drawn edges round.
SLACK = 1.0


class CocoError(ValueError):
    """A COCO file that cannot be used; says what is wrong, and where, in plain words."""


@dataclass(frozen=True)
class CocoImage:
    """A picture: `file_name` relative to the images' folder, size in pixels as shown."""

    id: int
    file_name: str
    width: int
    height: int
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class CocoBox:
    """A slate in a picture. `ignore` (COCO's iscrowd): neither a slate to learn nor background."""

    id: int
    image_id: int
    box: Box
    state: State
    ignore: bool = False
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class CocoSet:
    """Pictures and their slates; a picture without boxes says "no slate here"."""

    images: tuple[CocoImage, ...]
    boxes: tuple[CocoBox, ...]
    info: Mapping[str, Any] = field(default_factory=dict)

    def boxes_of(self) -> dict[int, list[CocoBox]]:
        """Boxes by image id; every image has an entry."""
        found: dict[int, list[CocoBox]] = {image.id: [] for image in self.images}
        for box in self.boxes:
            found[box.image_id].append(box)
        return found


def find_coco(folder: Path) -> Path:
    """The COCO file of a dataset folder (or the file itself). Raises CocoError when there is none."""
    if folder.is_file():
        return folder
    for name in FILE_NAMES:
        if (folder / name).is_file():
            return folder / name
    raise CocoError(f"{folder} holds no COCO file ({', '.join(FILE_NAMES)}).")


def read_coco(path: Path, *, images: Path | None = None) -> CocoSet:
    """Reads and checks a COCO file; with `images`, also that every picture is there. Raises CocoError."""
    try:
        document = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise CocoError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise CocoError(f"{path} is not JSON: {error}.") from error
    try:
        states = _states(document["categories"])
        found = CocoSet(
            images=tuple(_image(entry) for entry in document["images"]),
            boxes=tuple(_box(entry, states) for entry in document["annotations"]),
            info=document.get("info") or {},
        )
    except CocoError as error:
        raise CocoError(f"{path.name}: {error}") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CocoError(
            f"{path.name} is not a COCO file of boxes: {type(error).__name__} {error}."
        ) from error
    problems = check_coco(found, images=images)
    if problems:
        more = f" and {len(problems) - 5} more" if len(problems) > 5 else ""
        raise CocoError(f"{path.name}: {'; '.join(problems[:5])}{more}.")
    return found


def _states(categories: Iterable[Mapping[str, Any]]) -> dict[int, State]:
    states = {}
    for category in categories:
        if category["name"] not in list(State):
            raise CocoError(f"unknown category {category['name']!r}: slates are open or closed.")
        states[int(category["id"])] = State(category["name"])
    return states


def _image(entry: Mapping[str, Any]) -> CocoImage:
    extra = {key: value for key, value in entry.items() if key not in ("id", "file_name", "width", "height")}
    return CocoImage(
        int(entry["id"]), str(entry["file_name"]), int(entry["width"]), int(entry["height"]), extra
    )


def _box(entry: Mapping[str, Any], states: Mapping[int, State]) -> CocoBox:
    if entry["category_id"] not in states:
        raise CocoError(f"annotation {entry['id']} has the unknown category id {entry['category_id']}.")
    x, y, w, h = (float(number) for number in entry["bbox"])
    return CocoBox(
        id=int(entry["id"]),
        image_id=int(entry["image_id"]),
        box=Box(x, y, w, h),
        state=states[entry["category_id"]],
        ignore=bool(entry.get("iscrowd") or entry.get("ignore")),
        extra=dict(entry.get("attributes") or {}),
    )


def check_coco(found: CocoSet, *, images: Path | None = None) -> list[str]:
    """What is wrong with a set, one phrase each; empty when all is well."""
    problems = _twice("image", [image.id for image in found.images])
    problems += _twice("annotation", [box.id for box in found.boxes])
    by_id = {image.id: image for image in found.images}
    for image in found.images:
        if image.width <= 0 or image.height <= 0:
            problems.append(f"image {image.id} has no size")
        if images is not None and not (images / image.file_name).is_file():
            problems.append(f"picture {image.file_name} is missing")
    for box in found.boxes:
        problem = _box_problem(box, by_id.get(box.image_id))
        if problem:
            problems.append(f"annotation {box.id} {problem}")
    return problems


def _twice(what: str, ids: Sequence[int]) -> list[str]:
    seen: set[int] = set()
    return [f"{what} id {id} is there twice" for id in ids if id in seen or seen.add(id)]  # type: ignore[func-returns-value]


def _box_problem(box: CocoBox, image: CocoImage | None) -> str | None:
    if image is None:
        return f"is of image {box.image_id}, which is not there"
    x, y, w, h = box.box.x, box.box.y, box.box.w, box.box.h
    if not all(math.isfinite(number) for number in (x, y, w, h)):
        return "has a box that is not a number"
    if w <= 0 or h <= 0:
        return "has an empty box"
    if x < -SLACK or y < -SLACK or x + w > image.width + SLACK or y + h > image.height + SLACK:
        return f"has a box outside picture {image.file_name}"
    return None


def as_document(found: CocoSet) -> dict[str, Any]:
    """The COCO JSON document of a set."""
    return {
        "info": dict(found.info),
        "categories": [{"id": number, "name": str(state)} for state, number in CLASS_IDS.items()],
        "images": [
            {
                "id": image.id,
                "file_name": image.file_name,
                "width": image.width,
                "height": image.height,
                **image.extra,
            }
            for image in found.images
        ],
        "annotations": [
            {
                "id": box.id,
                "image_id": box.image_id,
                "category_id": CLASS_IDS[box.state],
                "bbox": [box.box.x, box.box.y, box.box.w, box.box.h],
                "area": box.box.area,
                "iscrowd": int(box.ignore),
                **({"attributes": dict(box.extra)} if box.extra else {}),
            }
            for box in found.boxes
        ],
    }


def write_coco(found: CocoSet, path: Path) -> None:
    """Checks and writes a set, whole or not at all. Raises CocoError."""
    problems = check_coco(found)
    if problems:
        raise CocoError(f"{path.name} would be broken: {'; '.join(problems[:5])}.")
    partial = path.with_name(path.name + ".partial")
    partial.write_text(json.dumps(as_document(found), allow_nan=False), "utf-8")
    partial.replace(path)


def as_results(detections: Mapping[int, Sequence[Detection]]) -> list[dict[str, Any]]:
    """COCO's list of results from detections by image id."""
    return [
        {
            "image_id": image_id,
            "category_id": CLASS_IDS[found.state],
            "bbox": [found.box.x, found.box.y, found.box.w, found.box.h],
            "score": found.score,
        }
        for image_id, of_image in detections.items()
        for found in of_image
    ]


def from_results(results: Iterable[Mapping[str, Any]]) -> dict[int, list[Detection]]:
    """Detections by image id from COCO's list of results."""
    detections: dict[int, list[Detection]] = {}
    for result in results:
        x, y, w, h = (float(number) for number in result["bbox"])
        found = Detection(Box(x, y, w, h), STATES[int(result["category_id"])], float(result["score"]))
        detections.setdefault(int(result["image_id"]), []).append(found)
    return detections

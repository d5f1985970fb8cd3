"""Labelled frames as files for other programs. Each writer gives names and contents to put into a zip."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from io import StringIO
from pathlib import PurePosixPath
from typing import Any

from training.coco import CocoBox, CocoImage, CocoSet, as_document
from training.exchange.coco_in import OURS
from training.exchange.labelled import Labelled, write_table
from training.label_studio import region
from training.slates import CLASS_IDS, Box, State

#: Where pictures lie in each zip.
IMAGES = "images"
#: YOLO counts classes from 0, we from 1.
YOLO_CLASSES = [str(state) for state in CLASS_IDS]

Files = Iterator[tuple[str, str]]


def coco_files(frames: Sequence[Labelled]) -> Files:
    """annotations.json, and frames.csv beside it."""
    yield "annotations.json", json.dumps(coco_document(frames), allow_nan=False)
    yield from _table(frames)


def coco_document(frames: Sequence[Labelled]) -> dict[str, Any]:
    """COCO with categories 1 open, 2 closed; ids are our own and stable."""
    images = tuple(CocoImage(one.id, one.file_name, one.width, one.height, _about(one)) for one in frames)
    boxes = tuple(CocoBox(id, one.id, box, state) for one in frames for id, box, state in one.boxes)
    info = {"description": "Slates, open or closed", "exporter": OURS, "version": "1"}
    return as_document(CocoSet(images, boxes, info))


def _about(one: Labelled) -> dict[str, Any]:
    return {
        "frame_key": one.frame_key,
        "origin": one.origin,
        "author": one.author,
        "group": one.group,
        "annotation_version": one.version,
    }


def yolo_files(frames: Sequence[Labelled]) -> Files:
    """labels/<name>.txt for each picture, data.yaml and classes.txt."""
    classes = ", ".join(f"{number}: {name}" for number, name in enumerate(YOLO_CLASSES))
    yield "data.yaml", f"path: .\ntrain: {IMAGES}\nval: {IMAGES}\nnames: {{{classes}}}\n"
    yield "classes.txt", "".join(f"{name}\n" for name in YOLO_CLASSES)
    for one in frames:
        name = str(PurePosixPath("labels", one.file_name).with_suffix(".txt"))
        yield name, "".join(yolo_line(box, state, one.width, one.height) for _, box, state in one.boxes)
    yield from _table(frames)


def yolo_line(box: Box, state: State, width: int, height: int) -> str:
    """Class, centre and size, in parts of the picture."""
    sides = ((box.x + box.w / 2) / width, (box.y + box.h / 2) / height, box.w / width, box.h / height)
    return f"{YOLO_CLASSES.index(str(state))} {' '.join(f'{side:.8f}' for side in sides)}\n"


def label_studio_files(frames: Sequence[Labelled]) -> Files:
    """tasks.json, to be imported with its annotations."""
    yield "tasks.json", json.dumps([task_of(one) for one in frames], allow_nan=False)
    yield from _table(frames)


def task_of(one: Labelled) -> dict[str, Any]:
    """A task as Label Studio exports it; `image` is the picture's path in the zip."""
    about = {
        "image": f"{IMAGES}/{one.file_name}",
        "frame_key": one.frame_key,
        "clip": one.clip,
        "frame": one.frame,
        "timecode": one.timecode,
        "width": one.width,
        "height": one.height,
        "picture_sha256": one.picture_sha256,
    }
    result = [
        region(box, state, width=one.width, height=one.height, id=str(id)) for id, box, state in one.boxes
    ]
    said = {
        "result": result,
        "was_cancelled": False,
        "completed_by": {"email": one.author},
        "created_at": one.at,
    }
    return {"id": one.id, "data": about, "annotations": [said]}


def _table(frames: Iterable[Labelled]) -> Files:
    table = StringIO()
    write_table(frames, table)
    yield "frames.csv", table.getvalue()


WRITERS: Mapping[str, Callable[[Sequence[Labelled]], Files]] = {
    "coco": coco_files,
    "yolo": yolo_files,
    "label-studio": label_studio_files,
}

"""Telling which program a file is from, and reading it."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from training.exchange.archive import Archive, open_archive
from training.exchange.coco_in import is_coco, read_coco
from training.exchange.foreign import MOST_FRAMES, ExchangeError, Foreign, Wishes
from training.exchange.label_studio_in import is_label_studio, read_tasks
from training.exchange.yolo_in import is_yolo, read_yolo

COCO, LABEL_STUDIO, YOLO = "COCO", "Label Studio", "YOLO"
UNKNOWN = (
    "This is no file that we can read: give COCO (JSON, or a zip with it and its pictures), Label Studio's "
    "JSON export, or a YOLO zip with data.yaml or classes.txt."
)


def read_foreign(path: Path, wishes: Wishes) -> Foreign:
    """What a file says, picture by picture. Raises ExchangeError."""
    with open_archive(path) as archive:
        return read_archive(archive, wishes)


def read_archive(archive: Archive, wishes: Wishes) -> Foreign:
    documents = {name: document for name in archive.ending(".json") if (document := _document(archive, name))}
    kinds = {COCO for document in documents.values() if is_coco(document)}
    kinds |= {LABEL_STUDIO for document in documents.values() if is_label_studio(document)}
    if not kinds and is_yolo(archive):
        kinds = {YOLO}
    if not kinds:
        raise ExchangeError(UNKNOWN)
    if len(kinds) > 1:
        raise ExchangeError("It holds both a COCO and a Label Studio file: give one of them.")
    found = Foreign(kinds.pop(), problems=list(archive.problems))
    if found.format == YOLO:
        read_yolo(archive, wishes, found)
    for name, document in documents.items():
        try:
            if is_coco(document):
                read_coco(document, name, archive, wishes, found)  # type: ignore[arg-type]
            elif is_label_studio(document):
                read_tasks(document, name, archive, wishes, found)  # type: ignore[arg-type]
        except ExchangeError as error:
            raise ExchangeError(f"{name}: {error}") from error
    if len(found.frames) > MOST_FRAMES:
        raise ExchangeError(f"It labels {len(found.frames)} pictures; give at most {MOST_FRAMES} at once.")
    _refuse_shared(found)
    return found


def _document(archive: Archive, name: str) -> object:
    try:
        return json.loads(archive.read(name).decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        if isinstance(error, ExchangeError):
            raise
        if len(archive.names) == 1:
            raise ExchangeError(UNKNOWN) from error
        raise ExchangeError(f"{name} is not JSON.") from error


def _refuse_shared(found: Foreign) -> None:
    """A picture or frame that two entries speak of: which of them holds is not said, so neither does."""
    pictures = Counter(frame.picture for frame in found.frames if frame.picture)
    keys = Counter(frame.frame_key for frame in found.frames if frame.frame_key)
    shared = {one for one in found.frames if pictures[one.picture] > 1 or keys[one.frame_key] > 1}
    for frame in sorted(shared, key=lambda frame: frame.file_name):
        found.refuse(
            frame.file_name, "Another entry is about the same picture; which of them holds is not said."
        )
    found.frames = [frame for frame in found.frames if frame not in shared]

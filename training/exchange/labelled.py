"""Labelled frames of ours, and the table that says where each comes from."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TextIO

from training.slates import Box, State


@dataclass(frozen=True)
class Labelled:
    """A frame and what holds for it. `id` and the boxes' ids are ours and stay the same in every export.

    `clip` and `clip_uuid` are those of an imported still's source and of itself; `picture_sha256` is empty
    where no picture is kept. What has the same `group` is never both learned from and tested on.
    """

    id: int
    frame_key: str
    file_name: str
    width: int
    height: int
    boxes: tuple[tuple[int, Box, State], ...]
    clip: str
    clip_uuid: str
    frame: int
    timecode: str
    picture_sha256: str
    origin: str
    author: str
    version: int
    at: str
    group: str


COLUMNS = (
    *("image_id", "file_name", "frame_key", "clip", "clip_uuid", "frame", "timecode", "width", "height"),
    *("picture_sha256", "slates", "origin", "author", "version", "at", "group"),
)


def write_table(frames: Iterable[Labelled], file: TextIO) -> None:
    """The sidecar: one row a frame, as CSV."""
    rows = csv.writer(file, lineterminator="\n")
    rows.writerow(COLUMNS)
    for one in frames:
        known = {"image_id": one.id, "slates": len(one.boxes)}
        rows.writerow([_calm(known[name] if name in known else getattr(one, name)) for name in COLUMNS])


def _calm(value: object) -> object:
    """A text on one line that no spreadsheet takes for a formula."""
    if not isinstance(value, str):
        return value
    text = "".join(letter if letter.isprintable() else " " for letter in value)
    return f"'{text}" if text.lstrip()[:1] in {"=", "+", "-", "@"} else text

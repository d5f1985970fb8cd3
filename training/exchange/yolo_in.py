"""Reading YOLO's folders: a text file beside each picture, classes in data.yaml, classes.txt or obj.names."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath

import yaml

from training.exchange.archive import Archive
from training.exchange.coco_in import state_named
from training.exchange.finding import picture_size
from training.exchange.foreign import (
    MOST_BOXES,
    ExchangeError,
    Foreign,
    ForeignBox,
    ForeignFrame,
    PictureProblem,
    Wishes,
    text_in,
)
from training.slates import Box, BoxError, fitted

#: Text files that are no labels.
OTHER_TEXTS = {"classes.txt", "train.txt", "val.txt", "valid.txt", "test.txt", "readme.txt", "notes.txt"}
CLASS_FILES = ("data.yaml", "data.yml", "dataset.yaml", "classes.txt", "obj.names")
MOST_CLASSES = 10_000
MOST_CLASS_BYTES = 1 << 20


def is_yolo(archive: Archive) -> bool:
    return any(PurePosixPath(name).name.lower() in CLASS_FILES for name in archive.names)


def read_yolo(archive: Archive, wishes: Wishes, found: Foreign) -> None:
    """Adds what the label files say to `found`. Raises ExchangeError."""
    classes = classes_in(archive)
    texts = {
        n
        for n in archive.ending(".txt")
        if PurePosixPath(n).name.lower() not in OTHER_TEXTS | {"classes.txt"}
    }
    used: Counter[str] = Counter()
    stems = Counter(str(PurePosixPath(name).with_suffix("")) for name in archive.pictures)
    for picture in archive.pictures:
        if stems[str(PurePosixPath(picture).with_suffix(""))] > 1:
            found.refuse(picture, "Two pictures have this name and would share one label file.")
            used.update(place for place in label_places(picture) if place in texts)
            continue
        places = [place for place in label_places(picture) if place in texts]
        used.update(places)
        try:
            if len(places) > 1:
                raise PictureProblem(f"It has two label files, {places[0]} and {places[1]}.")
            text = archive.read(places[0], 1 << 20) if places else b""
            if not text.strip() and not wishes.empty:
                found.unsaid += 1
                continue
            found.frames.append(_frame(archive, picture, places[0] if places else "", text, classes, wishes))
        except (PictureProblem, ExchangeError) as problem:
            found.refuse(picture, str(problem))
    for name in sorted(texts - set(used)):
        found.refuse(name, "There is no picture for this label file.")


def label_places(picture: str) -> list[str]:
    """Where the labels of a picture may be: beside it, or in `labels` where it is in `images`."""
    path = PurePosixPath(picture)
    places = [str(path.with_suffix(".txt"))]
    parts = list(path.parts)
    for at, part in reversed(list(enumerate(parts[:-1]))):
        if part.lower() == "images":
            places.append(str(PurePosixPath(*parts[:at], "labels", *parts[at + 1 :]).with_suffix(".txt")))
            break
    return places


def classes_in(archive: Archive) -> list[str]:
    """The classes by their numbers, from the one file that names them. Raises ExchangeError."""
    found = [name for name in archive.names if PurePosixPath(name).name.lower() in CLASS_FILES]
    listed = {name: _classes(name, archive.read(name, MOST_CLASS_BYTES)) for name in found}
    if len({tuple(names) for names in listed.values()}) > 1:
        raise ExchangeError(f"{' and '.join(sorted(listed))} name different classes.")
    return next(iter(listed.values()))


def _classes(name: str, content: bytes) -> list[str]:
    try:
        text = content.decode("utf-8-sig")
        if not name.lower().endswith((".yaml", ".yml")):
            return [text_in(line.strip(), 100) for line in text.splitlines() if line.strip()]
        said = yaml.safe_load(text)
        names = said["names"]
    except (UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise ExchangeError(f"{name} does not name the classes.") from error
    if isinstance(names, dict):
        if sorted(names, key=str) != sorted(range(len(names)), key=str):
            raise ExchangeError(f"The classes in {name} are not numbered from 0.")
        names = [names[number] for number in range(len(names))]
    if not isinstance(names, list) or not 0 < len(names) <= MOST_CLASSES:
        raise ExchangeError(f"{name} does not name the classes.")
    if not all(isinstance(one, str) for one in names):
        raise ExchangeError(f"A class in {name} is not a text: put its name in quotes.")
    return [text_in(one, 100) for one in names]


def _frame(
    archive: Archive, picture: str, part: str, text: bytes, classes: Sequence[str], wishes: Wishes
) -> ForeignFrame:
    width, height = picture_size(archive, picture)
    try:
        lines = [line.split() for line in text.decode("utf-8-sig").splitlines() if line.strip()]
    except UnicodeDecodeError as error:
        raise PictureProblem("Its label file is not a text.") from error
    if len(lines) > MOST_BOXES:
        raise PictureProblem(f"It has {len(lines)} boxes; more than {MOST_BOXES} cannot be slates.")
    boxes = tuple(_box(number, line, classes, wishes, width, height) for number, line in enumerate(lines, 1))
    return ForeignFrame(picture, picture, part or picture, width, height, boxes, picture)


def _box(
    number: int, line: Sequence[str], classes: Sequence[str], wishes: Wishes, width: int, height: int
) -> ForeignBox:
    where = f"Line {number} of its label file"
    if len(line) != 5:
        what = "a score: it is a prediction" if len(line) == 6 else "not a class and four numbers"
        raise PictureProblem(f"{where} has {what}." if len(line) == 6 else f"{where} is {what}.")
    if not (line[0].isascii() and line[0].isdigit() and len(line[0]) < 7 and int(line[0]) < len(classes)):
        raise PictureProblem(f"{where} has the unknown class {line[0][:20]!r}.")
    try:
        cx, cy, w, h = (float(word) for word in line[1:])
    except ValueError:
        raise PictureProblem(f"{where} is not a class and four numbers.") from None
    if not all(math.isfinite(side) and 0 <= side <= 1 for side in (cx, cy, w, h)):
        raise PictureProblem(f"{where} has a number that is not between 0 and 1.")
    box = Box((cx - w / 2) * width, (cy - h / 2) * height, w * width, h * height)
    try:
        return ForeignBox(str(number), fitted(box, width, height), state_named(classes[int(line[0])], wishes))
    except BoxError as error:
        raise PictureProblem(f"{where} {error}.") from error

"""Reading COCO files of others: each picture is taken or refused by itself, with a reason."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from training.exchange.archive import Archive
from training.exchange.finding import Found, find_picture
from training.exchange.foreign import (
    MOST_BOXES,
    ExchangeError,
    Foreign,
    ForeignBox,
    ForeignFrame,
    PictureProblem,
    Wishes,
    frame_key_in,
    text_in,
)
from training.slates import Box, BoxError, State, fitted

#: What our own exports say of themselves (info.exporter): in these, a picture without boxes has no slate.
OURS = "Second Sticks"


def is_coco(document: object) -> bool:
    return isinstance(document, dict) and {"images", "annotations", "categories"} <= set(document)


def read_coco(
    document: Mapping[str, Any], part: str, archive: Archive, wishes: Wishes, found: Foreign
) -> None:
    """Adds what a COCO document says to `found`. Raises ExchangeError for what is no COCO file at all."""
    images, annotations, categories = (
        _rows(document, name) for name in ("images", "annotations", "categories")
    )
    names = _categories(categories)
    info = document.get("info")
    said = wishes.empty or (isinstance(info, dict) and info.get("exporter") == OURS)
    ids = Counter(_id(image) for image in images)
    files = Counter(text_in(image.get("file_name")) for image in images)
    box_ids = Counter(_id(annotation) for annotation in annotations)
    boxes: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for annotation in annotations:
        boxes[_id(annotation, "image_id")].append(annotation)
    for number in set(boxes) - set(ids):
        found.refuse(
            f"{part}: image {number}", f"{len(boxes[number])} of its boxes are there, but not the image."
        )
    for image in images:
        name, own = text_in(image.get("file_name")), boxes.get(_id(image), [])
        if not own and not said:
            found.unsaid += 1
            continue
        try:
            if ids[_id(image)] > 1 or not _id(image):
                raise PictureProblem(f"The image id {_id(image)!r} is there {ids[_id(image)]} times.")
            if files[name] > 1 or not name:
                raise PictureProblem(f"{files[name]} images have this file name.")
            twice = [_id(one) for one in own if box_ids[_id(one)] > 1]
            if twice:
                raise PictureProblem(f"The annotation id {twice[0]!r} is there twice.")
            found.frames.append(_frame(image, own, part, archive, wishes, names))
        except PictureProblem as problem:
            found.refuse(name or f"{part}: image {_id(image)}", str(problem))


def _rows(document: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    rows = document[name]
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ExchangeError(f"Its {name} are not a list of objects.")
    return rows


def _id(row: Mapping[str, Any], name: str = "id") -> str:
    return text_in(row.get(name), 100) if not isinstance(row.get(name), bool) else ""


def _categories(categories: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Category id -> name."""
    ids = Counter(_id(category) for category in categories)
    if any(count > 1 for count in ids.values()):
        raise ExchangeError("Two of its categories have the same id.")
    return {_id(category): text_in(category.get("name"), 100) for category in categories}


def _frame(
    image: Mapping[str, Any],
    annotations: Sequence[Mapping[str, Any]],
    part: str,
    archive: Archive,
    wishes: Wishes,
    names: Mapping[str, str],
) -> ForeignFrame:
    said = tuple(image.get(side) for side in ("width", "height"))
    sizes = [
        side for side in said if isinstance(side, int) and not isinstance(side, bool) and 0 < side < 1 << 20
    ]
    if len(sizes) != 2:
        raise PictureProblem("It does not say the picture's size.")
    width, height = sizes
    picture = find_picture(archive, Found(text_in(image.get("file_name")), part), (width, height))
    if len(annotations) > MOST_BOXES:
        raise PictureProblem(f"It has {len(annotations)} boxes; more than {MOST_BOXES} cannot be slates.")
    return ForeignFrame(
        id=_id(image),
        file_name=text_in(image.get("file_name")),
        part=part,
        width=width,
        height=height,
        boxes=tuple(_box(one, names, wishes, width, height) for one in annotations),
        picture=picture,
        frame_key=frame_key_in(image.get("frame_key")),
        author=text_in(image.get("author"), 150),
    )


def _box(
    said: Mapping[str, Any], names: Mapping[str, str], wishes: Wishes, width: int, height: int
) -> ForeignBox:
    where = f"The box {_id(said)}"
    if said.get("iscrowd") or said.get("ignore"):
        raise PictureProblem(f"{where} is marked as a crowd or to be ignored, which we cannot say.")
    extra = said.get("attributes")
    if isinstance(extra, dict) and extra.get("rotation") not in (None, 0, 0.0):
        raise PictureProblem(f"{where} is rotated.")
    sides = said.get("bbox")
    if not isinstance(sides, list) or len(sides) != 4 or not all(_is_number(side) for side in sides):
        raise PictureProblem(f"{where} is not four numbers.")
    try:
        box = fitted(Box(*(float(side) for side in sides)), width, height)
    except (BoxError, OverflowError) as error:
        raise PictureProblem(f"{where} {error}.") from error
    return ForeignBox(_id(said), box, state_named(names.get(_id(said, "category_id")), wishes))


def state_named(name: str | None, wishes: Wishes) -> State:
    """What a label means. Raises PictureProblem."""
    if name is None or name not in wishes.names:
        raise PictureProblem(
            f"The label {name!r} is unknown: it means neither open nor closed."
            if name is not None
            else "One of its boxes is of a category that is not there."
        )
    return wishes.names[name]


def _is_number(said: object) -> bool:
    return isinstance(said, int | float) and not isinstance(said, bool)

"""Reading Label Studio's JSON export."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from training.exchange.archive import Archive
from training.exchange.finding import Found, find_picture, picture_size
from training.exchange.foreign import (
    MOST_BOXES,
    Foreign,
    ForeignBox,
    ForeignFrame,
    PictureProblem,
    Wishes,
    frame_key_in,
    text_in,
)
from training.label_studio import RegionError, regions_in, size_in

#: Ends of what may be the picture in a task's data.
PICTURE_ENDINGS = (".jpg", ".jpeg", ".png", ".webp")


def is_label_studio(document: object) -> bool:
    return isinstance(document, list) and all(
        isinstance(task, dict) and isinstance(task.get("data"), dict) for task in document
    )


def read_tasks(
    tasks: Sequence[Mapping[str, Any]], part: str, archive: Archive, wishes: Wishes, found: Foreign
) -> None:
    """Adds what the tasks of an export say to `found`. Skipped and unlabelled ones say nothing."""
    ids = Counter(text_in(task.get("id"), 100) for task in tasks)
    for number, task in enumerate(tasks, 1):
        name = picture_in(task["data"]) or f"{part}: task {text_in(task.get('id'), 100) or number}"
        answers = _answers(task)
        if not answers:
            found.unsaid += 1
            continue
        try:
            if ids[text_in(task.get("id"), 100)] > 1:
                raise PictureProblem(f"The task id {text_in(task.get('id'), 100)!r} is there twice.")
            if len(answers) > 1:
                raise PictureProblem(
                    f"It has {len(answers)} annotations, and which of them holds is not said."
                )
            found.frames.append(_frame(task, answers[0], part, archive, wishes))
        except PictureProblem as problem:
            found.refuse(name, str(problem))
        except RegionError as problem:
            found.refuse(name, f"In its annotation, {problem}.")


def _answers(task: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What people submitted; a skip comes with the proposal's boxes in it, which nobody has said."""
    said = task.get("annotations", task.get("completions"))
    rows = said if isinstance(said, list) else []
    return [row for row in rows if isinstance(row, dict) and not row.get("was_cancelled")]


def picture_in(data: Mapping[str, Any]) -> str:
    """The file name of a task's picture, without host, escapes and query."""
    values = [data.get("image"), *data.values()]
    for value in values:
        if not isinstance(value, str):
            continue
        address = value[:2000]
        try:
            split = urlsplit(address)
            local = parse_qs(split.query).get("d", [""])[0]
        except ValueError:
            continue
        path = local or unquote(split.path)
        if path.lower().endswith(PICTURE_ENDINGS):
            return text_in(path.lstrip("/"))
    return ""


def _frame(
    task: Mapping[str, Any], answer: Mapping[str, Any], part: str, archive: Archive, wishes: Wishes
) -> ForeignFrame:
    name, key = picture_in(task["data"]), frame_key_in(task["data"].get("frame_key"))
    result = answer.get("result")
    size = size_in(result)
    picture = find_picture(archive, Found(name, part, elsewhere=True), size) if name else ""
    if size is None:
        size = picture_size(archive, picture) if picture else _size_said(task["data"])
    if size is None:
        raise PictureProblem("It has no box, and its picture is not in the file: its size is not known.")
    regions = regions_in(result, width=size[0], height=size[1], names=wishes.names)
    if len(regions) > MOST_BOXES:
        raise PictureProblem(f"It has {len(regions)} boxes; more than {MOST_BOXES} cannot be slates.")
    return ForeignFrame(
        id=text_in(task.get("id"), 100),
        file_name=name or key,
        part=part,
        width=size[0],
        height=size[1],
        boxes=tuple(ForeignBox(text_in(one.id, 100), one.box, one.state) for one in regions),
        picture=picture,
        frame_key=key,
        author=_author(answer),
    )


def _size_said(data: Mapping[str, Any]) -> tuple[int, int] | None:
    """As our own exports say it beside the picture."""
    width, height = data.get("width"), data.get("height")
    if all(isinstance(side, int) and not isinstance(side, bool) and side > 0 for side in (width, height)):
        return width, height  # type: ignore[return-value]
    return None


def _author(answer: Mapping[str, Any]) -> str:
    who = answer.get("completed_by")
    if isinstance(who, dict):
        return text_in(who.get("email") or who.get("username") or who.get("id"), 150)
    return f"user {who} of Label Studio" if isinstance(who, int) and not isinstance(who, bool) else ""

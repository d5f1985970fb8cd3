"""What a page sends, read strictly: every mistake has its sentence, and nothing odd reaches the database."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from training.slates import State

MOST_BOXES = 16
SMALLEST = 2.0  # pixels
#: A box may stick out this far (pixels); it is then cut at the edge.
ROUNDING = 1.0
LONGEST_KEY = 64
LONGEST_LOOK = 24 * 3600
MOST_VERSIONS = 1_000_000

Said = dict[str, Any]


class BadBody(ValueError):
    """What was sent cannot be used; says why in a sentence."""


def read(body: bytes) -> Said:
    """The JSON object in a body; an empty body is an empty object."""
    try:
        said = json.loads(body.decode() or "{}")
    except (ValueError, RecursionError):
        raise BadBody("The body is not JSON.") from None
    if not isinstance(said, dict):
        raise BadBody("The body is not a JSON object.")
    return said


def key_in(said: Said) -> str:
    key = said.get("key")
    if (
        not isinstance(key, str)
        or not 0 < len(key) <= LONGEST_KEY
        or not (key.isascii() and key.isprintable())
    ):
        raise BadBody(f"key: give 1 to {LONGEST_KEY} plain characters, the same when you send this again.")
    return key


def uuid_in(said: Said, name: str) -> UUID:
    try:
        return UUID(said.get(name))
    except (ValueError, TypeError, AttributeError):
        raise BadBody(f"{name}: give the UUID that came with the frame.") from None


def uuids_in(said: Said, name: str, *, most: int) -> list[UUID]:
    found = said.get(name, [])
    if not isinstance(found, list) or len(found) > most:
        raise BadBody(f"{name}: give a list of at most {most} UUIDs.")
    return [uuid_in({name: one}, name) for one in found]


def version_in(said: Said, name: str = "made_on") -> int:
    version = said.get(name)
    if not isinstance(version, int) or isinstance(version, bool) or not 0 <= version <= MOST_VERSIONS:
        raise BadBody(f"{name}: give the version of the frame that you have seen, a whole number from 0.")
    return version


def seconds_in(said: Said) -> float | None:
    if said.get("seconds") is None:
        return None
    return min(max(_number(said["seconds"], "seconds"), 0.0), LONGEST_LOOK)


def choice_in(said: Said, name: str, choices: list[str]) -> str:
    if said.get(name) not in choices:
        raise BadBody(f"{name}: one of {', '.join(choices)}.")
    return str(said[name])


def boxes_in(said: Said, *, width: int, height: int, finished: bool = True) -> list[Said]:
    """The boxes of an answer about a picture of this size; those of a draft may lack a state."""
    boxes = said.get("boxes")
    if not isinstance(boxes, list):
        raise BadBody("boxes: give a list; an empty one says that there is no slate here.")
    if len(boxes) > MOST_BOXES:
        raise BadBody(f"A frame can have at most {MOST_BOXES} slates, not {len(boxes)}.")
    return [_box(box, f"Box {number}", width, height, finished) for number, box in enumerate(boxes, 1)]


def _box(box: Any, name: str, width: int, height: int, finished: bool) -> Said:
    if not isinstance(box, Mapping):
        raise BadBody(f"{name} is not an object with x, y, w, h and state.")
    state = box.get("state")
    if not (isinstance(state, str) and state in set(State)) and (finished or state is not None):
        raise BadBody(f"{name}: its state is open or closed.")
    x, y, w, h = (_number(box.get(side), f"{name}, {side}") for side in "xywh")
    if (
        w < 0
        or h < 0
        or x < -ROUNDING
        or y < -ROUNDING
        or x + w > width + ROUNDING
        or y + h > height + ROUNDING
    ):
        raise BadBody(f"{name} lies outside of the picture, which has {width} × {height} pixels.")
    left, top = max(x, 0.0), max(y, 0.0)
    w, h = min(x + w, width) - left, min(y + h, height) - top
    if min(w, h) < SMALLEST:
        raise BadBody(f"{name} is smaller than {SMALLEST:g} pixels.")
    sides = {"x": left, "y": top, "w": w, "h": h}
    return {side: round(value, 2) for side, value in sides.items()} | {"state": state}


def _number(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadBody(f"{name} is not a number.")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise BadBody(f"{name} is not a finite number.")
    return number

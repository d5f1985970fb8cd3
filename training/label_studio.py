"""Slates as Label Studio writes them: rectangles in percent of a picture, with a label each. Pure.

Nothing is guessed: a region that is not an upright rectangle with one known label makes its whole result
unusable.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from training.slates import Box, BoxError, State, fitted

TYPE = "rectanglelabels"
#: The names of our controls in a label config.
FROM_NAME, TO_NAME = "label", "image"
NAMES: Mapping[str, State] = {str(state): state for state in State}
#: Degrees and percent that are only rounding.
NOTHING = 1e-6


class RegionError(ValueError):
    """A result that cannot be used; says which region and why, as part of a sentence."""


@dataclass(frozen=True)
class Region:
    """A slate in a result. `origin`: manual, prediction or prediction-changed; empty in old exports."""

    box: Box
    state: State
    id: str = ""
    origin: str = ""


def region(box: Box, state: State, *, width: int, height: int, id: str, name: str = "") -> dict[str, Any]:
    """The JSON of a box in pixels of a picture of this size. `name`: its label, if not the state's name."""
    return {
        "id": id,
        "type": TYPE,
        "from_name": FROM_NAME,
        "to_name": TO_NAME,
        "original_width": width,
        "original_height": height,
        "image_rotation": 0,
        "value": {
            "x": 100 * box.x / width,
            "y": 100 * box.y / height,
            "width": 100 * box.w / width,
            "height": 100 * box.h / height,
            "rotation": 0,
            TYPE: [name or str(state)],
        },
    }


def size_in(result: object) -> tuple[int, int] | None:
    """Width and height of the picture as its regions say; None for no regions. Raises RegionError."""
    sizes: set[tuple[int, int]] = set()
    for number, said in enumerate(_listed(result), 1):
        sizes.add((_side(said, "original_width", number), _side(said, "original_height", number)))
    if len(sizes) > 1:
        raise RegionError("its regions disagree about the size of the picture")
    return sizes.pop() if sizes else None


def _side(said: Mapping[str, Any], name: str, number: int) -> int:
    side = said.get(name)
    if not isinstance(side, int) or isinstance(side, bool) or side <= 0:
        raise RegionError(f"region {number} does not say the size of its picture")
    return side


def regions_in(
    result: object, *, width: int, height: int, names: Mapping[str, State] = NAMES
) -> list[Region]:
    """The slates of a result, about a picture of this size in pixels. `names`: what their labels mean.

    Raises RegionError.
    """
    found: dict[str, Region] = {}
    for number, said in enumerate(_listed(result), 1):
        where = f"region {number}"
        one = _region(said, where, width, height, names)
        if one.id and one.id in found:
            raise RegionError(f"{where} has the id {one.id!r} of another")
        found[one.id or where] = one
    return list(found.values())


def _listed(result: object) -> Iterable[Mapping[str, Any]]:
    if not isinstance(result, list) or not all(isinstance(said, Mapping) for said in result):
        raise RegionError("its result is not a list of regions")
    return result


def _region(
    said: Mapping[str, Any], where: str, width: int, height: int, names: Mapping[str, State]
) -> Region:
    if said.get("type") != TYPE:
        raise RegionError(
            f"{where} is of the kind {str(said.get('type'))[:40]!r}, not a rectangle with a label"
        )
    value = said.get("value")
    if not isinstance(value, Mapping):
        raise RegionError(f"{where} has no value")
    original = said.get("original_width", width), said.get("original_height", height)
    if original != (width, height):
        raise RegionError(
            f"{where} was drawn on a picture of {original[0]} × {original[1]}, not {width} × {height}"
        )
    turns = (value.get("rotation", 0), said.get("image_rotation", 0))
    if any(abs(math.remainder(_number(turn, where), 360)) > NOTHING for turn in turns):
        raise RegionError(f"{where} is rotated")
    box = _box(
        [_number(value.get(side), where) for side in ("x", "y", "width", "height")], where, width, height
    )
    return Region(
        box, _state(value.get(TYPE), where, names), str(said.get("id") or ""), str(said.get("origin") or "")
    )


def _state(labels: object, where: str, names: Mapping[str, State]) -> State:
    if not isinstance(labels, list) or len(labels) != 1:
        raise RegionError(f"{where} does not have exactly one label")
    if not isinstance(labels[0], str) or labels[0] not in names:
        raise RegionError(f"{where} has the unknown label {str(labels[0])[:40]!r}")
    return names[labels[0]]


def _number(said: object, where: str) -> float:
    if isinstance(said, bool) or not isinstance(said, int | float) or not math.isfinite(said):
        raise RegionError(f"{where} has a side or an angle that is not a number")
    return float(said)


def _box(percent: list[float], where: str, width: int, height: int) -> Box:
    sides = zip(percent, (width, height, width, height), strict=True)
    try:
        return fitted(Box(*(number * side / 100 for number, side in sides)), width, height)
    except BoxError as error:
        raise RegionError(f"{where} {error}") from None

"""How far two opinions about one frame agree, and what changed from one to the other. Pure.

Opinions are lists of boxes as annotations keep them: {x, y, w, h, state}.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean
from typing import Any

from training.slates import Box

BoxSaid = Mapping[str, Any]
#: Two boxes of one state are the same slate from this overlap on.
SAME = 0.5
#: From here on nobody has moved the box.
UNMOVED = 0.98


def box_of(said: BoxSaid) -> Box:
    return Box(float(said["x"]), float(said["y"]), float(said["w"]), float(said["h"]))


def pairs(one: Sequence[BoxSaid], other: Sequence[BoxSaid], *, same_state: bool) -> list[tuple[int, int]]:
    """Indices of boxes that are the same slate, the most alike first, each box at most once."""
    found = [
        (box_of(a).iou(box_of(b)), i, j)
        for i, a in enumerate(one)
        for j, b in enumerate(other)
        if not same_state or a["state"] == b["state"]
    ]
    taken: list[tuple[int, int]] = []
    for overlap, i, j in sorted(found, key=lambda each: (-each[0], each[1], each[2])):
        if overlap >= SAME and all(i != left and j != right for left, right in taken):
            taken.append((i, j))
    return taken


def agreement(one: Sequence[BoxSaid], other: Sequence[BoxSaid]) -> float:
    """0 to 1: the part of all boxes that the other opinion has too, in the same state (F1 at IoU 0.5).

    Two that say "no slate" agree.
    """
    if not one and not other:
        return 1.0
    return 2 * len(pairs(one, other, same_state=True)) / (len(one) + len(other))


def agreement_of_all(opinions: Sequence[Sequence[BoxSaid]]) -> float | None:
    """The mean over all pairs of opinions; None for fewer than two."""
    if len(opinions) < 2:
        return None
    return fmean(agreement(one, other) for one, other in combinations(opinions, 2))


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a box: kept, moved, restated, added or removed."""

    kind: str
    before: BoxSaid | None
    after: BoxSaid | None


def changes(before: Sequence[BoxSaid], after: Sequence[BoxSaid]) -> list[Change]:
    """What changed from one version to another, box by box."""
    matched = pairs(before, after, same_state=False)
    gone = set(range(len(before))) - {i for i, _ in matched}
    new = set(range(len(after))) - {j for _, j in matched}
    found = [Change(_kind(before[i], after[j]), before[i], after[j]) for i, j in sorted(matched)]
    found += [Change("removed", before[i], None) for i in sorted(gone)]
    return found + [Change("added", None, after[j]) for j in sorted(new)]


def _kind(before: BoxSaid, after: BoxSaid) -> str:
    if before["state"] != after["state"]:
        return "restated"
    return "kept" if box_of(before).iou(box_of(after)) >= UNMOVED else "moved"


def origin_of(proposals: Sequence[BoxSaid], said: Sequence[BoxSaid]) -> str:
    """How an answer came from the proposals: "accepted" unchanged, "changed", or "drawn" without one."""
    found = changes(proposals, said)
    if all(change.kind == "kept" for change in found):
        return "accepted"
    return "changed" if proposals else "drawn"

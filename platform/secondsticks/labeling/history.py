"""The history of a frame: versions are added, never changed; what stands follows from them.

Everything here is called with the frame's row locked (`select_for_update`), inside a transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User

from secondsticks.labeling.models import Annotation, FrameState, Origin, QueuedFrame


class NothingToUndo(Exception):
    """This person has said nothing about the frame that still holds."""


@dataclass(frozen=True, kw_only=True)
class Word:
    """What somebody says. `boxes` None with a `skip_reason` is a skip; `by` None is no person of ours."""

    by: User | None
    key: str
    made_on: int
    origin: str
    boxes: list[dict[str, Any]] | None = None
    skip_reason: str = ""
    seconds: float | None = None
    by_name: str = ""
    undoes: Annotation | None = None


def add(frame: QueuedFrame, word: Word) -> Annotation:
    """Add a version and write what follows from it to the frame. The lease on the frame ends."""
    annotation = Annotation.objects.create(
        project_id=frame.project_id,
        frame=frame,
        number=frame.version + 1,
        made_on=word.made_on,
        boxes=word.boxes,
        origin=word.origin,
        skip_reason=word.skip_reason,
        undoes=word.undoes,
        by=word.by,
        by_name=word.by_name or (word.by.get_username() if word.by else ""),
        seconds=word.seconds,
        key=word.key,
    )
    frame.version = annotation.number
    _count(frame, annotation)
    frame.standing = standing_after(frame, annotation)
    frame.state = state_of(frame)
    frame.leased_to = frame.leased_until = frame.lease_token = None
    frame.save(update_fields=_FOLLOWS)
    return annotation


_FOLLOWS = ["version", "people", "standing", "state", "leased_to", "leased_until", "lease_token"]


def _count(frame: QueuedFrame, annotation: Annotation) -> None:
    """Keep who has an opinion that counts. What was derived is nobody's opinion."""
    if annotation.by_id is None or annotation.origin == Origin.DERIVED:
        return
    others = [person for person in frame.people if person != annotation.by_id]
    frame.people = [*others, annotation.by_id] if annotation.says_something else others


def standing_after(frame: QueuedFrame, annotation: Annotation) -> Annotation | None:
    """What holds after `annotation`: the newest of people's own words; only without one, what was derived."""
    if annotation.boxes is not None and annotation.origin != Origin.DERIVED:
        return annotation
    newest = newest_of_each(frame)
    told = [one for one in newest if one.boxes is not None]
    return max(told, key=lambda one: (one.origin != Origin.DERIVED, one.number), default=None)


def newest_of_each(frame: QueuedFrame) -> list[Annotation]:
    """The last word of each author; what was derived, and each name without an account, is one of its own."""
    rows = Annotation.objects.filter(frame=frame).order_by("number")
    return list({_author_of(row): row for row in rows}.values())


def _author_of(row: Annotation) -> tuple[int | None, str]:
    """What was derived has one author, whoever decided: what follows from the last decision replaces it."""
    if row.origin == Origin.DERIVED:
        return None, ""
    return row.by_id, row.by_name if row.by_id is None else ""


def opinions_of(frame: QueuedFrame) -> list[list[dict[str, Any]]]:
    """The boxes of each person whose word counts, for `agreement`."""
    return [
        one.boxes for one in newest_of_each(frame) if one.boxes is not None and one.origin != Origin.DERIVED
    ]


def state_of(frame: QueuedFrame) -> str:
    """Enough opinions end the waiting; so does what was derived, or imported from nobody we could ask."""
    enough = len(frame.people) >= frame.opinions
    asked = frame.batch is not None
    if frame.standing is not None:
        given = frame.standing.by_id is None or frame.standing.origin == Origin.DERIVED
        if enough or given or not asked:
            return FrameState.LABELLED
    elif enough or (asked and is_skipped_elsewhere(frame)):
        return FrameState.SKIPPED
    if asked and frame.picture_sha256 and frame.state != FrameState.WITHDRAWN:
        return FrameState.WAITING
    return FrameState.WITHDRAWN


def is_skipped_elsewhere(frame: QueuedFrame) -> bool:
    """Whether somebody without an account here, whom we could not ask again, has skipped it."""
    return any(one.by_id is None and one.skip_reason for one in newest_of_each(frame))


def undo(frame: QueuedFrame, by: User, *, key: str, made_on: int) -> Annotation:
    """Add a version in which this person's word before their last one holds. Raises NothingToUndo."""
    mine = list(
        Annotation.objects.filter(frame=frame, by=by).exclude(origin=Origin.DERIVED).order_by("number")
    )
    undone = {one.undoes_id for one in mine}
    active = [one for one in mine if one.undoes_id is None and one.pk not in undone]
    if not active:
        raise NothingToUndo
    last, before = active[-1], active[-2] if len(active) > 1 else None
    holds = before or last
    word = Word(
        by=by,
        key=key,
        made_on=made_on,
        origin=holds.origin,
        boxes=before.boxes if before else None,
        skip_reason=before.skip_reason if before else "",
        undoes=last,
    )
    return add(frame, word)

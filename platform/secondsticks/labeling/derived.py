"""Derived annotations in the database: added, and taken back when the decision they follow from is.

What is there is compared with what follows from all decisions, in one transaction, so that doing it again
does nothing. The frames stay out of the queue; one that a person has labelled or has open is left to them.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models.functions import Now

from secondsticks.detection.decisions import standing_from
from secondsticks.detection.models import Decision, DecisionKind, Scan
from secondsticks.detection.moves import ScanState
from secondsticks.detection.standing import VERDICT_OF, Standing, active
from secondsticks.footage.models import Clip, ClipState
from secondsticks.labeling import doubts, filling, history
from secondsticks.labeling.derivations import GIVEN_UP, Derivation
from secondsticks.labeling.deriving import Event, Kind, Label, clipped, derive
from secondsticks.labeling.history import Word
from secondsticks.labeling.models import Annotation, FrameState, Origin, QueuedFrame
from secondsticks.labeling.work import Lost
from training.footage.footage import FootageError
from training.store import StoreError
from training.uncertainty import Look

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Said:
    """What people said about a clip: what holds, and all decisions that were not undone, by their uuid."""

    events: tuple[Event, ...]
    decisions: Mapping[UUID, Decision]


def work_out(derivation: Derivation) -> None:
    """Make a clip's derived annotations what they should be. For the worker that has claimed it."""
    clip = Clip.objects.select_related("project").get(pk=derivation.clip_id)
    try:
        scan = last_scan(clip)
        said = said_about(clip, scan)
        looks = doubts.looks_of(scan) if scan is not None else {}
        labels = labels_of(clip, said, looks)
        rows = take_pictures(derivation, clip, scan, labels, looks)
        with transaction.atomic():
            derivation.renew()
            QueuedFrame.objects.bulk_create(rows, ignore_conflicts=True)
            write(clip, said, {label.frame: label for label in labels})
            derivation.end(error="")
    except Lost:
        log.info("Somebody decided on clip %s meanwhile: it is derived anew.", clip.uuid)
    except (FootageError, StoreError) as error:
        derivation.hand_back(str(error))
    except Exception:
        derivation.hand_back(GIVEN_UP)
        raise


def last_scan(clip: Clip) -> Scan | None:
    """The scan whose boxes are used: the current one, or the last that was done before it."""
    done = Scan.objects.filter(clip=clip, state=ScanState.DONE).prefetch_related("claps")
    return done.order_by("-is_current", "-finished_at", "-pk").first()


def said_about(clip: Clip, scan: Scan | None) -> Said:
    decisions = list(Decision.objects.filter(clip=clip).select_related("by"))
    holding = active(decisions)
    events = events_of(standing_from(scan, decisions), holding)
    return Said(tuple(events), {decision.uuid: decision for decision in holding})


def events_of(standing: Standing, said: Sequence[Decision]) -> list[Event]:
    """What a person has confirmed, and by which decision. A rejected clap says nothing about any frame."""
    if not said:
        return []
    if said[-1].kind in VERDICT_OF:
        return [Event(Kind(said[-1].kind), said[-1].uuid)]
    last = {
        decision.uuid if decision.kind == DecisionKind.ADD else decision.clap: decision for decision in said
    }
    return [
        Event(Kind.CLAP, last[clap.id].uuid, clap.frame)
        for clap in standing.claps
        if clap.is_confirmed and clap.id in last
    ]


def labels_of(clip: Clip, said: Said, looks: Mapping[int, Look]) -> list[Label]:
    if clip.state != ClipState.READY or not said.events:
        return []
    seen = {frame: look.detections for frame, look in looks.items()}
    return derive(said.events, seen, width=clip.width or 0, height=clip.height or 0)


def take_pictures(
    derivation: Derivation,
    clip: Clip,
    scan: Scan | None,
    labels: Sequence[Label],
    looks: Mapping[int, Look],
) -> list[QueuedFrame]:
    """Rows, with pictures in the store, for frames that have none yet. Damaged frames are left out."""
    known = set(QueuedFrame.objects.filter(clip=clip).values_list("frame", flat=True))
    missing = [{"frame": label.frame} for label in labels if label.frame not in known]
    rows = []
    for _, frame in filling.pictures_of(derivation, clip, missing) if missing else ():
        if frame is None:
            continue
        row = filling.row_of(clip, frame, looks)
        row.state, row.why = FrameState.WITHDRAWN, "derived"
        row.checkpoint_id = scan.checkpoint_id if scan else None
        rows.append(row)
    return rows


def write(clip: Clip, said: Said, labels: Mapping[int, Label]) -> None:
    """Add, replace and take back. In a transaction."""
    frames = QueuedFrame.objects.filter(clip=clip).order_by("pk").select_for_update(no_key=True)
    before = derived_now(clip)
    for frame in frames.filter(frame__in={*labels, *before}):
        label, old = labels.get(frame.frame), before.get(frame.frame)
        if old is not None and still_holds(old, label, frame, said):
            continue
        if label is not None and may_add(frame, old):
            add(frame, label, said.decisions[label.decision])
        elif old is not None:
            take_back(frame, old)


def derived_now(clip: Clip) -> dict[int, Annotation]:
    """Frame -> the derived annotation that was not taken back."""
    rows = Annotation.objects.filter(frame__clip=clip, origin=Origin.DERIVED).order_by("number")
    newest = {row.frame.frame: row for row in rows.select_related("frame")}
    return {frame: row for frame, row in newest.items() if row.boxes is not None}


def may_add(frame: QueuedFrame, old: Annotation | None) -> bool:
    """Not over what people said, nor under the hands of somebody who is about to."""
    if frame.state == FrameState.UNREADABLE or not frame.picture_sha256:
        return False
    if frame.people or (frame.standing_id is not None and (old is None or frame.standing_id != old.pk)):
        return False
    return not QueuedFrame.objects.filter(pk=frame.pk, leased_until__gt=Now()).exists()


def still_holds(old: Annotation, label: Label | None, frame: QueuedFrame, said: Said) -> bool:
    """Whether its decision does, even if a later scan sees other boxes; or another one that says the same."""
    decision = decision_of(old)
    if decision in {event.decision for event in said.events}:
        return True
    return label is not None and decision in said.decisions and old.boxes == boxes_of(label, frame)


def add(frame: QueuedFrame, label: Label, decision: Decision) -> None:
    history.add(frame, word(frame, decision.by, decision.by_name, decision.uuid, boxes_of(label, frame)))


def take_back(frame: QueuedFrame, old: Annotation) -> None:
    decision = decision_of(old)
    history.add(frame, word(frame, old.by, old.by_name, decision, None, undoes=old))


def word(
    frame: QueuedFrame,
    by: User | None,
    by_name: str,
    decision: UUID | None,
    boxes: list[dict[str, Any]] | None,
    undoes: Annotation | None = None,
) -> Word:
    key = f"derived/{decision}/{frame.version + 1}"
    return Word(
        by=by,
        by_name=by_name,
        key=key,
        made_on=frame.version,
        origin=Origin.DERIVED,
        boxes=boxes,
        undoes=undoes,
    )


def decision_of(annotation: Annotation) -> UUID | None:
    """The decision from which an annotation was derived."""
    try:
        return UUID(annotation.key.split("/")[1])
    except (IndexError, ValueError):
        return None


def boxes_of(label: Label, frame: QueuedFrame) -> list[dict[str, Any]]:
    if label.box is None:
        return []
    box = clipped(label.box, frame.width, frame.height)
    sides = {"x": box.x, "y": box.y, "w": box.w, "h": box.h}
    return [{side: round(value, 2) for side, value in sides.items()} | {"state": str(label.state)}]

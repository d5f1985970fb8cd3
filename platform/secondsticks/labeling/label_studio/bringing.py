"""What people say in Label Studio, as versions in our history. Done again it changes nothing.

An annotation there is known by its number and `updated_at`. A new state of it is a new version here; deleting
it adds a version in which its author says nothing. What somebody here has settled meanwhile is not written
over: the answer is kept beside it as a conflict, for a lead to look at.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from secondsticks.labeling import history
from secondsticks.labeling.agreement import changes
from secondsticks.labeling.bodies import LONGEST_LOOK, BadBody, boxes_in
from secondsticks.labeling.history import Word
from secondsticks.labeling.label_studio.links import LabelStudioAnswer, LabelStudioLink, Outcome
from secondsticks.labeling.label_studio.tasks_there import Task, frames_of
from secondsticks.labeling.models import Annotation, FrameState, Origin, QueuedFrame, SkipReason
from training.label_studio import RegionError, regions_in

People = Callable[[], Mapping[int, str]]
NOBODY = "somebody in Label Studio"
SETTLED = "Somebody here said otherwise, and that stands."
KEPT_OURS = "Looked at; what was said here stays."
SKIPPED_THERE = "Skipped there; somebody here has labelled it."


@dataclass(frozen=True)
class Said:
    """An annotation as the export has it. `boxes` None with a `sentence`: it cannot be used, and why."""

    number: int
    updated_at: str
    by_name: str
    boxes: list[dict[str, Any]] | None
    skipped: bool
    seconds: float | None
    sentence: str = ""


def bring(link: LabelStudioLink, there: Mapping[str, list[Task]], people: People) -> list[str]:
    """Take in all that is new; returns what could not be used, in sentences. `people`: e-mails by number."""
    frames = frames_of(link, there)
    known = {
        (answer.frame_id, answer.ls_annotation): (answer.updated_at, answer.outcome)
        for answer in link.answers.all()
    }
    gone = {key for key, (_, outcome) in known.items() if outcome != Outcome.DELETED}
    here = {frame.pk for frame in frames.values()}
    for key, frame in frames.items():
        for annotation in (one for task in there[key] for one in task.annotations):
            number, updated_at = annotation.get("id"), str(annotation.get("updated_at"))[:40]
            if not isinstance(number, int):
                continue
            gone.discard((frame.pk, number))
            seen, outcome = known.get((frame.pk, number), ("", ""))
            if seen != updated_at or outcome == Outcome.DELETED:
                take(link, frame.pk, said_in(annotation, frame, people))
    for frame_pk, number in gone:
        if frame_pk in here:  # a task that is gone takes nothing back
            take_back(link, frame_pk, number)
    return notes_of(link, there, frames)


def said_in(annotation: Mapping[str, Any], frame: QueuedFrame, people: People) -> Said:
    boxes, sentence = None, ""
    skipped = annotation.get("was_cancelled") is True
    if not skipped:
        try:
            boxes = boxes_of(annotation.get("result"), frame)
        except (RegionError, BadBody) as error:
            sentence = f"{error}"
    return Said(
        number=annotation["id"],
        updated_at=str(annotation.get("updated_at"))[:40],
        by_name=author_of(annotation, people),
        boxes=boxes,
        skipped=skipped,
        seconds=seconds_of(annotation.get("lead_time")),
        sentence=sentence,
    )


def boxes_of(result: object, frame: QueuedFrame) -> list[dict[str, Any]]:
    """Boxes in pixels; none says that there is no slate. Raises RegionError, BadBody."""
    regions = regions_in(result, width=frame.width, height=frame.height)
    drawn = [
        {"x": one.box.x, "y": one.box.y, "w": one.box.w, "h": one.box.h, "state": str(one.state)}
        for one in regions
    ]
    return boxes_in({"boxes": drawn}, width=frame.width, height=frame.height)


def author_of(annotation: Mapping[str, Any], people: People) -> str:
    """The author's e-mail; exports give their number, or all about them."""
    by = annotation.get("completed_by")
    if isinstance(by, Mapping):
        name = by.get("email") or by.get("username")
    else:
        name = people().get(by) if isinstance(by, int) else None
    return str(name or NOBODY)[:150]


def seconds_of(lead_time: object) -> float | None:
    if isinstance(lead_time, bool) or not isinstance(lead_time, int | float) or not math.isfinite(lead_time):
        return None
    return min(max(float(lead_time), 0.0), LONGEST_LOOK)


def take(link: LabelStudioLink, frame_pk: int, said: Said) -> None:
    """Keep one annotation, or its new state, and what becomes of it."""
    with transaction.atomic():
        frame = locked(frame_pk)
        answer = answer_of(link, frame, said.number)
        if answer is None:
            answer = LabelStudioAnswer(link=link, frame=frame, ls_annotation=said.number)
        elif answer.updated_at == said.updated_at and answer.outcome != Outcome.DELETED:
            return
        unchanged = (answer.boxes, answer.skipped) == (said.boxes, said.skipped) and not said.sentence
        if not (unchanged and answer.outcome == Outcome.KEPT):
            judge(frame, answer, said)
        answer.updated_at, answer.by_name, answer.seconds = said.updated_at, said.by_name, said.seconds
        answer.boxes, answer.skipped = said.boxes, said.skipped
        answer.save()


def answer_of(link: LabelStudioLink, frame: QueuedFrame, number: int) -> LabelStudioAnswer | None:
    rows = link.answers.select_related("annotation")
    return rows.filter(frame=frame, ls_annotation=number).first()


def judge(frame: QueuedFrame, answer: LabelStudioAnswer, said: Said) -> None:
    """Decide what becomes of an annotation, and add the version if it is to be one."""
    answer.sentence = said.sentence
    if said.sentence:
        answer.outcome = Outcome.REFUSED
        if answer.annotation:  # what it said before, it does not say any more
            unsay(frame, answer)
    elif settled_here(frame):
        if said.skipped:
            answer.outcome, answer.sentence = Outcome.SAME, SKIPPED_THERE
        elif is_same(frame, said):
            answer.outcome = Outcome.SAME
        else:
            answer.outcome, answer.sentence = Outcome.CONFLICT, SETTLED
    else:
        answer.annotation = history.add(frame, word_of(frame, answer, said))
        answer.outcome = Outcome.KEPT


def settled_here(frame: QueuedFrame) -> bool:
    """Whether people here have said what stands, and no more opinions are wanted."""
    if frame.standing is None or frame.state == FrameState.WAITING:
        return False
    return frame.standing.origin not in (Origin.DERIVED, Origin.LABEL_STUDIO)


def is_same(frame: QueuedFrame, said: Said) -> bool:
    before = frame.standing.boxes if frame.standing else None
    found = changes(before or [], said.boxes or [])
    return before is not None and all(change.kind == "kept" for change in found)


def word_of(frame: QueuedFrame, answer: LabelStudioAnswer, said: Said) -> Word:
    return Word(
        by=None,
        by_name=said.by_name,
        key=key_of(frame, answer, said.updated_at),
        made_on=frame.version,
        origin=Origin.SKIPPED if said.skipped else Origin.LABEL_STUDIO,
        boxes=said.boxes,
        skip_reason=SkipReason.OTHER if said.skipped else "",
        seconds=said.seconds,
    )


def key_of(frame: QueuedFrame, answer: LabelStudioAnswer, what: str) -> str:
    """Says which annotation and state a version is; the number keeps a state that comes back apart."""
    return f"label studio {answer.link_id}/{answer.ls_annotation} {what} {frame.version}"[:120]


def take_back(link: LabelStudioLink, frame_pk: int, number: int) -> None:
    """An annotation was deleted there: its author says nothing any more."""
    with transaction.atomic():
        frame = locked(frame_pk)
        answer = answer_of(link, frame, number)
        if answer is None or answer.outcome == Outcome.DELETED:
            return
        if answer.annotation:
            unsay(frame, answer)
        answer.outcome, answer.sentence, answer.boxes, answer.skipped = Outcome.DELETED, "", None, False
        answer.save()


def unsay(frame: QueuedFrame, answer: LabelStudioAnswer) -> None:
    """Add the version in which an annotation's author has said nothing."""
    last = answer.annotation
    assert last is not None
    is_undone = Annotation.objects.filter(undoes=last).exists()
    word = Word(
        by=None,
        by_name=last.by_name,
        key=key_of(frame, answer, "taken back"),
        made_on=frame.version,
        origin=Origin.LABEL_STUDIO,
        undoes=None if is_undone else last,
    )
    history.add(frame, word)
    answer.annotation = None


def use(answer: LabelStudioAnswer, by: Any) -> bool:
    """A lead decides for Label Studio's answer in a conflict: it becomes their word. False: there is none."""
    with transaction.atomic():
        frame = locked(answer.frame_id)
        fresh = LabelStudioAnswer.objects.select_for_update().filter(pk=answer.pk, outcome=Outcome.CONFLICT)
        found = fresh.first()
        if found is None or found.boxes is None:
            return False
        word = Word(
            by=by, key=key_of(frame, found, f"used {found.updated_at}"), made_on=frame.version,
            origin=Origin.LABEL_STUDIO, boxes=found.boxes,
        )  # fmt: skip
        history.add(frame, word)
        fresh.update(outcome=Outcome.SAME, sentence="")
    return True


def dismiss(answer: LabelStudioAnswer) -> bool:
    """A lead decides for what stands here. False: there is no conflict any more."""
    rows = LabelStudioAnswer.objects.filter(pk=answer.pk, outcome=Outcome.CONFLICT)
    return (
        rows.update(outcome=Outcome.SAME, sentence="Looked at; what was said here stays.", seen_at=Now()) == 1
    )


def locked(frame_pk: int) -> QueuedFrame:
    rows = QueuedFrame.objects.select_related("clip", "standing").annotate(clip_name=F("clip__name"))
    return rows.select_for_update(of=("self",), no_key=True).get(pk=frame_pk)


def notes_of(
    link: LabelStudioLink, there: Mapping[str, list[Task]], frames: Mapping[str, QueuedFrame]
) -> list[str]:
    """What was found there and is not ours, or cannot be used."""
    notes = []
    foreign = sum(len(there[key]) for key in there.keys() - frames.keys())
    if foreign:
        notes.append(f"{foreign} task(s) there are of no frame of this project, and left alone.")
    for answer in link.answers.filter(outcome=Outcome.REFUSED).select_related("frame__clip")[:20]:
        at = f"{answer.frame.clip.name}, frame {answer.frame.frame}"
        notes.append(f"{at}: the annotation of {answer.by_name} cannot be used: {answer.sentence}.")
    return notes

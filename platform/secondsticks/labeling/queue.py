"""The queue: one frame for one person for a while. Two people never see the same one, but in second opinions.

A frame is leased with a token; saving needs the token and the version that the page had seen. A lease that
ran out is worth nothing once somebody else has taken the frame; until then a late answer is still welcome.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models.functions import Now

from secondsticks.footage.models import Clip
from secondsticks.labeling import history
from secondsticks.labeling.agreement import origin_of
from secondsticks.labeling.history import Word
from secondsticks.labeling.models import Annotation, Draft, LabelingSettings, Origin, QueuedFrame
from secondsticks.labeling.permissions import get_frame_for

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from secondsticks.footage.models import Project

#: A page may hold so many frames: the one it shows, and the next ones, whose pictures it loads already.
MOST_HELD = 4

#: `mine` first: somebody who comes back gets what they had open. `SKIP LOCKED`: nobody waits for another's
#: choice, and the WHERE is checked again on the locked row, so that a frame is never given out twice.
_TAKE = """
WITH mine AS (
    SELECT id, lease_token FROM labeling_queuedframe
    WHERE leased_to_id = %(me)s AND project_id = %(project)s AND state = 'waiting'
      AND leased_until > STATEMENT_TIMESTAMP() AND NOT uuid = ANY(%(holding)s)
    ORDER BY rank, id LIMIT 1 FOR NO KEY UPDATE
), fresh AS (
    SELECT id, %(token)s::uuid AS lease_token FROM labeling_queuedframe
    WHERE project_id = %(project)s AND state = 'waiting'
      AND (leased_until IS NULL OR leased_until <= STATEMENT_TIMESTAMP())
      AND NOT %(me)s = ANY(people) AND NOT uuid = ANY(%(holding)s)
      AND NOT EXISTS (SELECT 1 FROM mine)
      AND (SELECT COUNT(*) FROM labeling_queuedframe AS held
           WHERE held.leased_to_id = %(me)s AND held.leased_until > STATEMENT_TIMESTAMP()) < %(most)s
    ORDER BY rank, id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED
), taken AS (SELECT * FROM mine UNION ALL SELECT * FROM fresh)
UPDATE labeling_queuedframe AS frame
SET leased_to_id = %(me)s, lease_token = taken.lease_token,
    leased_until = STATEMENT_TIMESTAMP() + make_interval(secs => COALESCE(
        %(seconds)s,
        60 * (SELECT lease_minutes FROM labeling_labelingsettings WHERE project_id = %(project)s),
        %(usual)s))
FROM taken, footage_clip AS clip
WHERE frame.id = taken.id AND clip.id = frame.clip_id
RETURNING frame.*, clip.uuid AS clip_uuid, clip.name AS clip_name, clip.frames AS clip_frames,
    EXTRACT(EPOCH FROM frame.leased_until - STATEMENT_TIMESTAMP()) AS lease_seconds,
    (SELECT jsonb_build_object('boxes', boxes, 'made_on', made_on) FROM labeling_draft
     WHERE frame_id = frame.id AND person_id = %(me)s) AS draft
"""


@dataclass(frozen=True)
class OpenFrame:
    """A frame that somebody has leased, for how many seconds from now, and what they drew before."""

    frame: QueuedFrame
    lease_seconds: float
    draft: dict[str, Any] | None


class Conflict(Exception):
    """What was sent cannot hold any more; says why. `frame` is as it is now."""

    def __init__(self, sentence: str, kind: str, frame: QueuedFrame) -> None:
        super().__init__(sentence)
        self.kind = kind
        self.frame = frame

    @property
    def newest(self) -> Annotation | None:
        return Annotation.objects.filter(frame=self.frame).order_by("-number").first()


LOST = "Your time with this frame ran out, and somebody else has it now. What you drew is kept as your draft."
NOT_YOURS = "This frame is not open for you. Open it again to change it."
STALE = "Somebody else has answered for this frame since you opened it. See both, then decide."
TAKEN = "Somebody else is looking at this frame right now. Try again in a few minutes."
NOTHING = "There is nothing of yours to undo in this frame."


def next_frame(
    user: User, project: Project, *, holding: Sequence[UUID] = (), lease: timedelta | None = None
) -> OpenFrame | None:
    """Lease this person their next frame: one they had open and their page does not hold, else the best free.

    None when there is none for them, or when they have MOST_HELD open.
    """
    known = {
        "me": user.pk,
        "project": project.pk,
        "holding": list(holding),
        "token": uuid4(),
        "most": MOST_HELD,
        "seconds": lease.total_seconds() if lease is not None else None,
        "usual": LabelingSettings().lease.total_seconds(),
    }
    for row in QueuedFrame.objects.raw(_TAKE, known):
        found: Any = row
        clip = Clip(pk=row.clip_id, uuid=found.clip_uuid, name=found.clip_name, frames=found.clip_frames)
        row.clip = clip
        return OpenFrame(row, float(found.lease_seconds), json.loads(found.draft) if found.draft else None)
    return None


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a page sends to save or skip: `boxes`, or a `skip_reason`."""

    key: str
    token: UUID
    made_on: int
    boxes: list[dict[str, Any]] | None = None
    skip_reason: str = ""
    seconds: float | None = None


def save(user: User, uuid: UUID, read: Callable[[QueuedFrame], Answer]) -> Annotation:
    """Keep an answer. One that was kept before (same key) is answered with that again. Raises Conflict.

    `read` makes the answer, knowing the frame: boxes are checked against its size.
    """
    with transaction.atomic():
        frame = get_frame_for(user, uuid, lock=True)
        answer = read(frame)
        key = key_of(user, answer.key)
        kept = Annotation.objects.filter(frame=frame, key=key).first()
        if kept is not None:
            kept.frame = frame
            return kept
        require_lease(frame, user, answer)
        origin = origin_in(frame, answer.boxes)
        word = Word(
            by=user, key=key, made_on=answer.made_on, origin=origin, boxes=answer.boxes,
            skip_reason=answer.skip_reason, seconds=answer.seconds,
        )  # fmt: skip
        annotation = history.add(frame, word)
        Draft.objects.filter(frame=frame, person=user).delete()
    return annotation


def origin_in(frame: QueuedFrame, boxes: list[dict[str, Any]] | None) -> str:
    """How an answer came to be; where nothing was proposed because nobody has looked yet, it is drawn."""
    if boxes is None:
        return Origin.SKIPPED
    return origin_of(frame.proposals, boxes) if frame.checkpoint_id else Origin.DRAWN


def key_of(user: User, key: str) -> str:
    """Keys are chosen by pages: two people's may be the same."""
    return f"{user.pk}/{key}"


def require_lease(frame: QueuedFrame, user: User, answer: Answer) -> None:
    """Raise Conflict unless this answer may be kept."""
    if frame.version != answer.made_on:
        raise Conflict(STALE, "stale", frame)
    if frame.leased_to_id == user.pk and frame.lease_token == answer.token:
        return
    raise Conflict(LOST if frame.leased_to_id not in (None, user.pk) else NOT_YOURS, "lease", frame)


def take(user: User, uuid: UUID) -> OpenFrame:
    """Lease one certain frame, also one that is labelled, to look at it again. Raises Conflict."""
    with transaction.atomic():
        frame = get_frame_for(user, uuid, lock=True)
        return lease_to(frame, user)


def lease_to(frame: QueuedFrame, user: User) -> OpenFrame:
    """Lease a locked frame to this person, who may have it already. Raises Conflict."""
    require_free(frame, user)
    lease = LabelingSettings.of(frame.project_id).lease
    if frame.leased_to_id != user.pk or frame.lease_token is None:
        frame.lease_token = uuid4()
    frame.leased_to = user
    leased = {"leased_to": user, "lease_token": frame.lease_token, "leased_until": Now() + lease}
    QueuedFrame.objects.filter(pk=frame.pk).update(**leased)
    draft = Draft.objects.filter(frame=frame, person=user).values("boxes", "made_on").first()
    return OpenFrame(frame, lease.total_seconds(), dict(draft) if draft else None)


def require_free(frame: QueuedFrame, user: User) -> None:
    """Raise Conflict while somebody else has the frame."""
    if QueuedFrame.objects.filter(pk=frame.pk, leased_until__gt=Now()).exclude(leased_to=user).exists():
        raise Conflict(TAKEN, "lease", frame)


def keep_lease(user: User, frame: QueuedFrame, token: UUID) -> float:
    """Renew a lease; returns for how many seconds. One that ran out lives again if nobody took the frame.

    Raises Conflict.
    """
    lease = LabelingSettings.of(frame.project_id).lease
    if not _leased(user, frame, token).update(leased_until=Now() + lease):
        raise Conflict(LOST, "lease", frame)
    return lease.total_seconds()


def release(user: User, frame: QueuedFrame, token: UUID) -> bool:
    """Give a frame back unanswered; False if it was not theirs any more."""
    nobody = {"leased_to": None, "leased_until": None, "lease_token": None}
    return _leased(user, frame, token).update(**nobody) == 1


def _leased(user: User, frame: QueuedFrame, token: UUID):
    return QueuedFrame.objects.filter(pk=frame.pk, leased_to=user, lease_token=token)


def undo(user: User, uuid: UUID, *, key: str, made_on: int) -> OpenFrame:
    """Take back this person's last word on a frame, and lease it to them. Raises Conflict."""
    with transaction.atomic():
        frame = get_frame_for(user, uuid, lock=True)
        key = key_of(user, key)
        if not Annotation.objects.filter(frame=frame, key=key).exists():
            if frame.version != made_on:
                raise Conflict(STALE, "stale", frame)
            require_free(frame, user)
            try:
                history.undo(frame, user, key=key, made_on=made_on)
            except history.NothingToUndo:
                raise Conflict(NOTHING, "nothing", frame) from None
        return lease_to(frame, user)

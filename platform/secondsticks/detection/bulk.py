"""Accepting many clips at once: those whose scan is sure, above a confidence that a person chose."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID, uuid4

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from secondsticks.detection.decisions import keep_verdicts, lock, seconds_of
from secondsticks.detection.models import Clap, Decision, DecisionKind
from secondsticks.detection.signals import decided
from secondsticks.detection.standing import active
from secondsticks.detection.statuses import scan_of, standing_of, with_scans, with_status
from secondsticks.footage.models import Clip, Project

#: What a person may choose, in percent.
LEAST, USUAL, MOST = 50, 90, 100


def acceptable(project: Project, percent: int) -> QuerySet[Clip]:
    """Sure clips that nobody has decided on, each of whose claps is at least this confident."""
    doubtful = Clap.objects.filter(
        scan__clip=OuterRef("pk"), scan__is_current=True, confidence__lt=percent / 100
    )
    any_clap = Clap.objects.filter(scan__clip=OuterRef("pk"), scan__is_current=True)
    undecided = ~Exists(Decision.objects.filter(clip=OuterRef("pk")))
    clips = with_status(Clip.objects.filter(project=project)).filter(status__in=("sure", "tail"))  # type: ignore[misc]
    return clips.filter(undecided, Exists(any_clap), ~Exists(doubtful))


def accept(project: Project, user: User, percent: int) -> UUID:
    """Accept the claps of all these clips as one batch, which has this name."""
    batch = uuid4()
    with transaction.atomic():
        lock(list(acceptable(project, percent).values_list("pk", flat=True)))
        # Asked again behind the lock: somebody may have decided on one of them meanwhile.
        clips = list(with_scans(Clip.objects.filter(pk__in=acceptable(project, percent).values("pk"))))
        made = [decision for clip in clips for decision in _acceptances(clip, user, batch)]
        Decision.objects.bulk_create(made, batch_size=500)
        _keep_verdicts(clips)
    return batch


def _acceptances(clip: Clip, user: User, batch: UUID) -> Iterable[Decision]:
    now = timezone.now()
    for number, clap in enumerate(standing_of(clip).claps, start=1):
        yield Decision(
            clip=clip, scan=scan_of(clip), number=number, kind=DecisionKind.ACCEPT, clap=clap.id,
            frame_before=clap.frame, frame_after=clap.frame, seconds=seconds_of(clap, clip),
            by=user, by_name=user.get_username(), at=now, key=f"{batch}/{number}", batch=batch,
        )  # fmt: skip


def clips_of(project: Project, batch: UUID) -> int:
    """How many clips a batch has accepted in this project."""
    return Decision.objects.filter(batch=batch, clip__project=project).values("clip").distinct().count()


def take_back(project: Project, user: User, batch: UUID) -> int:
    """Undo a batch where it is still the last word on a clip; on how many clips it was."""
    mine = Decision.objects.filter(batch=batch, clip__project=project).exclude(kind=DecisionKind.UNDO)
    with transaction.atomic():
        lock(list(mine.values_list("clip_id", flat=True).distinct()))
        clips = list(with_scans(Clip.objects.filter(pk__in=mine.values("clip_id"))))
        undone = [(clip, _undoings(clip, user, batch)) for clip in clips]
        Decision.objects.bulk_create([one for _, made in undone for one in made], batch_size=500)
        changed = [clip for clip, made in undone if made]
        _keep_verdicts(changed)
    return len(changed)


def _undoings(clip: Clip, user: User, batch: UUID) -> list[Decision]:
    known = list(clip.decisions.all())
    last_word = active(known)
    if not last_word or last_word[-1].batch != batch:
        return []
    now = timezone.now()
    mine = [one for one in last_word if one.batch == batch]
    return [
        Decision(
            clip=clip,
            scan=scan_of(clip),
            number=len(known) + number,
            kind=DecisionKind.UNDO,
            undoes=one,
            by=user,
            by_name=user.get_username(),
            at=now,
            key=f"{batch}/undo/{number}",
            batch=batch,
        )
        for number, one in enumerate(mine, start=1)
    ]


def _keep_verdicts(clips: list[Clip]) -> None:
    fresh = with_scans(Clip.objects.filter(pk__in=[clip.pk for clip in clips]))
    keep_verdicts((clip, scan_of(clip), clip.decisions.all()) for clip in fresh)
    decided.send(sender=Decision, clips=[clip.pk for clip in clips])

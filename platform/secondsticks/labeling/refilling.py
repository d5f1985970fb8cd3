"""When the queue gets its next batch, and what happens when another checkpoint becomes the champion.

All of this is asked by the sweep every few seconds; whatever is lost is asked for again.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Max, Q
from django.db.models.functions import Now

from secondsticks.detection import champions, quiet
from secondsticks.detection.models import Scan
from secondsticks.detection.moves import ScanState
from secondsticks.footage.models import Clip, ClipState, Project
from secondsticks.labeling.models import Batch, ClipDoubts, FrameState, LabelingSettings, QueuedFrame
from secondsticks.labeling.work import WorkState

UNDER_WAY = (WorkState.WAITING, WorkState.RUNNING)
#: After a batch that failed, the next one waits so long.
PAUSE = timedelta(minutes=5)
#: So many clips of a project are looked at again at once: new clips must not wait behind a new champion.
AT_A_TIME = 2


def begin_batch(project: Project, *, replaces: bool = False) -> Batch | None:
    """Begin the project's next batch; None when one is under way. Inside a transaction."""
    if Batch.objects.filter(project=project, state__in=UNDER_WAY).exists():
        return None
    last = Batch.objects.filter(project=project).aggregate(last=Max("number"))["last"] or 0
    try:
        with transaction.atomic():
            return Batch.objects.create(project=project, number=last + 1, replaces=replaces, sent_at=Now())
    except IntegrityError:  # somebody else was faster
        return None


def refill(*, send: Callable[[Batch], None]) -> None:
    """Begin a batch for each project whose queue runs low."""
    for project in Project.objects.filter(clips__doubts__state=WorkState.DONE).distinct():
        with transaction.atomic():
            batch = begin_batch(project) if is_due(project) else None
        if batch is not None:
            send(batch)


def is_due(project: Project) -> bool:
    """Whether fewer than half a batch waits for a first opinion, and there is more to choose from.

    While clips are still being scanned, a batch comes only when nobody has anything to do.
    """
    waiting = QueuedFrame.objects.filter(project=project, state=FrameState.WAITING, people=[])
    enough = max(LabelingSettings.of(project.pk).batch_size // 2, 1)
    left = len(waiting.values_list("pk")[:enough])
    if left >= enough or (left and not is_settled(project)):
        return False
    last = Batch.objects.filter(project=project).order_by("-number").first()
    if last is None:
        return True
    if last.state == WorkState.FAILED:
        return Batch.objects.filter(pk=last.pk, ended_at__lt=Now() - PAUSE).exists()
    fresh = ClipDoubts.objects.filter(clip__project=project, ended_at__gt=last.created_at)
    return last.state == WorkState.DONE and (bool(last.chosen) or fresh.exists())


def is_settled(project: Project) -> bool:
    """Whether no clip of the project is being scanned or thought about."""
    scans = Scan.objects.filter(clip__project=project, state__in=[ScanState.QUEUED, ScanState.RUNNING])
    thoughts = ClipDoubts.objects.filter(clip__project=project, state__in=UNDER_WAY)
    return not (scans.exists() or thoughts.exists())


def rescore(project: Project) -> None:
    """Score what waits by a new champion: clips are scanned again quietly, then the queue is chosen anew.

    Until then the frames that wait get its proposals. To be called in the transaction of a promotion.
    """
    LabelingSettings.objects.update_or_create(project=project, defaults={"rescore_asked_at": Now()})


def go_on_rescoring(*, send_scan: Callable[[UUID], None], send_batch: Callable[[Batch], None]) -> None:
    """Ask for a few more quiet scans; when all clips have one, begin the batch that replaces what waits."""
    for wishes in LabelingSettings.objects.exclude(rescore_asked_at=None).select_related("project"):
        quietly = Scan.objects.filter(clip__project=wishes.project, is_quiet=True, state__in=quiet.UNDER_WAY)
        left = list(clips_to_look_at(wishes)[: max(AT_A_TIME - quietly.count(), 0)])
        for clip in left:
            quiet.scan_quietly(clip, send=send_scan)
        if not left and not clips_to_look_at(wishes).exists() and is_settled(wishes.project):
            finish_rescoring(wishes, send_batch=send_batch)


def clips_to_look_at(wishes: LabelingSettings):
    """Clips whose scan is by another checkpoint, and that nobody has begun to scan since."""
    champion = champions.champion_for(wishes.project)
    since = Scan.objects.filter(created_at__gte=wishes.rescore_asked_at).values("clip_id")
    clips = Clip.objects.filter(project=wishes.project, state=ClipState.READY).select_related("project")
    old = Q(scans__is_current=True, scans__state=ScanState.DONE) & ~Q(scans__checkpoint=champion)
    return clips.filter(old).exclude(pk__in=since).order_by("pk")


def finish_rescoring(wishes: LabelingSettings, *, send_batch: Callable[[Batch], None]) -> None:
    with transaction.atomic():
        same = LabelingSettings.objects.filter(pk=wishes.pk, rescore_asked_at=wishes.rescore_asked_at)
        if Batch.objects.filter(project=wishes.project, state__in=UNDER_WAY).exists():
            return
        batch = begin_batch(wishes.project, replaces=True) if same.update(rescore_asked_at=None) else None
    if batch is not None:
        send_batch(batch)

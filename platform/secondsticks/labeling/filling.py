"""Filling the queue: a batch is chosen from all clips of a project, its pictures are taken, its frames wait.

Each step may be repeated: what was chosen is kept with the batch, pictures and rows are written over.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from hashlib import sha256
from io import BytesIO
from itertools import groupby
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from PIL import Image

from secondsticks.footage.fetching import at_hand
from secondsticks.footage.models import Clip
from secondsticks.labeling import doubts
from secondsticks.labeling.models import (
    Batch,
    ClipDoubts,
    FrameState,
    LabelingSettings,
    QueuedFrame,
    picture_key,
)
from secondsticks.labeling.work import Lost, Work, WorkState
from secondsticks.store import store
from training import uncertainty
from training.footage.footage import Footage, FootageError, Frame
from training.store import StoreError
from training.timecode import TimecodeError
from training.uncertainty import Candidates, Look, Why, Worth

log = logging.getLogger(__name__)

QUALITY = 92
GIVEN_UP = "The next frames could not be brought into the queue; the server's log says more."
#: A frame that nobody has answered for, and that nobody looks at now.
UNTOUCHED = Q(version=0) & (Q(leased_until=None) | Q(leased_until__lt=Now()))

Chosen = dict[str, Any]


def fill(batch: Batch) -> None:
    """Choose a batch and bring it into the queue. For the worker that has claimed it."""
    try:
        if batch.chosen is None:
            batch.chosen = choose(batch)
            batch.renew(chosen=batch.chosen)
        for clip, chosen in by_clip(batch):
            bring(batch, clip, chosen)
        with transaction.atomic():
            batch.end()
            if batch.replaces:
                withdraw_earlier(batch)
    except Lost:
        log.info("Batch %s is no longer ours.", batch.pk)
    except StoreError as error:
        batch.hand_back(str(error))
    except Exception:
        batch.hand_back(GIVEN_UP)
        raise


def choose(batch: Batch) -> list[Chosen]:
    """The frames of a batch, in the order to ask for them."""
    wishes = LabelingSettings.of(batch.project_id)
    picked = uncertainty.choose(
        candidates_of(batch),
        size=wishes.batch_size,
        seed=batch.pk,
        strategy=uncertainty.Strategy(wishes.strategy),
        random_share=wishes.random_share,
        taken=taken(batch),
    )
    return [
        doubts.as_json(one.worth) | {"clip": one.clip, "why": str(one.why), "place": place / len(picked)}
        for place, one in enumerate(picked)
    ]


def candidates_of(batch: Batch) -> list[Candidates]:
    ready = ClipDoubts.objects.filter(clip__project=batch.project_id, state=WorkState.DONE)
    rows = ready.values_list("clip__uuid", "clip__frames", "worths", "hashes")
    return [
        Candidates(
            str(uuid),
            frames or 0,
            [doubts.from_json(worth) for worth in worths],
            {int(frame): known for frame, known in hashes.items()},
        )
        for uuid, frames, worths, hashes in rows
    ]


def taken(batch: Batch) -> set[tuple[str, int]]:
    """Frames not to choose: answered ones, and those that wait, unless this batch replaces them."""
    rows = QueuedFrame.objects.filter(project=batch.project_id).exclude(UNTOUCHED, state=FrameState.WITHDRAWN)
    if batch.replaces:
        rows = rows.exclude(UNTOUCHED, state=FrameState.WAITING)
    return {(str(uuid), frame) for uuid, frame in rows.values_list("clip__uuid", "frame")}


def by_clip(batch: Batch) -> Iterator[tuple[Clip, list[Chosen]]]:
    """Clip by clip, those first whose frames are asked for first."""
    chosen: list[Chosen] = batch.chosen or []
    first: dict[str, int] = {}
    for place, one in enumerate(chosen):
        first.setdefault(one["clip"], place)
    rows = Clip.objects.filter(project=batch.project_id, uuid__in=list(first)).select_related("project")
    clips = {str(clip.uuid): clip for clip in rows}
    ordered = sorted(chosen, key=lambda one: first[one["clip"]])
    for uuid, group in groupby(ordered, key=lambda one: one["clip"]):
        if uuid in clips:  # it may have been removed meanwhile
            yield clips[uuid], list(group)


def bring(batch: Batch, clip: Clip, chosen: list[Chosen]) -> None:
    """Take the pictures of a clip's frames and let the frames wait.

    Frames that are damaged are never asked about; a clip that cannot be opened waits for its next scan.
    """
    found = ClipDoubts.objects.filter(clip=clip).select_related("scan").first()
    if found is None:
        return
    looks = doubts.looks_of(found.scan)
    wishes = LabelingSettings.of(batch.project_id)
    rows = []
    try:
        for one, frame in pictures_of(batch, clip, chosen):
            if frame is None:
                rows.append(unreadable(clip, one["frame"]))
                continue
            row = row_of(clip, frame, looks)
            row.checkpoint_id = found.scan.checkpoint_id if frame.number in looks else None
            rows.append(describe(row, batch, one, wishes))
    except FootageError as error:
        log.warning("Clip %s cannot be asked about: %s", clip.uuid, error)
        ClipDoubts.objects.filter(pk=found.pk, scan=found.scan, state=WorkState.DONE).update(
            state=WorkState.FAILED, error=str(error)
        )
    with transaction.atomic():
        batch.renew()
        write(rows)


def pictures_of(batch: Work, clip: Clip, chosen: list[Chosen]) -> Iterator[tuple[Chosen, Frame | None]]:
    """Each chosen frame in full size, read by one fenced child; None for one that is damaged.

    The frame at which reading breaks off is the last one. Raises FootageError for the clip itself.
    """
    with at_hand(clip, tick=batch.renew) as path, Footage(path, longest_side=None) as footage:
        for one in sorted(chosen, key=lambda one: one["frame"]):
            batch.renew()
            try:
                frame = footage.frame_at(one["frame"])
            except (IndexError, FootageError) as error:
                log.warning("Frame %s of clip %s cannot be asked about: %s", one["frame"], clip.uuid, error)
                yield one, None
                if isinstance(error, FootageError):
                    return
            else:
                yield one, None if frame.damaged else frame


def unreadable(clip: Clip, frame: int) -> QueuedFrame:
    row = QueuedFrame(project_id=clip.project_id, clip=clip, frame=frame, pts=0, width=0, height=0)
    row.state = FrameState.UNREADABLE
    return row


def row_of(clip: Clip, frame: Frame, looks: Mapping[int, Look]) -> QueuedFrame:
    """A row for a frame, with its picture in the store."""
    height, width = frame.picture.shape[:2]
    content = jpeg(frame)
    store().put(picture_key(f"{clip.uuid}/{frame.number}"), content)
    seen = looks.get(frame.number)
    return QueuedFrame(
        project_id=clip.project_id,
        clip=clip,
        frame=frame.number,
        pts=frame.pts,
        timecode=timecode_of(clip, frame.number),
        width=width,
        height=height,
        picture_sha256=sha256(content).hexdigest(),
        proposals=doubts.proposals_of(seen.detections if seen else (), width=width, height=height),
    )


def jpeg(frame: Frame) -> bytes:
    content = BytesIO()
    Image.fromarray(frame.picture).save(content, "JPEG", quality=QUALITY)
    return content.getvalue()


def timecode_of(clip: Clip, frame: int) -> str:
    try:
        return clip.timecode_at(frame)
    except TimecodeError:
        return ""


def describe(row: QueuedFrame, batch: Batch, one: Chosen, wishes: LabelingSettings) -> QueuedFrame:
    """Say in the row why it was chosen, where it comes in the queue, and how many people are asked."""
    worth: Worth = doubts.from_json(one)
    row.state = FrameState.WAITING
    row.batch, row.rank = batch.number, batch.number + one["place"]
    row.worth, row.reasons, row.appearance = worth.score, list(worth.reasons), worth.appearance
    row.why = one["why"]
    drawn = int(sha256(f"opinions of {row.frame_key}".encode()).hexdigest()[:8], 16) / 2**32
    row.opinions = wishes.second_opinions if drawn < wishes.second_opinion_share else 1
    return row


#: What a batch writes over in a row that was in the queue before.
_WRITTEN = (
    *("picture_sha256", "width", "height", "pts", "timecode", "proposals", "checkpoint_id", "state", "batch"),
    *("rank", "worth", "reasons", "appearance", "why", "opinions"),
)


def write(rows: list[QueuedFrame]) -> None:
    """Write rows: new ones, and over those that nobody has answered for or looks at."""
    QueuedFrame.objects.bulk_create(rows, ignore_conflicts=True)
    for row in rows:
        written = {name: getattr(row, name) for name in _WRITTEN}
        QueuedFrame.objects.filter(UNTOUCHED, clip=row.clip_id, frame=row.frame).update(**written)


def withdraw_earlier(batch: Batch) -> None:
    """Frames of earlier batches that were not chosen again leave the queue, but for those drawn by chance."""
    waiting = QueuedFrame.objects.filter(UNTOUCHED, project=batch.project_id, state=FrameState.WAITING)
    waiting.filter(batch__lt=batch.number).exclude(why=Why.RANDOM).update(state=FrameState.WITHDRAWN)

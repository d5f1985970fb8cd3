"""All that is labelled in a project, frames and imported stills: what exports and datasets are made of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from secondsticks.footage.models import Project
from secondsticks.labeling.exchange.rows import Still
from secondsticks.labeling.models import Origin, QueuedFrame
from training.exchange.labelled import Labelled
from training.slates import Box, State

#: Stills' ids come after all frames' in an export, where both are in one list.
STILLS_FROM = 1 << 40
#: A box's id is its annotation's, with room for the boxes of one frame.
BOX_IDS = 16


def labelled_in(project: Project) -> Iterator[Labelled]:
    """What a person, a decision or an import said of frames; without boxes where it is "no slate"."""
    frames = QueuedFrame.objects.filter(
        project=project, standing__isnull=False, standing__boxes__isnull=False
    )
    for frame in frames.select_related("clip", "standing").order_by("pk").iterator(500):
        yield of_frame(frame)
    for still in Still.objects.filter(project=project).select_related("batch").order_by("pk").iterator(500):
        yield of_still(still)


def of_frame(frame: QueuedFrame) -> Labelled:
    said = frame.standing
    assert said is not None
    return Labelled(
        id=frame.pk,
        frame_key=frame.frame_key,
        file_name=f"{frame.frame_key}.jpg",
        width=frame.width,
        height=frame.height,
        boxes=boxes_of(said.pk, said.boxes or []),
        clip=frame.clip.name,
        clip_uuid=str(frame.clip.uuid),
        frame=frame.frame,
        timecode=frame.timecode,
        picture_sha256=frame.picture_sha256,
        origin=said.origin,
        author=said.by_name,
        version=said.number,
        at=said.at.isoformat(),
        group=str(frame.clip.uuid),
    )


def of_still(still: Still) -> Labelled:
    return Labelled(
        id=STILLS_FROM + still.pk,
        frame_key=still.frame_key,
        file_name=f"{still.frame_key}.jpg",
        width=still.width,
        height=still.height,
        boxes=boxes_of(STILLS_FROM + still.pk, still.boxes),
        clip=still.source,
        clip_uuid=str(still.uuid),
        frame=0,
        timecode="",
        picture_sha256=still.picture_sha256,
        origin=Origin.IMPORTED,
        author=still.author or still.batch.name,
        version=1,
        at=still.at.isoformat(),
        group=f"stills: {still.source}",
    )


def boxes_of(number: int, boxes: list[dict[str, Any]]) -> tuple[tuple[int, Box, State], ...]:
    return tuple(
        (number * BOX_IDS + place, Box(one["x"], one["y"], one["w"], one["h"]), State(one["state"]))
        for place, one in enumerate(boxes)
    )

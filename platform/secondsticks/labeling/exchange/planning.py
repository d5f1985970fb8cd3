"""Comparing a file's labels with what is here: what can be taken over, and what cannot and why."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Now

from secondsticks.footage.models import Clip, ClipState
from secondsticks.labeling.bodies import BadBody, boxes_in
from secondsticks.labeling.exchange.rows import Import, Still
from secondsticks.labeling.models import FrameState, Origin, QueuedFrame
from training.exchange.archive import MOST_PICTURE, Archive, open_archive
from training.exchange.foreign import ExchangeError, Foreign, ForeignFrame, PictureProblem
from training.exchange.reading import read_archive

#: Problems that are kept with an import.
MOST_KEPT = 2000
#: Rows that one query asks for.
AT_ONCE = 1000
BEAT_SECONDS = 10.0


@dataclass(frozen=True)
class Taken:
    """A label that can be taken over: of a frame of a clip, or else of a still with this sha256."""

    foreign: ForeignFrame
    boxes: list[dict[str, Any]]
    clip: Clip | None = None
    frame: int = 0
    sha256: str = ""


@dataclass
class Plan:
    format: str
    unsaid: int
    taken: list[Taken] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)

    def refuse(self, foreign: ForeignFrame, sentence: str) -> None:
        self.problems.append((foreign.file_name or foreign.id, sentence))

    def report(self) -> dict[str, Any]:
        """As JSON."""
        states = Counter(box["state"] for one in self.taken for box in one.boxes)
        return {
            "frames": sum(one.clip is not None for one in self.taken),
            "stills": sum(one.clip is None for one in self.taken),
            "open": states["open"],
            "closed": states["closed"],
            "without": sum(not one.boxes for one in self.taken),
            "unsaid": self.unsaid,
            "refused": len(self.problems),
            "problems": self.problems[:MOST_KEPT],
        }


def every_few_seconds(beat: Callable[[], None]) -> Callable[[], None]:
    """A beat that may be called often."""
    last = time.monotonic()

    def calm() -> None:
        nonlocal last
        if time.monotonic() - last > BEAT_SECONDS:
            last = time.monotonic()
            beat()

    return calm


def plan(batch: Import) -> Plan:
    """Read a file and compare it with what is here. Raises ExchangeError, and Lost."""
    with open_archive(batch.file, every_few_seconds(batch.renew)) as archive:
        found = read_archive(archive, batch.wishes)
        made = Plan(
            found.format, found.unsaid, problems=[(one.where, one.sentence) for one in found.problems]
        )
        clips, frames = ours(batch, found)
        stills: list[tuple[ForeignFrame, list[dict[str, Any]]]] = []
        for foreign in found.frames:
            try:
                boxes = our_boxes(foreign)
                clip = clips.get(foreign.frame_key.partition("/")[0])
                if clip is None:
                    stills.append((foreign, boxes))
                else:
                    number = int(foreign.frame_key.partition("/")[2])
                    require_room(foreign, clip, number, frames.get(foreign.frame_key))
                    made.taken.append(Taken(foreign, boxes, clip, number))
            except PictureProblem as problem:
                made.refuse(foreign, str(problem))
        plan_stills(batch, archive, stills, made)
    return made


def our_boxes(foreign: ForeignFrame) -> list[dict[str, Any]]:
    """Boxes as an annotation keeps them. Raises PictureProblem."""
    said = [
        {"x": one.box.x, "y": one.box.y, "w": one.box.w, "h": one.box.h, "state": str(one.state)}
        for one in foreign.boxes
    ]
    try:
        return boxes_in({"boxes": said}, width=foreign.width, height=foreign.height)
    except BadBody as error:
        raise PictureProblem(str(error)) from error


def ours(batch: Import, found: Foreign) -> tuple[dict[str, Clip], dict[str, QueuedFrame]]:
    """Clips of this project that are meant, by uuid, and their frames that we know, by frame_key."""
    keys = [foreign.frame_key for foreign in found.frames if foreign.frame_key]
    uuids = sorted({key.partition("/")[0] for key in keys})
    clips: dict[str, Clip] = {}
    frames: dict[str, QueuedFrame] = {}
    for some in chunks(uuids):
        rows = Clip.objects.filter(project=batch.project_id, uuid__in=[UUID(one) for one in some])
        clips |= {str(clip.uuid): clip for clip in rows.select_related("project")}
    for some in chunks(keys):
        wanted = Q(clip__uuid__in={UUID(key.partition("/")[0]) for key in some})
        wanted &= Q(frame__in={int(key.partition("/")[2]) for key in some})
        rows_known = QueuedFrame.objects.filter(wanted, project=batch.project_id)
        frames |= {frame.frame_key: frame for frame in rows_known.select_related("clip", "standing")}
    return clips, frames


def chunks(what: list[str]) -> Iterable[list[str]]:
    return (what[at : at + AT_ONCE] for at in range(0, len(what), AT_ONCE))


def require_room(foreign: ForeignFrame, clip: Clip, number: int, frame: QueuedFrame | None) -> None:
    """Raise PictureProblem unless a label of this frame may be added."""
    if clip.state != ClipState.READY or number >= (clip.frames or 0):
        raise PictureProblem(f"The clip {clip.name} has no frame {number} that can be read.")
    known = frame is not None and frame.picture_sha256
    width, height = (frame.width, frame.height) if frame and known else (clip.width, clip.height)
    if (foreign.width, foreign.height) != (width, height):
        raise PictureProblem(
            f"It was labelled as {foreign.width} × {foreign.height} pixels, ours has {width} × {height}."
        )
    if frame is not None:
        require_unlabelled(frame)


def require_unlabelled(frame: QueuedFrame) -> None:
    """Raise PictureProblem where a person has a word already, or is about to say one."""
    if frame.state == FrameState.UNREADABLE:
        raise PictureProblem("This frame is damaged in its clip.")
    if frame.standing is not None and frame.standing.origin != Origin.DERIVED:
        raise PictureProblem(f"This frame is labelled already, by {frame.standing.by_name}.")
    if frame.people:
        raise PictureProblem("Somebody has answered for this frame already.")
    if QueuedFrame.objects.filter(pk=frame.pk, leased_until__gt=Now()).exists():
        raise PictureProblem("Somebody has this frame open just now.")


def plan_stills(
    batch: Import, archive: Archive, stills: list[tuple[ForeignFrame, list[dict[str, Any]]]], made: Plan
) -> None:
    """Pictures of no clip of ours: each once, and not if it is here already."""
    hashed: list[Taken] = []
    for foreign, boxes in stills:
        try:
            hashed.append(Taken(foreign, boxes, sha256=sha_of(archive, foreign)))
        except PictureProblem as problem:
            made.refuse(foreign, str(problem))
    times = Counter(one.sha256 for one in hashed)
    here: dict[str, Still] = {}
    for some in chunks(list(times)):
        rows = Still.objects.filter(project=batch.project_id, original_sha256__in=some)
        here |= {still.original_sha256: still for still in rows.select_related("batch")}
    for one in hashed:
        if times[one.sha256] > 1:
            made.refuse(one.foreign, f"The same picture is in the file {times[one.sha256]} times.")
        elif one.sha256 in here:
            made.refuse(
                one.foreign, f"This picture is here already, imported with {here[one.sha256].batch.name}."
            )
        else:
            made.taken.append(one)


def sha_of(archive: Archive, foreign: ForeignFrame) -> str:
    if not foreign.picture:
        other = " It names a frame, but of no clip of this project." if foreign.frame_key else ""
        raise PictureProblem(f"Its picture is not in the file.{other}")
    return sha256(content_of(archive, foreign)).hexdigest()


def content_of(archive: Archive, foreign: ForeignFrame) -> bytes:
    """Raises PictureProblem."""
    try:
        return archive.read(foreign.picture, MOST_PICTURE)
    except ExchangeError as error:
        raise PictureProblem(str(error)) from error

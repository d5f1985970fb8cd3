"""Looking for the sound file of each clip: asked for in the row, done by a worker, brought back by the sweep.

A row of LinkDue says that a clip's sound is to be looked for. It goes when that is done, if nobody has asked
anew meanwhile (`token`). Doing it twice writes nothing twice, so a lease without a fence is enough.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from secondsticks.detection.decisions import lock
from secondsticks.detection.moves import ScanState
from secondsticks.detection.sound_links import How, LinkDue, SoundLink, standing_link
from secondsticks.detection.statuses import ShownClip, with_scans
from secondsticks.footage.models import Clip, ClipState, Project, SoundFile
from secondsticks.footage.sound_files import SoundFileState

if TYPE_CHECKING:
    from training.claps.appearance import Clap
    from training.sound.matching import Match, Recording

LEASE = timedelta(minutes=2)
#: What waits so long was lost.
WAITED = timedelta(seconds=30)
#: After so many failures of ours a clip is left alone until somebody asks anew.
MOST_TRIES = 3
#: A clap that a person moved by more frames than this is another sound than the one heard with it.
SAME_SOUND = 2

logger = logging.getLogger(__name__)
Send = Callable[[UUID], None]


def ask(project: Project, clips: Iterable[int], *, send: Send) -> None:
    """Have the sound of these clips looked for, once the transaction is over."""
    due = [LinkDue(clip_id=pk, token=uuid4(), tries=0, taken_until=None) for pk in sorted(set(clips))]
    LinkDue.objects.bulk_create(
        due,
        update_conflicts=True,
        unique_fields=["clip"],
        update_fields=["token", "tries", "taken_until"],
        batch_size=1000,
    )
    if due:
        transaction.on_commit(lambda: send(project.uuid), robust=True)


def ask_for_all(project: Project, *, send: Send) -> None:
    """Have the sound of every clip of a project looked for that has been scanned."""
    scanned = Clip.objects.filter(scans__is_current=True, scans__state=ScanState.DONE)
    ready = scanned.filter(project=project, state=ClipState.READY)
    ask(project, ready.values_list("pk", flat=True), send=send)


def link_project(project_uuid: str) -> None:
    """Look for the sound of all clips of a project for which that is due."""
    recordings = Recordings(project_uuid)
    while (due := _take(project_uuid)) is not None:
        try:
            _link(due, recordings)
        except Exception:
            logger.exception("the sound of clip %s could not be looked for", due.clip_id)


def send_lost(*, send: Send) -> None:
    """Send again for projects in which something is due that nobody does."""
    lost = LinkDue.objects.filter(_free(), asked_at__lt=Now() - WAITED)
    for uuid in lost.values_list("clip__project__uuid", flat=True).distinct():
        send(uuid)


def _free() -> Q:
    return Q(tries__lt=MOST_TRIES) & (Q(taken_until=None) | Q(taken_until__lt=Now()))


def _take(project_uuid: str) -> LinkDue | None:
    """Take what is due next; None if nothing is, or others do it."""
    while True:
        due = LinkDue.objects.filter(_free(), clip__project__uuid=project_uuid).order_by("pk").first()
        if due is None:
            return None
        mine = LinkDue.objects.filter(_free(), pk=due.pk, token=due.token, tries=due.tries)
        if mine.update(taken_until=Now() + LEASE, tries=F("tries") + 1):
            return due


class Recordings:
    """The sound files of a project as they are matched, loaded again when there are others."""

    def __init__(self, project_uuid: str) -> None:
        self._ready = SoundFile.objects.filter(project__uuid=project_uuid, state=SoundFileState.READY)
        self._known: list[tuple[int, Any]] = []
        self._loaded: dict[int, tuple[SoundFile, Recording]] = {}

    def now(self) -> dict[int, tuple[SoundFile, Recording]]:
        """Of each file its row and its recording, by the row's id."""
        there = list(self._ready.order_by("pk").values_list("pk", "updated_at"))
        if there != self._known:
            rows = self._ready.in_bulk([pk for pk, _ in there])
            self._loaded = {pk: (row, recording_of(row)) for pk, row in rows.items()}
            self._known = there
        return self._loaded


def recording_of(sound_file: SoundFile) -> Recording:
    """A sound file as it is matched, under the name that people gave it."""
    from dataclasses import replace
    from pathlib import Path

    from training.sound.matching import Recording

    return Recording(replace(sound_file.facts(), path=Path(sound_file.name)), sound_file.transients())


def _link(due: LinkDue, recordings: Recordings) -> None:
    """Find the clip's recording and keep what is new about that."""
    loaded = recordings.now()
    clip = with_scans(Clip.objects.filter(pk=due.clip_id, state=ClipState.READY)).first()
    shown = ShownClip(clip) if clip else None
    scanned = shown is not None and shown.scan is not None and shown.scan.state == ScanState.DONE
    if clip is None or shown is None or not scanned or not loaded:
        LinkDue.objects.filter(pk=due.pk, token=due.token).delete()
        return
    found = _row(clip, found_for(shown, [recording for _, recording in loaded.values()]), loaded)
    with transaction.atomic():
        lock([clip.pk])
        earlier = list(SoundLink.objects.filter(clip=clip))
        last = standing_link(earlier)
        if last is None or not (last.is_a_persons or last.says_the_same(found)):
            found.number = len(earlier) + 1
            found.save(force_insert=True)
        LinkDue.objects.filter(pk=due.pk, token=due.token).delete()


def found_for(shown: ShownClip, recordings: list[Recording]) -> Match:
    from training.sound.matching import match  # scipy, which the web process need not load

    return match(shown.clip.facts(), claps_for(shown), recordings)


def claps_for(shown: ShownClip) -> list[Clap]:
    """The claps that stand, and what the scan heard and did not see."""
    from training.claps.appearance import Clap
    from training.sound.matching import heard_clap

    claps = []
    for one in shown.claps:
        heard = one.seen if one.seen and abs(one.clap.moved) <= SAME_SOUND else None
        claps.append(
            Clap(
                frame=one.frame,
                confidence=one.confidence or 1.0,
                last_open=one.seen.last_open if one.seen and not one.clap.moved else one.frame - 1,
                sample=heard.sample if heard else None,
                sample_rate=heard.sample_rate if heard else None,
            )
        )
    if shown.scan is not None and not shown.standing.is_confirmed:
        claps += [heard_clap(one, shown.clip.rate) for one in shown.scan.heard]
    return claps


def _row(clip: Clip, found: Match, loaded: dict[int, tuple[SoundFile, Recording]]) -> SoundLink:
    row = SoundLink(clip=clip, how=How.NOTHING, certainty=str(found.certainty), reason=found.reason)
    if found.recording is None or found.link is None:
        return row
    row.sound_file = next(file for file, recording in loaded.values() if recording is found.recording)
    row.sound_name = row.sound_file.name
    row.how = How(found.link.how)
    row.offset_samples = found.link.offset_samples
    row.by_timecode, row.by_claps = found.link.by_timecode, found.link.by_claps
    row.confidence = found.link.confidence if found.link.heard else None
    return row

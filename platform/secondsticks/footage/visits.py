"""One visit to a watched folder: look through it, wait until what is new has settled, make rows of it.

What was seen is kept in rows before anything is made of it, so a visit may end at any moment: the next one
goes on from there. Nothing is ever concluded from what is missing, as a share may be away.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from secondsticks.footage import names
from secondsticks.footage.leases import Lease, LeaseLost, free, held
from secondsticks.footage.models import Clip, ClipState, Project, ProxyState, SoundFile
from secondsticks.footage.reading import fingerprint
from secondsticks.footage.signals import folder_visited
from secondsticks.footage.uploads import Arrived
from secondsticks.footage.watched_folders import WatchedFile, WatchedFolder
from secondsticks.watch.journal import Fingerprint
from secondsticks.watch.lookout import FolderAway, Look, Seen, look
from secondsticks.watch.settling import Settling, written_now

TO_VISIT = Q(is_paused=False, due_at__lte=Now())
#: Seconds until the next look; a share that is slow or away is not kept busy by us.
AGAIN, AGAIN_WHEN_AWAY, TIMES_SLOWER = 10, 60, 4
#: Files taken in one visit, so that a card of thousands does not fill the queue at once.
MOST_AT_ONCE = 500
MOST_NOTES = 20
BATCH = 1000
SendIngest = Callable[[Arrived], None]
Kind = type[Clip] | type[SoundFile]
#: What a file becomes, and which columns start anew when it is read again. Both spell their states alike.
KINDS: dict[Kind, dict[str, object]] = {
    Clip: {"proxy_state": ProxyState.UNKNOWN, "proxy_message": "", "proxy_progress": 0},
    SoundFile: {},
}


def visit(lease: Lease[WatchedFolder], *, send_ingest: SendIngest) -> None:
    """Look through a watched folder that was claimed, and give it back."""
    watched, began = lease.row, time.monotonic()
    away_since = watched.looked_at if watched.problem else None
    with held(lease):
        try:
            found = _look(watched)
        except FolderAway as away:
            _give_back(lease, AGAIN_WHEN_AWAY, problem=str(away))
            return
        slow = (time.monotonic() - began) * TIMES_SLOWER
        ready = _ready(watched, keep(lease, found))
        take(lease, ready, away_since=away_since, send_ingest=send_ingest)
        folder_visited.send(sender=WatchedFolder, lease=lease, away_since=away_since)
        _give_back(lease, max(AGAIN, slow))


def _look(watched: WatchedFolder) -> Look:
    return look(
        watched.folder,
        is_mount=watched.is_mount,
        within=settings.SECONDSTICKS_FOLDERS,
        also=[watched.export_folder] if watched.export_folder else [],
    )


def _give_back(lease: Lease[WatchedFolder], seconds: float, **columns: str) -> None:
    due = Now() + timedelta(seconds=seconds)
    lease.write(due_at=due, queued_at=None, leased_until=None, failures=0, **columns)


def keep(lease: Lease[WatchedFolder], found: Look) -> list[str]:
    """Keep what was seen, and since when each file is as it is; the paths of those that have settled."""
    with transaction.atomic():
        watched, now = _locked(lease)
        known = {row.path: row for row in watched.files.all()}
        pending = [seen for seen in found.files if not _is_taken(known.get(seen.about.path), seen)]
        settling = _settling(now, known.values())
        settled = settling.settled([seen.about for seen in pending])
        WatchedFile.objects.bulk_create(
            [_row(watched, seen, settling.since[seen.about]) for seen in pending],
            update_conflicts=True,
            unique_fields=["watched", "path"],
            update_fields=["location", "size", "mtime_ns", "since", "is_taken"],
            batch_size=BATCH,
        )
        _forget({seen.about.path for seen in found.files}, known.values())
        sounds = sum(names.is_sound(seen.about.path) for seen in found.files)
        lease.write(
            looked_at=Now(),
            problem="",
            notes=found.notes[:MOST_NOTES],
            clip_count=len(found.files) - sounds,
            sound_count=sounds,
            unsettled=len(pending) - len(settled),
        )
    return [one.path for one in settled]


def _locked(lease: Lease[WatchedFolder]) -> tuple[WatchedFolder, datetime]:
    """The folder, locked while it is still ours, and the time by the database's clock."""
    Project.objects.select_for_update().get(pk=lease.row.project_id)
    mine = WatchedFolder.objects.filter(pk=lease.row.pk, attempt=lease.attempt)
    watched = mine.select_for_update(no_key=True).annotate(now=Now()).first()
    if watched is None:
        raise LeaseLost(f"watched folder {lease.row.uuid}, attempt {lease.attempt}")
    now: datetime = watched.now
    return watched, now


def _is_taken(row: WatchedFile | None, seen: Seen) -> bool:
    return row is not None and row.is_taken and _about(row) == seen.about


def _about(row: WatchedFile) -> Fingerprint:
    return Fingerprint(row.path, row.size, row.mtime_ns)


def _settling(now: datetime, known: Iterable[WatchedFile]) -> Settling:
    since = {_about(row): row.since.timestamp() for row in known if row.since and not row.is_taken}
    return Settling(settings.SECONDSTICKS_SETTLE_SECONDS, clock=now.timestamp, since=since)


def _row(watched: WatchedFolder, seen: Seen, since: float) -> WatchedFile:
    about = {"path": seen.about.path, "size": seen.about.size, "mtime_ns": seen.about.mtime_ns}
    return WatchedFile(
        watched=watched, location=seen.location, since=datetime.fromtimestamp(since, tz=UTC), **about
    )


def _forget(there: set[str], known: Iterable[WatchedFile]) -> None:
    """What went away before it had settled starts anew when it comes back."""
    gone = [row for row in known if not row.is_taken and row.path not in there]
    WatchedFile.objects.filter(pk__in=[row.pk for row in gone if row.exports]).update(since=None)
    WatchedFile.objects.filter(pk__in=[row.pk for row in gone if not row.exports]).delete()


@dataclass(frozen=True)
class Ready:
    """A file that is fully written, as far as one can see from here."""

    row: WatchedFile
    #: Whether its clip or sound file, if there is one, was made from the same content.
    is_same: bool

    @property
    def kind(self) -> Kind:
        return SoundFile if names.is_sound(self.row.path) else Clip


def _ready(watched: WatchedFolder, settled: list[str]) -> list[Ready]:
    """Of the files that have settled, those that no program on this machine has open for writing."""
    being_written = written_now() if settled else set()
    rows = [row for row in watched.files.filter(path__in=settled) if row.location not in being_written]
    located = {row.location: row for row in sorted(rows, key=lambda row: row.path)[:MOST_AT_ONCE]}
    same: set[str] = set()
    for kind in KINDS:
        known = kind.objects.filter(project=watched.project, location__in=located)
        same |= {one.location for one in known if _is_of(one, located[one.location])}
    return [Ready(row, location in same) for location, row in located.items()]


def _is_of(known: Clip | SoundFile, row: WatchedFile) -> bool:
    """Whether it was read from this very content: a share that is mounted anew may change times."""
    try:
        return known.size == row.size and known.fingerprint == fingerprint(Path(row.location))
    except OSError:
        return False


def take(
    lease: Lease[WatchedFolder],
    ready: list[Ready],
    *,
    away_since: datetime | None,
    send_ingest: SendIngest,
) -> None:
    """Make rows for new files, and have those read again whose files have changed, all or none."""
    with transaction.atomic():
        watched, _ = _locked(lease)
        arrived: list[Arrived] = []
        for kind in KINDS:
            mine = [one for one in ready if one.kind is kind]
            new, again = _take_all(kind, watched, mine, away_since)
            known = {one.location for one in [*new, *again]}
            done = [one.row.pk for one in mine if one.is_same or one.row.location in known]
            watched.files.filter(pk__in=done).update(is_taken=True, exports_say="")
            arrived += [*new, *again]
        for file in arrived:
            transaction.on_commit(partial(send_ingest, file), robust=True)


def _take_all(kind: Kind, watched: WatchedFolder, ready: list[Ready], away_since: datetime | None):
    """Those that are new, and those that are read again because they have changed or were away."""
    rows = kind.objects.filter(project=watched.project)
    locations = [one.row.location for one in ready]
    known = set(rows.filter(location__in=locations).values_list("location", flat=True))
    new: list[Any] = [_new(kind, watched.project, one) for one in locations if one not in known]
    kind.objects.bulk_create(new, batch_size=BATCH)
    changed = {one.row.location for one in ready if one.row.location in known and not one.is_same}
    again = _read_again(kind, rows.filter(location__in=changed))
    if away_since:
        here = watched.files.filter(is_taken=True).values("location")
        refused = rows.filter(state=ClipState.REFUSED, updated_at__gte=away_since)
        again += _read_again(kind, refused.filter(location__in=here))
    return new, again


def _new(kind: Kind, project: Project, location: str) -> Clip | SoundFile:
    name = names.shown(location)
    return kind(project=project, name=name, origin=kind.Origin.FOLDER, location=location, queued_at=Now())


def _read_again(kind: Kind, rows) -> list[Clip | SoundFile]:
    """Have files read anew that nobody works on just now; which ones."""
    idle = rows.filter(free(), state__in=[ClipState.READY, ClipState.REFUSED])
    found = list(idle.select_for_update(of=("self",)))
    kind.objects.filter(pk__in=[one.pk for one in found]).update(
        state=ClipState.UPLOADED, message="", failures=0, queued_at=Now(), leased_until=None,
        updated_at=Now(), **KINDS[kind],
    )  # fmt: skip
    return found

"""Exports of the clips of a watched folder, written beside it and again whenever what stands has changed.

What the files of a clip say is kept in its row: its scan, and how much was said since. Where these differ
now, the files are due: no event can be missed, and a restart repeats nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from django.db.models import CharField, F, Max, OuterRef, QuerySet, Subquery, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Coalesce, Concat, Now

from secondsticks.detection import scans
from secondsticks.detection.markers import marked
from secondsticks.detection.models import Decision, Scan, SlateText, SoundLink
from secondsticks.detection.moves import ScanState
from secondsticks.detection.statuses import with_scans
from secondsticks.footage.leases import Lease, LeaseLost
from secondsticks.footage.models import Clip, ClipState, WatchedFile, WatchedFolder
from secondsticks.footage.watched import ExportsRefused, check_exports
from secondsticks.markers import written
from secondsticks.terminal import printable
from secondsticks.watch.placing import mirrored, place_durably, remove_left_overs

#: Clips written in one visit; the next one goes on.
MOST_AT_ONCE = 200
#: What is said about a clip and its exports show: rows that are only added, with a `number` per `clip`.
SAID = (Decision, SlateText, SoundLink)


def write_due(lease: Lease[WatchedFolder]) -> None:
    """Write the exports that are due, or say on the folder why not. Raises LeaseLost."""
    watched = lease.row
    if not watched.export_to:
        return
    rows = list(due(watched)[:MOST_AT_ONCE])
    problem = ""
    try:
        check_exports(watched)
        if rows:
            remove_left_overs(Path(watched.export_to))
            problem = _write_all(lease, rows)
    except ExportsRefused as error:
        problem = str(error)
    except OSError as error:
        problem = _cannot(watched.export_to, error)
    lease.write(export_problem=problem)


def due(watched: WatchedFolder) -> QuerySet[WatchedFile]:
    """The files whose clips say something else now than their exports do; `says` is what they say."""
    clip = {"clip__project": watched.project_id, "clip__location": OuterRef("location")}
    done = Scan.objects.filter(**clip, is_current=True, state=ScanState.DONE, clip__state=ClipState.READY)
    files = watched.files.filter(is_taken=True).annotate(scan=Subquery(done.values("uuid")))
    parts: list[Combinable] = [Cast("scan", CharField())]
    for kind in SAID:
        rows = kind.objects.filter(**clip).order_by().values("clip").annotate(last=Max("number"))
        parts += [Value("/"), Cast(Coalesce(Subquery(rows.values("last")), 0), CharField())]
    files = files.filter(scan__isnull=False).annotate(says=Concat(*parts))
    return files.exclude(exports_say=F("says")).order_by("path")


def scan_what_was_away(watched: WatchedFolder, since: datetime, *, send) -> None:
    """Scan the clips of a folder again whose scans failed while it was away."""
    failed = Scan.objects.filter(is_current=True, state=ScanState.FAILED, finished_at__gte=since)
    here = watched.files.filter(is_taken=True).values("location")
    clips = Clip.objects.filter(project=watched.project, state=ClipState.READY, location__in=here)
    for clip in clips.filter(scans__in=failed):
        scans.scan_again(clip, send=send)


def _write_all(lease: Lease[WatchedFolder], rows: list[WatchedFile]) -> str:
    """Write the exports of these files; a sentence about the last that could not be written, or nothing."""
    owners = {
        name.casefold(): path
        for path, names in lease.row.files.exclude(exports=[]).values_list("path", "exports")
        for name in names
    }
    problem = ""
    for row in rows:
        try:
            _write(lease, row, owners)
        except OSError as error:
            problem = _cannot(row.path, error)
            check_exports(lease.row)  # if the folder itself has gone, none of the others can be written
    return problem


def _cannot(what: str, error: OSError) -> str:
    return f"The exports of {printable(what)} cannot be written: {error.strerror or error}. Trying again."


def _write(lease: Lease[WatchedFolder], row: WatchedFile, owners: dict[str, str]) -> None:
    """Write the exports of one file's clip, and remove those that it does not have any more."""
    watched, target = lease.row, Path(lease.row.export_to)
    clip = with_scans(Clip.objects.filter(project=watched.project, location=row.location)).first()
    if clip is None:  # removed a moment ago
        return
    formats = watched.export_formats
    files = written([marked(clip)], formats, include_unsure=watched.include_unsure)
    files = mirrored(files, row.path, clip.name, lambda name: owners.get(name.casefold()))
    owners |= {name.casefold(): row.path for name in files}
    stale = set(row.exports) - set(files)
    # First whose the names are, so that they are known as ours if we are killed while we write.
    _keep(lease, row, exports=sorted({*row.exports, *files}), exports_say="")
    check_exports(watched)
    _refuse_links_outwards(files, target)
    place_durably(files, target)
    for name in stale:
        (target / name).unlink(missing_ok=True)
    try:
        _keep(lease, row, exports=sorted(files), exports_say=row.says)  # type: ignore[attr-defined]  # from `due`
        lease.write(exported_at=Now())
    except LeaseLost:
        # Whoever took over may have written newer files, and we older ones over them: write them once more.
        WatchedFile.objects.filter(pk=row.pk).update(exports_say="")
        raise


def _keep(lease: Lease[WatchedFolder], row: WatchedFile, **columns: object) -> None:
    mine = WatchedFile.objects.filter(pk=row.pk, watched__attempt=lease.attempt)
    if not mine.update(**columns):
        raise LeaseLost(f"watched folder {lease.row.uuid}, attempt {lease.attempt}")


def _refuse_links_outwards(files: Iterable[str], target: Path) -> None:
    """Raise ExportsRefused where a link in the export folder leads elsewhere: perhaps into footage."""
    real = os.path.realpath(target)
    for folder in {(target / name).parent for name in files}:
        if not Path(os.path.realpath(folder)).is_relative_to(real):
            raise ExportsRefused(f"{printable(folder)} is a link that leads out of the export folder.")

"""What wakes detection: a clip that footage has read, a watched folder that it has looked through."""

from __future__ import annotations

import logging

from django.db.models.signals import post_migrate
from django.dispatch import Signal

log = logging.getLogger(__name__)

#: A clip's current scan is done. Sent with `scan`, inside the transaction that stores its result: rows that a
#: receiver writes are kept or lost together with it; messages it sends belong in `transaction.on_commit`.
scan_done = Signal()

#: People decided about clips, or took decisions back. Sent with `clips`, their pks, inside the transaction
#: that keeps the decisions, as `scan_done` is.
decided = Signal()


def connect() -> None:
    from secondsticks.detection import slate_reading, sound_signals
    from secondsticks.footage.signals import clip_ingested, folder_visited

    clip_ingested.connect(on_clip_ingested, dispatch_uid="detection.scan")
    folder_visited.connect(on_folder_visited, dispatch_uid="detection.exports")
    sound_signals.connect(scan_done)
    scan_done.connect(slate_reading.on_scan_done, dispatch_uid="detection.slate_text")
    post_migrate.connect(on_migrated, dispatch_uid="detection.shipped_checkpoint")


def on_clip_ingested(sender, clip, **kwargs) -> None:
    from secondsticks.detection import scans, tasks

    scans.scan_anew(clip, send=tasks.send)


def on_folder_visited(sender, lease, away_since, **kwargs) -> None:
    from secondsticks.detection import export_folders, tasks

    if away_since:
        export_folders.scan_what_was_away(lease.row, away_since, send=tasks.send)
    export_folders.write_due(lease)


def on_migrated(sender, **kwargs) -> None:
    """Register the checkpoint that we ship once our tables are there."""
    if getattr(sender, "name", "") != "secondsticks.detection":
        return
    from secondsticks.detection import champions

    try:
        champions.register_shipped()
    except champions.NoCheckpoint as error:
        log.warning("%s", error)

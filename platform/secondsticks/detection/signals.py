"""What wakes detection: a clip that footage has read."""

from __future__ import annotations

import logging

from django.db.models.signals import post_migrate
from django.dispatch import Signal

log = logging.getLogger(__name__)

#: A clip's current scan is done. Sent with `scan`, inside the transaction that stores its result: rows that a
#: receiver writes are kept or lost together with it; messages it sends belong in `transaction.on_commit`.
scan_done = Signal()


def connect() -> None:
    from secondsticks.footage.signals import clip_ingested

    clip_ingested.connect(on_clip_ingested, dispatch_uid="detection.scan")
    post_migrate.connect(on_migrated, dispatch_uid="detection.shipped_checkpoint")


def on_clip_ingested(sender, clip, **kwargs) -> None:
    from secondsticks.detection import scans, tasks

    scans.ask_for_scan(clip, send=tasks.send)


def on_migrated(sender, **kwargs) -> None:
    """Register the checkpoint that we ship once our tables are there."""
    if getattr(sender, "name", "") != "secondsticks.detection":
        return
    from secondsticks.detection import champions

    try:
        champions.register_shipped()
    except champions.NoCheckpoint as error:
        log.warning("%s", error)

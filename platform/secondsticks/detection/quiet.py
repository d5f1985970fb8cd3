"""Scans that nobody waits for: a clip keeps what its scan says until the quiet one is done, and replaces it.

For a new champion, whose reading of clips that were scanned before is worth having, but in no hurry.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now

from secondsticks.detection import decisions
from secondsticks.detection.models import Scan
from secondsticks.detection.moves import ScanState
from secondsticks.footage.models import Clip

UNDER_WAY = (ScanState.QUEUED, ScanState.RUNNING)


def scan_quietly(clip: Clip, *, send: Callable[[UUID], None]) -> Scan | None:
    """Ask for a quiet scan; None while a scan of the clip is under way."""
    with transaction.atomic():
        decisions.lock([clip.pk])
        if Scan.objects.filter(clip=clip, state__in=UNDER_WAY).exists():
            return None
        scan = Scan.objects.create(clip=clip, is_current=False, is_quiet=True, sent_at=Now())
        transaction.on_commit(lambda: send(scan.uuid), robust=True)  # the sweep sends what was not sent
    return scan


def take_place(scan: Scan) -> bool:
    """Make a quiet scan that is done the current one, unless somebody has asked for another one since.

    Inside the transaction that ends the scan.
    """
    decisions.lock([scan.clip_id])
    newer = Scan.objects.filter(clip=scan.clip_id, is_current=True, created_at__gt=scan.created_at)
    if newer.exists():
        return False
    Scan.objects.filter(clip=scan.clip_id, is_current=True).update(is_current=False)
    return Scan.objects.filter(pk=scan.pk).update(is_current=True) == 1

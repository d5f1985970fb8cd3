"""What a crash may leave behind, found again: clips whose message is gone, uploads nobody ended."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta

from django.db.models import F, Q
from django.db.models.functions import Now

from secondsticks.footage import uploads
from secondsticks.footage.leases import free
from secondsticks.footage.models import Clip, Upload

#: A clip that nobody has begun with for so long is sent again.
WAITED = timedelta(seconds=30)
ABANDONED = timedelta(days=7)
AT_MOST = 500

logger = logging.getLogger(__name__)


def clips(wanted: Q) -> list[Clip]:
    """Return the wanted clips that wait too long, or whose worker died, and note that they are sent again."""
    unsent = Q(queued_at__isnull=True) | Q(queued_at__lt=Now() - WAITED) | Q(queued_at__lt=F("leased_until"))
    found = list(Clip.objects.filter(wanted & free() & unsent).order_by("queued_at")[:AT_MOST])
    Clip.objects.filter(pk__in=[clip.pk for clip in found]).update(queued_at=Now())
    return found


def finish_uploads(*, send_ingest: Callable[[Clip], None]) -> None:
    """Make clips of uploads that are all here, but whose request died before it made one."""
    waiting = Upload.objects.filter(clip=None, offset=F("size"), written_at__lt=Now() - WAITED)
    for upload in waiting[:AT_MOST]:
        try:
            uploads.finish(upload, send_ingest=send_ingest)
        except OSError:
            logger.exception("could not finish upload %s", upload.uuid)


def remove_abandoned_uploads() -> None:
    """Remove uploads that nobody went on with, and the rows of those that became clips long ago."""
    for upload in Upload.objects.filter(written_at__lt=Now() - ABANDONED)[:AT_MOST]:
        uploads.remove(upload)

"""What a crash may leave behind, found again: files whose message is gone, uploads nobody ended."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta

from django.db.models import F, Q
from django.db.models.functions import Now

from secondsticks.footage import uploads
from secondsticks.footage.leases import Row, free
from secondsticks.footage.models import Upload
from secondsticks.footage.multipart import Missing
from secondsticks.footage.uploads import Arrived
from training.store import StoreError, Trouble

#: A file that nobody has begun with for so long is sent again.
WAITED = timedelta(seconds=30)
ABANDONED = timedelta(days=7)
AT_MOST = 500

logger = logging.getLogger(__name__)


def waiting(kind: type[Row], wanted: Q) -> list[Row]:
    """Return the wanted rows that wait too long, or whose worker died, and note that they are sent again."""
    unsent = Q(queued_at__isnull=True) | Q(queued_at__lt=Now() - WAITED) | Q(queued_at__lt=F("leased_until"))
    found = list(kind.objects.filter(wanted & free() & unsent).order_by("queued_at")[:AT_MOST])
    kind.objects.filter(pk__in=[row.pk for row in found]).update(queued_at=Now())
    return found


def finish_uploads(*, send_ingest: Callable[[Arrived], None]) -> None:
    """Make clips of uploads that are all here, but whose request died before it made one."""
    complete = Upload.objects.filter(
        clip=None, sound_file=None, offset=F("size"), written_at__lt=Now() - WAITED
    )
    for upload in complete[:AT_MOST]:
        try:
            uploads.finish(upload, send_ingest=send_ingest)
        except OSError:
            logger.exception("could not finish upload %s", upload.uuid)
        except (StoreError, Missing) as error:
            logger.warning("could not finish upload %s: %s", upload.uuid, error)
            if isinstance(error, StoreError) and error.trouble is Trouble.UNREACHABLE:
                return


def remove_abandoned_uploads() -> None:
    """Remove uploads that nobody went on with, and the rows of those that became clips long ago."""
    for upload in Upload.objects.filter(written_at__lt=Now() - ABANDONED)[:AT_MOST]:
        uploads.remove(upload)

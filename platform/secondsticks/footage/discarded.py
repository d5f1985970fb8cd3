"""Objects in the bucket that nobody needs any more: noted with the deletion, removed by the sweep.

A note outlives a crash and a bucket that does not answer. It is worked off twice, the second time when no
signed address is good any more: until then a browser may still have put a part.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from django.db import models
from django.db.models.functions import Now
from django.db.models.signals import post_delete

from secondsticks.footage import bucket, multipart
from training.store import StoreError

AGAIN = timedelta(seconds=bucket.EXPIRES + 300)
AT_MOST = 50

logger = logging.getLogger(__name__)


class Discarded(models.Model):
    """A folder of keys to be removed from the bucket, with what is being uploaded into it."""

    folder = models.TextField(unique=True)
    due_at = models.DateTimeField(db_default=Now())
    times = models.PositiveSmallIntegerField(default=0)

    def __str__(self) -> str:
        return self.folder


def discard(project: Any, file: Any) -> None:
    """Note that nothing of this file is needed any more."""
    Discarded.objects.update_or_create(
        folder=bucket.folder_of(project, file), defaults={"due_at": Now(), "times": 0}
    )


def listen() -> None:
    """Have every deletion of what lies in the bucket noted, whoever deletes it."""
    from secondsticks.footage.models import Clip, SoundFile, Upload

    post_delete.connect(_file_deleted, sender=Clip, dispatch_uid="discard clip")
    post_delete.connect(_file_deleted, sender=SoundFile, dispatch_uid="discard sound file")
    post_delete.connect(_upload_deleted, sender=Upload, dispatch_uid="discard upload")


def _file_deleted(sender: Any, instance: Any, **signal: Any) -> None:
    if bucket.is_in_bucket(instance.location):
        discard(instance.project.uuid, instance.uuid)


def _upload_deleted(sender: Any, instance: Any, **signal: Any) -> None:
    """A row of an upload is also deleted when it has long been a clip: that stays."""
    if instance.part_bytes and not (instance.clip_id or instance.sound_file_id):
        discard(instance.project.uuid, instance.uuid)


def sweep() -> None:
    """Remove what is due. A bucket that does not answer is left for later."""
    if not bucket.is_configured():
        return
    for note in Discarded.objects.filter(due_at__lte=Now()).order_by("due_at")[:AT_MOST]:
        rows = Discarded.objects.filter(pk=note.pk)
        try:
            _remove(note.folder)
        except StoreError as error:
            logger.warning("could not remove %s from the bucket: %s", note.folder, error)
            rows.update(due_at=Now() + AGAIN)
            return
        if note.times:
            rows.delete()
        else:
            rows.update(due_at=Now() + AGAIN, times=1)


def _remove(folder: str) -> None:
    multipart.abort_all(folder)
    store = bucket.bucket()
    for key in list(store.list(folder)):
        store.delete(key)

"""Files on their way from a browser to a clip, in pieces that survive lost connections, tabs and servers.

What counts is the row: `offset` is how much of the part file is safely written. A request that writes holds
the row's `writer` mark; each block is written while the row is locked and the mark is still its own, so two
requests can never mix their bytes, and a request that hangs keeps nobody out for longer than QUIET.
"""

from __future__ import annotations

import errno
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from secondsticks.footage import bucket, multipart, names
from secondsticks.footage.models import Clip, Project, SoundFile, Upload
from training.store import StoreError, Trouble

READ_BYTES = 256 << 10
BLOCK_BYTES = 4 << 20
BLOCK_SECONDS = 2.0
#: A writer that wrote nothing for so long has gone: another request may take over.
QUIET = timedelta(seconds=6)
#: Kept free for the database and the proxies.
SPARE_BYTES = 512 << 20
DISK_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class UploadError(Exception):
    """Why a piece was not taken: an HTTP status, and one plain sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


#: What an upload becomes.
Arrived = Clip | SoundFile


class Source(Protocol):
    def read(self, size: int, /) -> bytes: ...


def begin(project: Project, user, *, name: str, size: int) -> Upload:
    """Make room for a file, or say why there is none."""
    _check_size(size)
    folder = settings.HOME / "uploads"
    folder.mkdir(parents=True, exist_ok=True)
    if size + SPARE_BYTES > (free := shutil.disk_usage(folder).free):
        raise UploadError(
            507, f"The server's disk is full: {_gigabytes(max(free - SPARE_BYTES, 0))} are left."
        )
    return Upload.objects.create(project=project, user=user, name=names.shown(name), size=size)


def begin_in_bucket(project: Project, user, *, name: str, size: int) -> Upload:
    """Begin a file that goes straight into the bucket. Raises UploadError and StoreError."""
    _check_size(size)
    each = multipart.part_bytes(size)
    same = {"project": project, "user": user, "name": names.shown(name), "size": size}
    upload = Upload.objects.create(part_bytes=each, **same)
    try:
        if size:
            upload.multipart = multipart.begin(upload.bucket_key)
            upload.save(update_fields=["multipart"])
        else:
            bucket.bucket().put(upload.bucket_key, b"")  # S3 knows no upload of no parts
    except StoreError:
        upload.delete()
        raise
    return upload


def _check_size(size: int) -> None:
    if size > settings.SECONDSTICKS_MAX_UPLOAD:
        most = _gigabytes(settings.SECONDSTICKS_MAX_UPLOAD)
        raise UploadError(413, f"This file is too large: at most {most} per file.")


def append(upload: Upload, *, offset: int, length: int, source: Source) -> int:
    """Write `length` bytes of the source from `offset` on, and return the new offset.

    A connection that is cut leaves what was written; the client goes on from there.
    """
    if offset + length > upload.size:
        raise UploadError(413, "This piece goes beyond the end of the file.")
    writer = _take(upload, offset)
    try:
        for block in _blocks(source, length):
            offset = _write(upload, writer, offset, block)
    finally:
        Upload.objects.filter(pk=upload.pk, writer=writer).update(writer=None)
    return offset


def _take(upload: Upload, offset: int) -> uuid.UUID:
    """Become the one writer of this upload."""
    writer = uuid.uuid4()
    gone = Q(writer=None) | Q(written_at__lt=Now() - QUIET)
    mine = Upload.objects.filter(gone, pk=upload.pk, offset=offset, clip=None, sound_file=None)
    if mine.update(writer=writer, written_at=Now()):
        return writer
    upload.refresh_from_db()
    if upload.offset != offset:
        raise UploadError(409, f"The server has {upload.offset} bytes of this file, not {offset}.")
    raise UploadError(423, "This file is being uploaded in another tab or window.")


def _blocks(source: Source, length: int) -> Iterator[bytes]:
    """Yield what arrives in blocks of 4 MiB, or of what came in two seconds; end where it breaks off."""
    block, begun = bytearray(), time.monotonic()
    while length > 0:
        try:
            piece = source.read(min(READ_BYTES, length))
        except OSError:  # the connection was cut: keep what came
            piece = b""
        if not piece:
            break
        block += piece
        length -= len(piece)
        if len(block) >= BLOCK_BYTES or time.monotonic() - begun > BLOCK_SECONDS:
            yield bytes(block)
            block, begun = bytearray(), time.monotonic()
    if block:
        yield bytes(block)


def _write(upload: Upload, writer: uuid.UUID, offset: int, block: bytes) -> int:
    with transaction.atomic():
        mine = Upload.objects.select_for_update().filter(pk=upload.pk, writer=writer, offset=offset)
        if mine.first() is None:
            raise UploadError(409, "Another tab or window went on with this upload.")
        _put(upload, offset, block)
        Upload.objects.filter(pk=upload.pk).update(offset=offset + len(block), written_at=Now())
    return offset + len(block)


def _put(upload: Upload, offset: int, block: bytes) -> None:
    """Write and fsync. A disk that is full keeps what was safely written before this block."""
    upload.part_path.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(upload.part_path, os.O_WRONLY | os.O_CREAT, 0o640)
    try:
        view = memoryview(block)
        while view:
            written = os.pwrite(file, view, offset + len(block) - len(view))
            view = view[written:]
        os.fsync(file)
    except OSError as error:
        os.ftruncate(file, offset)
        if error.errno in DISK_FULL:
            raise UploadError(507, "The server's disk is full. Resume when there is room.") from error
        raise
    finally:
        os.close(file)


def finish(upload: Upload, *, send_ingest: Callable[[Arrived], None]) -> Arrived:
    """Make the clip or sound file of an upload that is all here. Safe to call again after a crash."""
    if upload.part_bytes and not (upload.clip_id or upload.sound_file_id):
        _complete(upload)  # before the row is locked: S3 may take minutes
    with transaction.atomic():
        upload = Upload.objects.select_for_update().select_related("project").get(pk=upload.pk)
        if (known := upload.clip or upload.sound_file) is not None:
            return known
        arrived = _make(upload, _location(upload))
        upload.save(update_fields=["clip", "sound_file"])
        transaction.on_commit(lambda: send_ingest(arrived), robust=True)
        return arrived


def finish_in_bucket(upload: Upload, *, send_ingest: Callable[[Arrived], None]) -> Arrived:
    """The browser says that it has sent everything. Raises Missing and StoreError when it has not."""
    # From here on the sweep ends what we do not.
    Upload.objects.filter(pk=upload.pk).update(offset=F("size"), written_at=Now())
    return finish(upload, send_ingest=send_ingest)


def _complete(upload: Upload) -> None:
    try:
        multipart.complete(upload.bucket_key, upload.multipart, size=upload.size, each=upload.part_bytes)
    except (multipart.Missing, StoreError) as error:
        if not isinstance(error, StoreError) or error.trouble in (Trouble.MISSING, Trouble.CHANGED):
            Upload.objects.filter(pk=upload.pk, clip=None, sound_file=None).update(offset=0)
        raise


def _location(upload: Upload) -> str:
    if upload.part_bytes:
        return bucket.location_of(upload.bucket_key)
    target = upload.project.folder / str(upload.uuid) / f"source.{names.ending(upload.name)}"
    _move(upload, target)
    return str(target.relative_to(settings.HOME))


def _make(upload: Upload, location: str) -> Arrived:
    same = {name: getattr(upload, name) for name in ("uuid", "project", "name", "size")}
    same |= {"location": location, "queued_at": Now()}
    if names.is_sound(upload.name):
        upload.sound_file = SoundFile.objects.create(origin=SoundFile.Origin.UPLOAD, **same)
        return upload.sound_file
    upload.clip = Clip.objects.create(origin=Clip.Origin.UPLOAD, **same)
    return upload.clip


def _move(upload: Upload, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if not upload.part_path.exists() and not target.exists():
        upload.part_path.parent.mkdir(parents=True, exist_ok=True)
        upload.part_path.touch()  # a file of no bytes never had a piece
    if upload.part_path.exists():
        upload.part_path.replace(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def remove(upload: Upload) -> None:
    """Forget an upload and remove what came of it; a clip that it became stays."""
    with transaction.atomic():
        Upload.objects.select_for_update().filter(pk=upload.pk).first()
        upload.part_path.unlink(missing_ok=True)
        upload.delete()


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:.1f} GB"

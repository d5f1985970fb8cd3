"""A file arrives: kept whole in our home, then read by a worker."""

from __future__ import annotations

import os
from collections.abc import Iterable
from hashlib import sha256
from pathlib import PurePath
from typing import TYPE_CHECKING
from uuid import uuid4

from django.db import transaction

from secondsticks.footage.models import Project
from secondsticks.labeling.exchange.rows import Import
from training.exchange.foreign import text_in
from training.slates import State

if TYPE_CHECKING:
    from django.contrib.auth.models import User

#: Through a browser; `manage.py import_annotations` takes more.
MOST_BYTES = 4 << 30


def receive(
    project: Project,
    by: User | None,
    *,
    name: str,
    chunks: Iterable[bytes],
    source: str = "",
    names: dict[str, str] | None = None,
    empty: bool = False,
) -> Import:
    """Keep a file and ask for it to be read."""
    from secondsticks.labeling.tasks import send_import

    batch = Import(
        uuid=uuid4(),
        project=project,
        by=by,
        by_name=by.get_username() if by else "",
        name=text_in(PurePath(name).name, 255) or "file",
        source=(source or text_in(PurePath(name).stem, 100) or "import")[:100],
        names=names or {str(state): str(state) for state in State},
        empty=empty,
    )
    batch.size, batch.sha256 = keep(batch, chunks)
    with transaction.atomic():
        batch.save(force_insert=True)
        transaction.on_commit(lambda: send_import(batch), robust=True)
    return batch


def keep(batch: Import, chunks: Iterable[bytes]) -> tuple[int, str]:
    """Write the file whole; returns its size and sha256."""
    batch.file.parent.mkdir(parents=True, exist_ok=True)
    digest, size = sha256(), 0
    partial = batch.file.with_suffix(".partial")
    try:
        with partial.open("wb") as file:
            for chunk in chunks:
                digest.update(chunk)
                size += file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(batch.file)
    finally:
        partial.unlink(missing_ok=True)
    return size, digest.hexdigest()

"""One worker per clip or sound file: a lease in the database, kept by a heartbeat, fenced by attempts.

The queue may deliver a message twice, even at once, and a worker may die at any moment. So whoever works
on a clip first claims it; every write names the attempt it claimed, and is void once another attempt has
begun. Times are the database's, because the clocks of workers differ.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, TypeVar

from django.db import DatabaseError, connection
from django.db.models import F, Q
from django.db.models.functions import Now

from secondsticks.footage.models import Clip, SoundFile, WatchedFolder

LEASE = timedelta(seconds=15)
HEARTBEAT_SECONDS = 5.0
#: Failures (and workers that died) after which a clip is given up, until somebody presses "Try again".
MOST_FAILURES = 3

logger = logging.getLogger(__name__)
Row = TypeVar("Row", Clip, SoundFile, WatchedFolder)


class LeaseLost(Exception):
    """Another attempt has taken over: stop, and write nothing."""


def free() -> Q:
    """Rows that nobody works on."""
    return Q(leased_until__isnull=True) | Q(leased_until__lt=Now())


@dataclass(frozen=True)
class Lease(Generic[Row]):
    """The right to work on one clip or sound file, valid for one attempt."""

    row: Row
    attempt: int

    def write(self, **columns: Any) -> None:
        """Write to the row, or raise LeaseLost. `leased_until=None` gives the lease back."""
        if not self._rows().update(updated_at=Now(), **columns):
            raise LeaseLost(f"{self.row.uuid}, attempt {self.attempt}")
        self.row.refresh_from_db()

    def renew(self) -> bool:
        """Keep it, unless it was given back or taken over."""
        return self._rows().filter(leased_until__isnull=False).update(leased_until=Now() + LEASE) == 1

    def _rows(self) -> Any:
        return type(self.row).objects.filter(pk=self.row.pk, attempt=self.attempt)


def claim(kind: type[Row], uuid: str, wanted: Q, **columns: Any) -> Lease[Row] | None:
    """Take the row if it matches `wanted` and is free, and set `columns`; None if there is nothing to do.

    A lease that ran out belonged to a worker that died: it counts as a failure.
    """
    row = kind.objects.select_related("project").filter(Q(uuid=uuid) & wanted & free()).first()
    if row is None:
        return None
    died = int(row.leased_until is not None)
    taken = kind.objects.filter(wanted & free(), pk=row.pk, attempt=row.attempt).update(
        attempt=F("attempt") + 1, failures=F("failures") + died, leased_until=Now() + LEASE, **columns
    )
    if not taken:
        return None
    row.refresh_from_db()
    return Lease(row, row.attempt)


@contextmanager
def held(lease: Lease[Row]) -> Iterator[None]:
    """Renew the lease in the background while the block runs. A block that raises LeaseLost just ends."""
    done = threading.Event()

    def beat() -> None:
        try:
            while not done.wait(HEARTBEAT_SECONDS):
                try:
                    if not lease.renew():
                        return
                except DatabaseError:
                    logger.warning("could not renew the lease of %s", lease.row.uuid)
        finally:
            connection.close()

    thread = threading.Thread(target=beat, name="lease", daemon=True)
    thread.start()
    try:
        yield
    except LeaseLost as lost:
        logger.info("taken over by another worker: %s", lost)
    finally:
        done.set()
        thread.join()

"""One worker per link: a lease in its row, with a heartbeat, fenced by attempts, as in `footage.leases`."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.db import DatabaseError, connection
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Now

from secondsticks.labeling.label_studio.links import LabelStudioLink

LEASE = timedelta(seconds=30)
HEARTBEAT = 8.0
#: After news that came meanwhile.
SOON = timedelta(seconds=2)


class Lost(Exception):
    """Another worker has taken over, or the link is gone: stop, and write nothing."""


class Hold:
    """The right to work on a link, for one attempt."""

    def __init__(self, link: LabelStudioLink) -> None:
        self.link = link
        self._hints = link.hints

    def write(self, **columns: Any) -> None:
        """Write to the row. Raises Lost."""
        if not self._row().update(**columns):
            raise Lost(f"{self.link}, attempt {self.link.attempt}")
        self.link.refresh_from_db()

    def renew(self) -> bool:
        return self._row().filter(leased_until__isnull=False).update(leased_until=Now() + LEASE) == 1

    def give_back(self, *, again: timedelta, **columns: Any) -> None:
        """End the lease; the next look is due `again` later, or soon if there was news since we began."""
        due = Case(When(hints=self._hints, then=Now() + again), default=Now() + SOON)
        self.write(leased_until=None, due_at=due, **columns)

    def _row(self) -> Any:
        return LabelStudioLink.objects.filter(pk=self.link.pk, attempt=self.link.attempt)


def free() -> Q:
    return Q(leased_until__isnull=True) | Q(leased_until__lt=Now())


def claim(pk: int, *, when_due: bool = True) -> Hold | None:
    """Take a link that nobody works on; None if there is nothing to do."""
    wanted = free() & Q(pk=pk)
    if when_due:
        wanted &= Q(due_at__lte=Now())
    died = Case(When(leased_until__isnull=True, then=Value(0)), default=Value(1))
    taken = LabelStudioLink.objects.filter(wanted).update(
        attempt=F("attempt") + 1, failures=F("failures") + died, leased_until=Now() + LEASE
    )
    link = LabelStudioLink.objects.select_related("project").filter(pk=pk).first() if taken else None
    return Hold(link) if link else None


@contextmanager
def held(hold: Hold) -> Iterator[None]:
    """Renew the lease in the background while the block runs."""
    done = threading.Event()

    def beat() -> None:
        try:
            while not done.wait(HEARTBEAT):
                try:
                    if not hold.renew():
                        return
                except DatabaseError:
                    continue
        finally:
            connection.close()

    thread = threading.Thread(target=beat, name="label studio lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()

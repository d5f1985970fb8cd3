"""Work that is done once though its message may come twice or never: claimed in its row, leased and fenced.

As scans do it (detection/scans.py): a worker owns a row while the row's `attempt` is the one that it got when
it claimed it, and every later write asks for that number.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any, TypeVar

from django.db import models, transaction
from django.db.models import Case, F, Q, When
from django.db.models.functions import Now

#: How long a worker may stay silent before another takes over, by the database's clock.
LEASE = timedelta(seconds=60)
#: Work that nobody has begun with for so long is sent again.
UNSEEN = timedelta(seconds=30)
MOST_FAILURES = 3
SWEEP_AT_MOST = 200


class WorkState(models.TextChoices):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Lost(Exception):
    """Another worker has taken this over, or it is not wanted any more: stop, and write nothing."""


class Work(models.Model):
    """A row that stands for a piece of work."""

    state = models.CharField(max_length=7, choices=WorkState, default=WorkState.WAITING)
    attempt = models.PositiveIntegerField(default=0)
    failures = models.PositiveIntegerField(default=0)
    leased_until = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True

    def renew(self, **fields: Any) -> None:
        """Prolong the lease and write `fields`. Raises Lost."""
        self._write(leased_until=Now() + LEASE, **fields)

    def end(self, state: WorkState = WorkState.DONE, **fields: Any) -> None:
        """Raises Lost."""
        self._write(state=state, leased_until=None, ended_at=Now(), **fields)

    def hand_back(self, sentence: str) -> None:
        """Let the sweep send it again; after too many failures it has failed, and says why."""
        failed = {"failures": F("failures") + 1, "error": sentence}
        with suppress(Lost):
            if self.failures + 1 >= MOST_FAILURES:
                self.end(WorkState.FAILED, **failed)
            else:
                self._write(state=WorkState.WAITING, leased_until=None, sent_at=Now(), **failed)

    def _write(self, **fields: Any) -> None:
        ours = type(self)._default_manager.filter(pk=self.pk, attempt=self.attempt, state=WorkState.RUNNING)
        if not ours.update(**fields):
            raise Lost(f"{type(self).__name__} {self.pk}, attempt {self.attempt}")


Kind = TypeVar("Kind", bound=Work)


def claim(kind: type[Kind], pk: int) -> Kind | None:
    """Take work that waits, or whose worker died (a failure); None when there is nothing to take."""
    died = Q(state=WorkState.RUNNING, leased_until__lt=Now())
    free = Q(state=WorkState.WAITING) | died & Q(failures__lt=MOST_FAILURES - 1)
    with transaction.atomic():
        taken = kind._default_manager.filter(free, pk=pk).update(
            state=WorkState.RUNNING,
            attempt=F("attempt") + 1,
            failures=F("failures") + Case(When(state=WorkState.RUNNING, then=1), default=0),
            leased_until=Now() + LEASE,
        )
        return kind._default_manager.get(pk=pk) if taken else None


def send_lost(kind: type[Kind], *, send: Callable[[Kind], None], given_up: str) -> None:
    """Send again what waits unseen or lost its worker; end what was tried too often with `given_up`."""
    rows = kind._default_manager
    orphaned = Q(state=WorkState.RUNNING, leased_until__lt=Now())
    rows.filter(orphaned, failures__gte=MOST_FAILURES - 1).update(
        state=WorkState.FAILED, error=given_up, leased_until=None, ended_at=Now()
    )
    unseen = Q(sent_at=None) | Q(sent_at__lt=Now() - UNSEEN)
    found = list(rows.filter(unseen, orphaned | Q(state=WorkState.WAITING)).order_by("pk")[:SWEEP_AT_MOST])
    rows.filter(pk__in=[row.pk for row in found]).update(sent_at=Now())
    for row in found:
        send(row)

"""The states of a scan and the moves between them, in one place."""

from __future__ import annotations

from django.db import models


class ScanState(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


#: state -> the states it may become. Running may become running: another worker takes over an expired lease.
MOVES: dict[ScanState, frozenset[ScanState]] = {
    ScanState.QUEUED: frozenset({ScanState.RUNNING, ScanState.FAILED, ScanState.CANCELLED}),
    ScanState.RUNNING: frozenset(
        {ScanState.RUNNING, ScanState.QUEUED, ScanState.DONE, ScanState.FAILED, ScanState.CANCELLED}
    ),
    ScanState.DONE: frozenset(),
    ScanState.FAILED: frozenset(),
    ScanState.CANCELLED: frozenset(),
}

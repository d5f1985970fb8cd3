"""The life of a scan: asked for, claimed under a lease, done once, swept up when its worker is gone.

The queue decides nothing: it may lose a message or deliver it twice. What counts is the row. A worker owns a
scan while the row's `attempt` is the one it got when it claimed it; every later write asks for that number
(the fencing token), so a worker that was paused and taken over can no longer write.
"""

from __future__ import annotations

import os
import socket
from datetime import timedelta
from typing import NamedTuple

from django.db import IntegrityError, transaction
from django.db.models import Case, F, Q, When
from django.db.models.functions import Coalesce, Now

from secondsticks.detection.models import LEASE, MOST_FAILURES, Scan
from secondsticks.detection.moves import ScanState

#: A queued scan that no worker has claimed for this long is sent again.
UNSEEN = timedelta(seconds=30)
SWEEP_AT_MOST = 200
GIVEN_UP = (
    f"The scan was tried {MOST_FAILURES} times and did not come to its end. "
    "Press “Scan again” to try once more; the server's log says more."
)


class Claim(NamedTuple):
    scan: Scan
    token: int


def ask_for_scan(clip, *, send) -> Scan | None:
    """Make the clip's current scan and send it; None when it has one already."""
    try:
        with transaction.atomic():
            scan = Scan.objects.create(clip=clip, sent_at=Now())
    except IntegrityError:
        return None
    transaction.on_commit(lambda: send(scan.uuid), robust=True)  # the sweep sends what was not sent
    return scan


def scan_again(clip, *, send) -> Scan | None:
    """Put the clip's current scan into the past and ask for a new one; None when one is under way."""
    with transaction.atomic():
        finished = [ScanState.DONE, ScanState.FAILED, ScanState.CANCELLED]
        current = Scan.objects.select_for_update().filter(clip=clip, is_current=True).first()
        if current is not None and current.state not in finished:
            return None
        Scan.objects.filter(clip=clip, is_current=True).update(is_current=False)
        return ask_for_scan(clip, send=send)


def scan_anew(clip, *, send) -> Scan | None:
    """Scan a clip that has been read: what was scanned before, or is just now, was another content.

    None when a scan waits that nobody has begun.
    """
    with transaction.atomic():
        running = Scan.objects.filter(clip=clip, is_current=True, state=ScanState.RUNNING).first()
        if running is not None:
            cancel(running)
        return scan_again(clip, send=send)


def cancel(scan: Scan) -> bool:
    """Stop a scan: its worker sees it at its next renewal, within seconds."""
    return scan.move(ScanState.CANCELLED, finished_at=Now())


def claim(scan_uuid: str) -> Claim | None:
    """Take a scan that waits, or whose worker died; None when there is nothing to take.

    A lease that ran out belonged to a worker that died: it counts as a failure.
    """
    died = Q(state=ScanState.RUNNING, lease_expires_at__lt=Now())
    free = Q(state=ScanState.QUEUED) | died & Q(failures__lt=MOST_FAILURES - 1)
    after_a_death = Case(When(state=ScanState.RUNNING, then=1), default=0)
    with transaction.atomic():
        taken = Scan.objects.filter(free, uuid=scan_uuid).update(
            state=ScanState.RUNNING,
            attempt=F("attempt") + 1,
            failures=F("failures") + after_a_death,
            lease_expires_at=Now() + LEASE,
            worker=f"{socket.gethostname()}:{os.getpid()}"[:100],
            started_at=Coalesce("started_at", Now()),
            stage="",
            done=0,
            total=0,
        )
        if not taken:
            return None
        scan = Scan.objects.select_related("clip__project").get(uuid=scan_uuid)
    return Claim(scan, scan.attempt)


def hand_back(claimed: Claim, *, failed: str = "") -> None:
    """Let the sweep send the scan again; with `failed` as a failure, and the last of those ends it."""
    failures = claimed.scan.failures + bool(failed)
    if failures >= MOST_FAILURES:
        fail(claimed, error=f"{failed} {GIVEN_UP}")
        return
    fresh = {"failures": failures, "lease_expires_at": None, "sent_at": None}
    claimed.scan.move(ScanState.QUEUED, token=claimed.token, **fresh)


def fail(claimed: Claim, *, error: str) -> None:
    claimed.scan.move(
        ScanState.FAILED, token=claimed.token, error=error, finished_at=Now(), lease_expires_at=None
    )


def send_lost(*, send) -> int:
    """Send again what waits unseen or lost its worker, fail what was tried too often; how many were sent."""
    orphaned = Q(state=ScanState.RUNNING, lease_expires_at__lt=Now())
    Scan.objects.filter(orphaned, failures__gte=MOST_FAILURES - 1).update(
        state=ScanState.FAILED, error=GIVEN_UP, finished_at=Now(), lease_expires_at=None
    )
    long_ago = Q(sent_at=None) | Q(sent_at__lt=Now() - UNSEEN)
    unseen = Q(state=ScanState.QUEUED) & long_ago
    with transaction.atomic():
        lost = Scan.objects.filter(unseen | (orphaned & long_ago)).order_by("created_at", "pk")
        rows = list(lost.select_for_update(skip_locked=True).values_list("pk", "uuid")[:SWEEP_AT_MOST])
        Scan.objects.filter(pk__in=[pk for pk, _ in rows]).update(sent_at=Now())
    for _, uuid in rows:
        send(uuid)
    return len(rows)

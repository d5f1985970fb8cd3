"""The life of a slate's reading: asked for when a scan is done, claimed under a lease, written once.

As with scans (see scans.py) the row decides, not the queue: every write names the attempt that was claimed.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from functools import partial
from typing import NamedTuple

from django.db import transaction
from django.db.models import Case, F, Q, When
from django.db.models.functions import Now
from dramatiq.middleware import Shutdown

from secondsticks.detection.models import Scan
from secondsticks.detection.moves import ScanState
from secondsticks.detection.slate_texts import ReadingState, SlateReading
from secondsticks.footage.fetching import at_hand
from training.footage.facts import FootageError
from training.slate_text import is_installed
from training.slate_text.failures import NotInstalled, SlateTextFailed
from training.slate_text.reader import SlateReader, SlateText

log = logging.getLogger(__name__)

#: A reading takes seconds; a worker is given up for dead after this long, by the database's clock.
LEASE = timedelta(minutes=5)
#: A queued reading that no worker has claimed for this long is sent again.
UNSEEN = timedelta(seconds=60)
MOST_FAILURES = 3
SWEEP_AT_MOST = 200
GIVEN_UP = f"The slate was read {MOST_FAILURES} times without an end. The server's log says more."
_ON = Q(clip__project__slate_text_setting__is_on=True)


class Claim(NamedTuple):
    reading: SlateReading
    token: int


class Taken(Exception):
    """Another worker has taken the reading over: write nothing."""


def readable() -> Q:
    """Scans whose slate can be read and shall be."""
    return Q(is_current=True, state=ScanState.DONE, slate_frame__isnull=False) & _ON


def ask(scans: Q, *, send) -> int:
    """Make readings of the scans that have none, and send them; how many."""
    if not is_installed():
        return 0
    with transaction.atomic():
        waiting = Scan.objects.filter(readable() & scans, slate_reading=None).order_by("pk")
        rows = [SlateReading(scan=scan, sent_at=Now()) for scan in waiting[:SWEEP_AT_MOST]]
        SlateReading.objects.bulk_create(rows, ignore_conflicts=True)
    for row in rows:
        transaction.on_commit(partial(send, row.uuid), robust=True)  # the sweep sends what was not sent
    return len(rows)


def on_scan_done(sender, scan, **kwargs) -> None:
    from secondsticks.detection import tasks

    ask(Q(pk=scan.pk), send=tasks.send_reading)


def claim(reading_uuid: str) -> Claim | None:
    """Take a reading that waits, or whose worker died; None when there is nothing to take."""
    died = Q(state=ReadingState.RUNNING, lease_expires_at__lt=Now())
    free = Q(state=ReadingState.QUEUED) | died & Q(failures__lt=MOST_FAILURES - 1)
    after_a_death = Case(When(state=ReadingState.RUNNING, then=1), default=0)
    with transaction.atomic():
        taken = SlateReading.objects.filter(free, uuid=reading_uuid).update(
            state=ReadingState.RUNNING,
            attempt=F("attempt") + 1,
            failures=F("failures") + after_a_death,
            lease_expires_at=Now() + LEASE,
        )
        if not taken:
            return None
        reading = SlateReading.objects.select_related("scan__clip__project").get(uuid=reading_uuid)
    return Claim(reading, reading.attempt)


def perform(claimed: Claim) -> None:
    """Bring a claimed reading to its end, or leave it to the next worker."""
    reading = claimed.reading
    try:
        with at_hand(reading.scan.clip, tick=lambda: renew(claimed)) as path, SlateReader() as reader:
            slate = reader.read_frame(path, reading.scan.slate_frame or 0, box_of(reading.scan))
        write(claimed, slate)
    except Taken:
        log.info("Reading %s is no longer ours (attempt %s).", reading.uuid, claimed.token)
    except NotInstalled as error:
        fail(claimed, error=str(error))
    except (FootageError, SlateTextFailed) as error:
        log.warning("Reading %s, attempt %s: %s", reading.uuid, claimed.token, error)
        hand_back(claimed, failed=str(error))
    except Shutdown:
        hand_back(claimed)
        raise
    except Exception:
        hand_back(claimed, failed="Something broke on our side.")
        raise


def box_of(scan: Scan) -> list[float] | None:
    """Where the slate is in the scan's sharpest frame: left, top, width, height."""
    seen = scan.detections.filter(frame=scan.slate_frame or 0, state="closed")
    closed = seen.order_by("-score").first()
    return [closed.x, closed.y, closed.w, closed.h] if closed else None


def write(claimed: Claim, slate: SlateText) -> None:
    move(
        claimed,
        ReadingState.DONE,
        fields=slate.fields,
        lines=slate.lines,
        upside_down=slate.upside_down,
        error="",
        finished_at=Now(),
        lease_expires_at=None,
    )


def renew(claimed: Claim) -> None:
    move(claimed, ReadingState.RUNNING, lease_expires_at=Now() + LEASE)


def hand_back(claimed: Claim, *, failed: str = "") -> None:
    """Let the sweep send the reading again; with `failed` as a failure, and the last of those ends it."""
    failures = claimed.reading.failures + bool(failed)
    if failures >= MOST_FAILURES:
        fail(claimed, error=failed)
        return
    _moved(claimed, ReadingState.QUEUED, failures=failures, lease_expires_at=None, sent_at=Now())


def fail(claimed: Claim, *, error: str) -> None:
    _moved(claimed, ReadingState.FAILED, error=error, finished_at=Now(), lease_expires_at=None)


def move(claimed: Claim, to: ReadingState, **columns: object) -> None:
    """Write to the reading if it is still ours. Raises Taken."""
    if not _moved(claimed, to, **columns):
        raise Taken


def _moved(claimed: Claim, to: ReadingState, **columns: object) -> bool:
    ours = SlateReading.objects.filter(
        pk=claimed.reading.pk, state=ReadingState.RUNNING, attempt=claimed.token
    )
    return ours.update(state=to, **columns) == 1


def send_lost(*, send) -> int:
    """Ask for what nobody asked for, send again what was lost, end what was tried too often; how many."""
    if not is_installed():
        return 0
    orphaned = Q(state=ReadingState.RUNNING, lease_expires_at__lt=Now())
    SlateReading.objects.filter(orphaned, failures__gte=MOST_FAILURES - 1).update(
        state=ReadingState.FAILED, error=GIVEN_UP, finished_at=Now(), lease_expires_at=None
    )
    long_ago = Q(sent_at=None) | Q(sent_at__lt=Now() - UNSEEN)
    wanted = Q(scan__is_current=True, scan__clip__project__slate_text_setting__is_on=True)
    with transaction.atomic():
        lost = SlateReading.objects.filter(wanted, Q(state=ReadingState.QUEUED) | orphaned, long_ago)
        rows = list(
            lost.order_by("pk")
            .select_for_update(of=("self",), skip_locked=True)
            .values_list("pk", "uuid")[:SWEEP_AT_MOST]
        )
        SlateReading.objects.filter(pk__in=[pk for pk, _ in rows]).update(sent_at=Now())
    for _, uuid in rows:
        send(uuid)
    return len(rows) + ask(Q(), send=send)


def read_again(scan: Scan, *, send) -> bool:
    """Read a slate whose reading failed once more, because somebody asks."""
    rows = SlateReading.objects.filter(scan=scan, state=ReadingState.FAILED)
    if not rows.update(state=ReadingState.QUEUED, failures=0, error="", sent_at=Now()):
        return False
    uuid = rows.model.objects.values_list("uuid", flat=True).get(scan=scan)
    transaction.on_commit(lambda: send(uuid), robust=True)
    return True

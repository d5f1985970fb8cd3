"""Real worker processes on the real broker, and what is left when one is killed."""

import signal
import subprocess
from datetime import timedelta
from functools import partial

import pytest
from django.db.models.functions import Now
from dramatiq_postgres.django.models import Job

from secondsticks.detection import scans, tasks
from secondsticks.detection.models import Scan
from secondsticks.detection.moves import ScanState
from tests.workers import kill, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def clip(make_clip):
    """A clip whose first scanner hangs, and whose second one does not."""
    clip = make_clip("hang-once.mov", content=b"moving pictures")
    clip.path.with_suffix(".hung").unlink(missing_ok=True)
    yield clip
    Job.objects.all().delete()


@pytest.fixture
def start(checkpoint, start_worker):
    return partial(start_worker, "tests.detection.worker", "detection")


def wait_for(scan: Scan, worker: subprocess.Popen, **wanted) -> None:
    def is_so() -> bool:
        scan.refresh_from_db()
        so = all(getattr(scan, name) == value for name, value in wanted.items())
        assert so or scan.is_under_way, f"the scan is {scan.state}"
        return so

    wait_until(is_so, worker)


def test_a_scan_whose_worker_is_killed_is_done_by_another_once(clip, start):
    first = start()
    scan = scans.ask_for_scan(clip, send=tasks.send)
    wait_for(scan, first, state=ScanState.RUNNING, stage="coarse")
    kill(first)

    # As if the lease and the message's heartbeat had run out: 20 seconds of waiting.
    Scan.objects.filter(pk=scan.pk).update(lease_expires_at=Now(), sent_at=Now() - timedelta(minutes=1))
    tasks.sweep()
    second = start()
    wait_for(scan, second, state=ScanState.DONE)

    scan.refresh_from_db()
    assert (scan.attempt, scan.verdict, scan.is_current) == (2, "sure", True)
    assert scan.claps.count() == 1
    assert scan.detections.count() == 4


def test_a_worker_that_is_told_to_stop_hands_its_scan_back(clip, start):
    worker = start()
    scan = scans.ask_for_scan(clip, send=tasks.send)
    wait_for(scan, worker, state=ScanState.RUNNING, stage="coarse")

    worker.send_signal(signal.SIGTERM)
    worker.wait()

    scan.refresh_from_db()
    assert (scan.state, scan.failures, scan.sent_at) == (ScanState.QUEUED, 0, None)


def test_a_message_that_arrives_during_the_lease_does_nothing(clip, start):
    first = start()
    scan = scans.ask_for_scan(clip, send=tasks.send)
    wait_for(scan, first, state=ScanState.RUNNING, stage="coarse")

    tasks.scan_clip(str(scan.uuid))

    scan.refresh_from_db()
    assert (scan.state, scan.attempt) == (ScanState.RUNNING, 1)


def test_sent_twice_it_waits_as_one_message(clip):
    scan = scans.ask_for_scan(clip, send=tasks.send)
    tasks.send(scan.uuid)
    assert Job.objects.filter(queue_name="detection").count() == 1


def test_a_clip_that_was_read_is_sent_to_be_scanned(clip):
    from secondsticks.footage.signals import clip_ingested

    for _ in range(2):
        clip_ingested.send(type(clip), clip=clip)
    scan = Scan.objects.get(clip=clip)
    assert scan.state == ScanState.QUEUED
    assert Job.objects.filter(queue_name="detection", message_id=scan.uuid).count() == 1

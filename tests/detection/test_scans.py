"""The life of a scan: moves, claims, leases, fences, the sweep."""

from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Now

from secondsticks.detection import scans
from secondsticks.detection.models import MOST_FAILURES, Scan
from secondsticks.detection.moves import MOVES, ScanState

LONG_AGO = timedelta(minutes=5)


@pytest.fixture
def scan(make_clip):
    return Scan.objects.create(clip=make_clip(), sent_at=Now())


def run_out(scan):
    """As if the worker had been silent for longer than a lease."""
    Scan.objects.filter(pk=scan.pk).update(lease_expires_at=Now() - LONG_AGO, sent_at=Now() - LONG_AGO)


@pytest.mark.parametrize("origin", list(ScanState))
@pytest.mark.parametrize("target", list(ScanState))
def test_only_the_listed_moves_are_made(scan, origin, target):
    Scan.objects.filter(pk=scan.pk).update(state=origin)

    assert scan.move(target) is (target in MOVES[origin])

    scan.refresh_from_db()
    assert scan.state == (target if target in MOVES[origin] else origin)


def test_ended_scans_stay_ended():
    assert [state for state, targets in MOVES.items() if not targets] == ["done", "failed", "cancelled"]


def test_a_clip_has_one_current_scan(scan):
    with pytest.raises(IntegrityError), transaction.atomic():
        Scan.objects.create(clip=scan.clip)
    assert scans.ask_for_scan(scan.clip, send=lambda uuid: None) is None


def test_a_scan_is_sent_when_its_row_is_committed(make_clip, django_capture_on_commit_callbacks):
    sent = []
    with django_capture_on_commit_callbacks(execute=True):
        scan = scans.ask_for_scan(make_clip(), send=sent.append)
        assert not sent
    assert sent == [scan.uuid]


def test_nothing_is_sent_for_a_scan_that_was_rolled_back(make_clip, django_capture_on_commit_callbacks):
    clip, sent = make_clip(), []
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        scans.ask_for_scan(clip, send=sent.append)
        transaction.set_rollback(True)
    assert not sent
    assert not Scan.objects.exists()


def test_a_claimed_scan_cannot_be_claimed_again(scan):
    first = scans.claim(str(scan.uuid))

    assert first.token == 1
    assert first.scan.state == ScanState.RUNNING
    assert scans.claim(str(scan.uuid)) is None


def test_an_ended_scan_cannot_be_claimed(scan):
    scan.move(ScanState.CANCELLED)
    assert scans.claim(str(scan.uuid)) is None


def test_a_scan_that_is_gone_cannot_be_claimed(db):
    assert scans.claim("00000000-0000-4000-8000-000000000000") is None


@pytest.mark.django_db(transaction=True)
def test_of_many_workers_at_once_one_wins(make_clip):
    scan = Scan.objects.create(clip=make_clip())
    barrier, won = Barrier(8), []

    def try_it():
        barrier.wait()
        won.append(scans.claim(str(scan.uuid)))
        connection.close()

    threads = [Thread(target=try_it) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len([claim for claim in won if claim is not None]) == 1
    scan.refresh_from_db()
    assert scan.attempt == 1


def test_an_expired_lease_is_taken_over_and_the_old_worker_is_fenced(scan):
    old = scans.claim(str(scan.uuid))
    run_out(scan)
    new = scans.claim(str(scan.uuid))

    assert (old.token, new.token) == (1, 2)
    assert not old.scan.renew(old.token, done=500)
    assert not old.scan.move(ScanState.DONE, token=old.token, verdict="mos")
    scans.fail(old, error="late")
    scans.hand_back(old, failed="late")
    scan.refresh_from_db()
    assert (scan.state, scan.done, scan.verdict, scan.error) == (ScanState.RUNNING, 0, "", "")
    assert new.scan.renew(new.token, done=500)


def test_renewing_prolongs_the_lease_by_the_databases_clock(scan):
    claimed = scans.claim(str(scan.uuid))
    run_out(scan)
    assert claimed.scan.renew(claimed.token)
    assert Scan.objects.filter(pk=scan.pk, lease_expires_at__gt=Now() + timedelta(seconds=15)).exists()


def test_a_scan_given_back_is_sent_again_at_once(scan):
    scans.hand_back(scans.claim(str(scan.uuid)), failed="The scanner died.")
    sent = []

    assert scans.send_lost(send=sent.append) == 1
    assert sent == [scan.uuid]


def test_after_the_last_failure_a_scan_ends_with_a_sentence(scan):
    for _ in range(MOST_FAILURES):
        scans.hand_back(scans.claim(str(scan.uuid)), failed="The scanner died.")

    scan.refresh_from_db()
    assert scan.state == ScanState.FAILED
    assert scan.error.startswith("The scanner died.")
    assert "Scan again" in scan.error


def test_a_worker_that_is_stopped_is_no_failure(scan):
    for _ in range(MOST_FAILURES + 1):
        scans.hand_back(scans.claim(str(scan.uuid)))
    scan.refresh_from_db()
    assert (scan.state, scan.failures, scan.attempt) == (ScanState.QUEUED, 0, MOST_FAILURES + 1)


def test_a_worker_that_dies_each_time_ends_in_failed(scan):
    for _ in range(MOST_FAILURES):
        assert scans.claim(str(scan.uuid))
        run_out(scan)
    assert scans.claim(str(scan.uuid)) is None

    assert scans.send_lost(send=lambda uuid: None) == 0
    scan.refresh_from_db()
    assert (scan.state, scan.error) == (ScanState.FAILED, scans.GIVEN_UP)


def test_the_sweep_leaves_alone_what_was_just_sent_and_what_runs(make_clip):
    Scan.objects.create(clip=make_clip("a.mov"), sent_at=Now())
    running = Scan.objects.create(clip=make_clip("b.mov"), sent_at=Now())
    scans.claim(str(running.uuid))
    Scan.objects.filter(pk=running.pk).update(sent_at=Now() - LONG_AGO)
    Scan.objects.create(clip=make_clip("c.mov"), state=ScanState.DONE)

    assert scans.send_lost(send=lambda uuid: None) == 0


def test_the_sweep_sends_what_waits_unseen_once_in_a_while(scan):
    Scan.objects.filter(pk=scan.pk).update(sent_at=Now() - LONG_AGO)

    assert scans.send_lost(send=lambda uuid: None) == 1
    assert scans.send_lost(send=lambda uuid: None) == 0


def test_the_sweep_sends_what_lost_its_worker(scan):
    scans.claim(str(scan.uuid))
    run_out(scan)
    sent = []
    scans.send_lost(send=sent.append)
    assert sent == [scan.uuid]


def test_scan_again_keeps_the_old_scan_and_makes_a_new_one(make_clip, make_scan):
    old = make_scan(make_clip(), claps=[12])

    new = scans.scan_again(old.clip, send=lambda uuid: None)

    old.refresh_from_db()
    assert (old.is_current, new.is_current) == (False, True)
    assert old.claps.count() == 1


def test_scan_again_does_nothing_while_a_scan_is_under_way(scan):
    assert scans.scan_again(scan.clip, send=lambda uuid: None) is None
    assert Scan.objects.count() == 1


def test_one_global_champion(checkpoint):
    from secondsticks.detection.models import Checkpoint

    with pytest.raises(IntegrityError), transaction.atomic():
        Checkpoint.objects.create(name="b", architecture="x", sha256="cd" * 32, is_champion=True)


def test_one_champion_per_project(checkpoint, project):
    from secondsticks.detection.models import Checkpoint

    fields = {"architecture": "x", "is_champion": True, "project": project}
    Checkpoint.objects.create(name="b", sha256="cd" * 32, **fields)
    with pytest.raises(IntegrityError), transaction.atomic():
        Checkpoint.objects.create(name="c", sha256="ef" * 32, **fields)

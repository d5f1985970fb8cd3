"""What a worker does with a claimed scan, against a scanner process that only pretends to see."""

import os
import signal
import time

import pytest
from django.db.models.functions import Now

from secondsticks.detection import pictures, scanning, scans
from secondsticks.detection.models import Checkpoint, Clap, Detection, Scan
from secondsticks.detection.moves import ScanState
from secondsticks.detection.scanner import ScannerDied

SAVED = pictures.Saved({11: "11.jpg", 12: "12.jpg"}, slate=13, slate_picture="slate.jpg")


@pytest.fixture(autouse=True)
def _no_pictures(monkeypatch):
    """The clips of these tests have no file; test_pictures.py has one."""
    monkeypatch.setattr(pictures, "save", lambda *args, **kwargs: SAVED)


@pytest.fixture
def claimed(make_clip, checkpoint):
    def claim(name: str = "A001C001.mov"):
        return scans.claim(str(Scan.objects.create(clip=make_clip(name)).uuid))

    return claim


def test_the_result_is_stored_whole(claimed, scanner, checkpoint):
    claim = claimed()
    scanning.perform(claim, scanner)

    scan = Scan.objects.get(pk=claim.scan.pk)
    assert (scan.state, scan.verdict, scan.reason) == ("done", "sure", "the slate closes at frame 12")
    assert scan.checkpoint == checkpoint
    assert scan.warnings == ["3 frames are damaged."]
    assert scan.finished_at is not None and scan.lease_expires_at is None
    assert scan.slate_spans == [
        {"state": "open", "first": 11, "last": 11},
        {"state": "closed", "first": 12, "last": 13},
    ]
    clap = scan.claps.get()
    assert (clap.frame, clap.last_open, clap.timecode, clap.confidence) == (12, 11, "01:00:00:12", 0.94)
    assert (clap.x, clap.y, clap.w, clap.h) == (10.0, 20.0, 30.0, 40.0)
    assert (clap.picture, clap.open_picture) == ("12.jpg", "11.jpg")
    assert (scan.slate_frame, scan.slate_picture, scan.is_tail) == (13, "slate.jpg", False)
    boxes = scan.detections.order_by("frame", "-score").values_list("frame", "pts", "state", "score", "w")
    assert list(boxes) == [
        (11, 11, "open", 0.97, 30.0),
        (11, 11, "closed", 0.2, 30.0),
        (12, 12, "closed", 0.94, 30.0),
        (13, 13, "closed", 0.9, 30.0),
    ]


def test_one_scanner_process_serves_several_clips(claimed, scanner):
    scanning.perform(claimed("a.mov"), scanner)
    first = scanner._child.pid
    scanning.perform(claimed("b.mov"), scanner)

    assert scanner._child.pid == first
    assert Scan.objects.filter(state=ScanState.DONE).count() == 2


def test_another_champion_gets_another_process(claimed, scanner, checkpoint, tmp_path):
    scanning.perform(claimed("a.mov"), scanner)
    first = scanner._child.pid
    weights = tmp_path / "challenger"
    weights.write_text("cd" * 32)
    Checkpoint.objects.update(is_champion=False)
    challenger = Checkpoint.objects.create(
        name="day 1", architecture="fake", sha256="cd" * 32, path=str(weights), is_champion=True
    )

    claim = claimed("b.mov")
    scanning.perform(claim, scanner)

    assert scanner._child.pid != first
    assert Scan.objects.get(pk=claim.scan.pk).checkpoint == challenger


def test_weights_that_are_not_what_the_row_says_are_not_used(claimed, scanner, checkpoint):
    Checkpoint.objects.filter(pk=checkpoint.pk).update(sha256="99" * 32)
    claim = claimed()
    scanning.perform(claim, scanner)

    assert Scan.objects.get(pk=claim.scan.pk).state == ScanState.QUEUED
    assert not Clap.objects.exists()


def test_a_refused_clip_says_why_and_is_not_tried_again(claimed, scanner):
    claim = claimed("refuse.mov")
    scanning.perform(claim, scanner)

    scan = Scan.objects.get(pk=claim.scan.pk)
    assert (scan.state, scan.error) == (ScanState.FAILED, "The file is damaged at its start.")
    assert scanner._child.poll() is None


@pytest.mark.parametrize("name", ["memory.mov", "die.mov"])
def test_what_may_pass_is_tried_again(claimed, scanner, name):
    claim = claimed(name)
    scanning.perform(claim, scanner)
    assert Scan.objects.get(pk=claim.scan.pk).state == ScanState.QUEUED


def test_a_scanner_that_died_is_replaced(claimed, scanner):
    scanning.perform(claimed("die.mov"), scanner)
    claim = claimed("good.mov")
    scanning.perform(claim, scanner)
    assert Scan.objects.get(pk=claim.scan.pk).state == ScanState.DONE


def test_a_cancelled_scan_stops_the_scanner(claimed, scanner, monkeypatch):
    monkeypatch.setattr(scanning, "RENEW_EVERY", 0.05)
    claim = claimed("hang.mov")
    renew = scanning.renew

    def cancel_then_renew(claimed, **progress):
        if progress:
            claimed.scan.move(ScanState.CANCELLED)
        renew(claimed, **progress)

    monkeypatch.setattr(scanning, "renew", cancel_then_renew)
    scanning.perform(claim, scanner)

    assert scanner._child is None
    assert Scan.objects.get(pk=claim.scan.pk).state == ScanState.CANCELLED


def test_a_silent_scanner_is_killed(claimed, scanner, monkeypatch):
    monkeypatch.setattr(scanning, "RENEW_EVERY", 0.05)
    monkeypatch.setattr("secondsticks.detection.scanner.SILENCE_LIMIT", 0.3)
    claim = claimed("hang.mov")
    scanning.perform(claim, scanner)

    assert scanner._child is None
    assert Scan.objects.get(pk=claim.scan.pk).state == ScanState.QUEUED


def test_progress_is_written_while_the_scan_runs(claimed, scanner, monkeypatch):
    monkeypatch.setattr(scanning, "RENEW_EVERY", 0.0)
    written, renew = [], scanning.renew

    def note(claimed, **progress):
        renew(claimed, **progress)
        written.append(Scan.objects.values_list("done", "total", "stage").get(pk=claimed.scan.pk))

    monkeypatch.setattr(scanning, "renew", note)
    scanning.perform(claimed(), scanner)
    assert (100, 1000, "coarse") in written
    assert (900, 1000, "dense") in written


def test_a_worker_that_was_taken_over_writes_no_result(claimed, scanner, monkeypatch):
    claim = claimed()
    ask = scanning.ask_scanner

    def taken_over_meanwhile(*args):
        result = ask(*args)
        Scan.objects.filter(pk=claim.scan.pk).update(lease_expires_at=Now())
        time.sleep(0.01)
        assert scans.claim(str(claim.scan.uuid)).token == 2
        return result

    monkeypatch.setattr(scanning, "ask_scanner", taken_over_meanwhile)
    scanning.perform(claim, scanner)

    assert not Detection.objects.exists() and not Clap.objects.exists()
    assert Scan.objects.get(pk=claim.scan.pk).state == ScanState.RUNNING


def test_a_result_that_cannot_be_stored_leaves_nothing_behind(claimed, scanner, monkeypatch):
    monkeypatch.setattr(scanning, "claps_of", lambda *args: [Clap()])
    claim = claimed()
    with pytest.raises(Exception, match="violates"):
        scanning.perform(claim, scanner)

    assert not Detection.objects.exists()
    assert Scan.objects.get(pk=claim.scan.pk).state == ScanState.QUEUED


def test_without_any_checkpoint_the_scan_says_so(claimed, scanner, monkeypatch, tmp_path):
    Checkpoint.objects.update(is_champion=False)
    monkeypatch.setattr("secondsticks.detection.champions.SHIPPED", tmp_path / "nowhere.safetensors")
    claim = claimed()
    scanning.perform(claim, scanner)

    scan = Scan.objects.get(pk=claim.scan.pk)
    assert scan.state == ScanState.FAILED
    assert "comes with the product" in scan.error


def test_secrets_stay_out_of_the_scanner(scanner, checkpoint, monkeypatch, settings, tmp_path):
    monkeypatch.setenv("SECRET_KEY", "do not tell")
    list(scanner.scan(tmp_path / "a.mov", weights=tmp_path / "weights", sha256=checkpoint.sha256, tick=5))
    with open(f"/proc/{scanner._child.pid}/environ") as file:  # noqa: PTH123
        environment = file.read()
    assert "PATH=" in environment
    assert "do not tell" not in environment and "DATABASE_URL" not in environment


def test_a_killed_scanner_is_noticed(scanner, checkpoint, tmp_path):
    events = scanner.scan(
        tmp_path / "hang.mov", weights=tmp_path / "weights", sha256=checkpoint.sha256, tick=5
    )
    assert next(events)["event"] == "ready"
    assert next(events)["event"] == "progress"
    os.kill(scanner._child.pid, signal.SIGKILL)
    with pytest.raises(ScannerDied):
        list(events)


def test_a_scanner_that_babbles_is_not_believed(scanner, checkpoint, tmp_path):
    events = scanner.scan(
        tmp_path / "hang.mov", weights=tmp_path / "weights", sha256=checkpoint.sha256, tick=5
    )
    next(events)
    next(events)
    scanner._lines.put("Traceback (most recent call last):\n")
    with pytest.raises(ScannerDied, match="not JSON"):
        next(events)

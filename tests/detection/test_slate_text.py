"""Reading slates: asked for once, read once, kept as a suggestion; and the setting that asks for it."""

from datetime import timedelta

import numpy as np
import pytest
from django.db.models import Q
from django.utils import timezone

from training.footage.facts import FootageError
from training.slate_text.failures import NotInstalled, SlateTextFailed
from training.slate_text.reader import SlateText as Slate

READ = {"scene": {"text": "12A", "confidence": 0.97}, "take": {"text": "3", "confidence": 0.6}}


@pytest.fixture
def project_on(project):
    from secondsticks.detection import slate_page

    slate_page.turn(project.pk, on=True)
    return project


@pytest.fixture
def scan(project_on, make_clip, make_scan):
    return make_scan(make_clip(), claps=[12], slate_frame=14, slate_picture="slate.jpg")


@pytest.fixture
def reads(monkeypatch):
    """What reading a frame gives, or raises; and what was asked for."""

    class Reads:
        answer: object = Slate(READ, [{"text": "12A"}], upside_down=True)
        asked: list = []

    def read_frame(self, path, frame, box):
        Reads.asked.append((path, frame, box))
        if isinstance(Reads.answer, Exception):
            raise Reads.answer
        return Reads.answer

    Reads.asked = []
    monkeypatch.setattr("secondsticks.detection.slate_reading.SlateReader.read_frame", read_frame)
    return Reads


def ask(scan) -> list:
    from secondsticks.detection import slate_reading

    sent: list = []
    slate_reading.ask(Q(pk=scan.pk), send=sent.append)
    return sent


def claim(scan):
    from secondsticks.detection import slate_reading
    from secondsticks.detection.models import SlateReading

    SlateReading.objects.get_or_create(scan=scan)
    return slate_reading.claim(str(SlateReading.objects.get(scan=scan).uuid))


def reading_of(scan):
    from secondsticks.detection.models import SlateReading

    return SlateReading.objects.get(scan=scan)


def test_a_scan_that_is_done_is_asked_for_once(scan, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        sent = ask(scan)
    assert sent == [reading_of(scan).uuid]
    assert ask(scan) == []


def test_nothing_is_read_before_somebody_turns_it_on(make_clip, make_scan):
    from secondsticks.detection.models import SlateReading

    scan = make_scan(make_clip(), slate_frame=14)
    assert ask(scan) == [] and not SlateReading.objects.exists()


@pytest.mark.parametrize("fields", [{"slate_frame": None}, {"state": "running"}, {"is_current": False}])
def test_scans_without_a_slate_to_read(project_on, make_clip, make_scan, fields):
    from secondsticks.detection.models import SlateReading

    ask(make_scan(make_clip(), **{"slate_frame": 14, **fields}))
    assert not SlateReading.objects.exists()


def test_where_the_extra_is_missing_nothing_is_asked_for(scan, monkeypatch):
    from secondsticks.detection import slate_reading
    from secondsticks.detection.models import SlateReading

    monkeypatch.setattr(slate_reading, "is_installed", lambda: False)
    assert ask(scan) == [] and slate_reading.send_lost(send=pytest.fail) == 0
    assert not SlateReading.objects.exists()


def test_the_end_of_a_scan_asks(scan, monkeypatch, django_capture_on_commit_callbacks):
    from secondsticks.detection import tasks
    from secondsticks.detection.models import Scan
    from secondsticks.detection.signals import scan_done

    sent = []
    monkeypatch.setattr(tasks, "send_reading", sent.append)
    with django_capture_on_commit_callbacks(execute=True):
        scan_done.send(sender=Scan, scan=scan)
    assert sent == [reading_of(scan).uuid]


def test_a_reading_is_kept_with_all_its_lines(scan, reads):
    from secondsticks.detection import slate_reading

    scan.detections.create(frame=14, pts=1, seconds=0.5, x=1, y=2, w=3, h=4, state="closed", score=0.9)
    slate_reading.perform(claim(scan))
    reading = reading_of(scan)
    assert (reading.state, reading.fields, reading.upside_down) == ("done", READ, True)
    assert reading.lines == [{"text": "12A"}]
    assert reads.asked == [(scan.clip.path, 14, [1, 2, 3, 4])]
    assert claim(scan) is None  # it is done


def test_two_workers_do_not_read_the_same_slate(scan):
    assert claim(scan) is not None
    assert claim(scan) is None


def test_a_worker_that_wakes_late_writes_nothing(scan, reads):
    from secondsticks.detection import slate_reading

    late = claim(scan)
    type(late.reading).objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    now = claim(scan)
    assert now is not None and now.token == 2
    slate_reading.perform(late)
    assert reading_of(scan).state == "running"
    slate_reading.perform(now)
    assert (reading_of(scan).state, reading_of(scan).failures) == ("done", 1)


@pytest.mark.parametrize(
    "error",
    [SlateTextFailed("Reading the slate took too long."), FootageError("timeout", "It took too long.")],
)
def test_what_fails_is_tried_again_and_then_given_up(scan, reads, error):
    from secondsticks.detection import slate_reading

    reads.answer = error
    for tries in range(1, 3):
        slate_reading.perform(claim(scan))
        assert (reading_of(scan).state, reading_of(scan).failures) == ("queued", tries)
    slate_reading.perform(claim(scan))
    assert (reading_of(scan).state, reading_of(scan).error) == ("failed", str(error))


def test_an_extra_that_has_gone_is_said_at_once(scan, reads):
    from secondsticks.detection import slate_reading

    reads.answer = NotInstalled()
    slate_reading.perform(claim(scan))
    assert reading_of(scan).state == "failed" and "secondsticks[ocr]" in reading_of(scan).error


def test_the_sweep_finds_what_was_lost(scan):
    from secondsticks.detection import slate_reading
    from secondsticks.detection.models import SlateReading

    sent: list = []
    assert slate_reading.send_lost(send=sent.append) == 1  # made: nobody had asked
    reading = reading_of(scan)
    assert slate_reading.send_lost(send=sent.append) == 0  # a moment ago
    long_ago = timezone.now() - timedelta(minutes=2)
    SlateReading.objects.update(sent_at=long_ago)
    assert slate_reading.send_lost(send=sent.append) == 1 and sent[-1] == reading.uuid
    claim(scan)
    SlateReading.objects.update(sent_at=long_ago, lease_expires_at=long_ago)
    assert slate_reading.send_lost(send=sent.append) == 1  # its worker died
    SlateReading.objects.update(sent_at=long_ago, failures=2)
    assert slate_reading.send_lost(send=sent.append) == 0
    assert reading_of(scan).error == slate_reading.GIVEN_UP


def test_the_sweep_leaves_what_nobody_wants_any_more(scan, project_on):
    from secondsticks.detection import slate_page, slate_reading

    claim(scan)
    slate_page.turn(project_on.pk, on=False)
    type(reading_of(scan)).objects.update(state="queued", sent_at=None)
    assert slate_reading.send_lost(send=pytest.fail) == 0


def test_somebody_may_ask_again(scan, client, annotator):
    from secondsticks.detection.models import SlateReading

    SlateReading.objects.create(scan=scan, state="failed", error="It took too long.", failures=3)
    client.force_login(annotator)
    address = f"/clips/{scan.clip.uuid}/read-slate-again/"
    assert "is being read" in client.post(address, headers={"HX-Request": "true"}).content.decode()
    assert (reading_of(scan).state, reading_of(scan).failures) == ("queued", 0)


def test_the_setting(client, admin, annotator, project, monkeypatch):
    from secondsticks.detection.slate_page import is_on

    settings, address = f"/projects/{project.uuid}/settings/", f"/projects/{project.uuid}/slate-text/"
    client.force_login(admin)
    assert "Read the text on slates" in client.get(settings).content.decode()
    assert "Slates are read" in client.post(address, {"is_on": "on"}, follow=True).content.decode()
    assert is_on(project.pk)
    client.post(address, {})
    assert not is_on(project.pk)
    client.force_login(annotator)
    assert "Read the text on slates" not in client.get(settings).content.decode()


def test_the_setting_where_the_extra_is_missing(client, admin, project, monkeypatch):
    from secondsticks.detection.slate_page import is_on

    for place in ("slate_text_views", "templatetags.slate_text"):
        monkeypatch.setattr(f"secondsticks.detection.{place}.is_installed", lambda: False)
    client.force_login(admin)
    page = client.get(f"/projects/{project.uuid}/settings/").content.decode()
    assert "pip install &#x27;secondsticks[ocr]&#x27;" in page and "disabled" in page
    client.post(f"/projects/{project.uuid}/slate-text/", {"is_on": "on"})
    assert not is_on(project.pk)


def test_a_slate_of_a_real_clip_is_read_by_a_real_worker(project_on, make_clip, make_scan, run_jobs, home):
    from secondsticks.detection import slate_reading, tasks
    from tests.training.slate_text.test_reader import board
    from training import slate_text
    from training.render.encoding import Recorder

    if not slate_text.is_installed():
        pytest.skip("the extra `ocr` is not installed")
    clip = make_clip("board.mov", content=b"")
    picture = np.ascontiguousarray(board((960, 540)))
    with Recorder(clip.path, (960, 540), clip.rate, timecode=None, sound=None) as recorder:
        for _ in range(5):
            recorder.write(picture)
    scan = make_scan(clip, claps=[2], slate_frame=3)
    slate_reading.ask(Q(pk=scan.pk), send=tasks.send_reading)
    run_jobs()
    reading = reading_of(scan)
    assert (reading.state, reading.error) == ("done", "")
    assert {name: field["text"] for name, field in reading.fields.items()} == {
        "roll": "A001",
        "scene": "12A",
        "take": "14",
    }

"""A clip is read once, by one worker, whatever happens to the workers."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from django.db.models.functions import Now

from secondsticks.footage import leases, lost, reading, tasks
from secondsticks.footage.models import Clip, ClipState, ProxyState
from secondsticks.footage.signals import clip_ingested
from training.footage.footage import FootageError

av = pytest.importorskip("av")

LONG_AGO = timedelta(minutes=5)


@pytest.fixture(autouse=True)
def _home(home):
    """Files of each test lie in a home of their own."""


def write_video(path, *, codec="libx264", pixel_format="yuv420p", frames=8):
    """Write a grey clip of 96 x 64 at 25 fps."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as file:
        stream = file.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = 96, 64, pixel_format
        for number in range(frames):
            frame = av.VideoFrame(96, 64, pixel_format)
            for plane in frame.planes:
                plane.update(bytes([number * 8]) * plane.buffer_size)
            file.mux(stream.encode(frame))
        file.mux(stream.encode())


@pytest.fixture
def new_clip(make_clip):
    def make(name="A001.mp4", *, video=True, **fields):
        unread = {
            "state": ClipState.UPLOADED,
            "proxy_state": ProxyState.UNKNOWN,
            "rate_num": None,
            "frames": None,
        }
        clip = make_clip(name, **{**unread, "queued_at": Now(), **fields})
        if video:
            write_video(clip.path)
        return clip

    return make


@pytest.fixture
def sent(monkeypatch):
    sent = []
    monkeypatch.setattr(tasks, "_send", lambda actor, clip: sent.append((actor.actor_name, clip.pk)))
    return sent


@pytest.fixture
def ingested():
    """The clips of which detection was told."""
    told = []

    def listen(sender, clip, **kwargs):
        told.append(clip.pk)

    clip_ingested.connect(listen)
    yield told
    clip_ingested.disconnect(listen)


def test_a_clip_is_read(new_clip, sent, ingested, django_capture_on_commit_callbacks):
    clip = new_clip()
    with django_capture_on_commit_callbacks(execute=True):
        tasks.ingest(str(clip.uuid))
    clip.refresh_from_db()
    assert (clip.state, clip.message, clip.leased_until) == (ClipState.READY, "", None)
    assert (clip.rate, clip.frames, clip.width, clip.height, clip.codec) == (25, 8, 96, 64, "h264")
    assert clip.facts().rate == 25
    assert clip.timecode_at(7).endswith(":07")
    assert clip.size == clip.path.stat().st_size
    assert len(clip.fingerprint) == 64
    assert clip.poster_path.read_bytes().startswith(b"\xff\xd8")
    assert clip.proxy_state == ProxyState.NOT_NEEDED
    assert ingested == [clip.pk]


def test_a_message_that_comes_twice_reads_once(new_clip, ingested):
    clip = new_clip()
    tasks.ingest(str(clip.uuid))
    tasks.ingest(str(clip.uuid))
    assert ingested == [clip.pk]
    clip.refresh_from_db()
    assert clip.attempt == 1


def test_a_message_for_a_clip_that_is_gone_does_nothing(db):
    tasks.ingest("00000000-0000-4000-8000-000000000000")


@pytest.mark.parametrize(
    ("name", "content"), [("notes.mov", b"hello, I am a text\n" * 99), ("empty.mov", b"")]
)
def test_what_is_no_video_is_refused_with_a_sentence(new_clip, ingested, name, content):
    clip = new_clip(name, video=False, content=content)
    tasks.ingest(str(clip.uuid))
    clip.refresh_from_db()
    assert clip.state == ClipState.REFUSED
    assert clip.message.endswith(".")
    assert len(clip.message) > 15
    assert not ingested


def test_a_file_that_is_gone_is_refused(new_clip):
    clip = new_clip(video=False)
    tasks.ingest(str(clip.uuid))
    clip.refresh_from_db()
    assert clip.state == ClipState.REFUSED


def test_a_clip_that_browsers_cannot_play_gets_a_proxy(new_clip, sent, django_capture_on_commit_callbacks):
    clip = new_clip("A001.avi", video=False)
    write_video(clip.path, codec="mjpeg", pixel_format="yuvj420p")
    with django_capture_on_commit_callbacks(execute=True):
        tasks.ingest(str(clip.uuid))
    clip.refresh_from_db()
    assert clip.proxy_state == ProxyState.QUEUED
    assert sent == [("proxy", clip.pk)]
    tasks.proxy(str(clip.uuid))
    clip.refresh_from_db()
    assert (clip.proxy_state, clip.proxy_progress) == (ProxyState.READY, 1)
    with av.open(str(clip.proxy_path)) as proxy:
        assert proxy.streams.video[0].codec.name == "h264"
        assert sum(1 for _ in proxy.decode(video=0)) == 8


def test_a_proxy_that_cannot_be_made_says_why(make_clip):
    clip = make_clip(proxy_state=ProxyState.QUEUED, content=b"no video any more")
    tasks.proxy(str(clip.uuid))
    clip.refresh_from_db()
    assert clip.proxy_state == ProxyState.FAILED
    assert clip.proxy_message
    assert clip.state == ClipState.READY


def test_one_worker_at_a_time(new_clip):
    clip = new_clip()
    assert leases.claim(Clip, str(clip.uuid), tasks.TO_READ, state=ClipState.INGESTING) is not None
    assert leases.claim(Clip, str(clip.uuid), tasks.TO_READ, state=ClipState.INGESTING) is None


def test_a_worker_that_was_taken_over_writes_nothing(new_clip, ingested):
    clip = new_clip()
    first = leases.claim(Clip, str(clip.uuid), tasks.TO_READ, state=ClipState.INGESTING)
    Clip.objects.update(leased_until=Now() - LONG_AGO)
    second = leases.claim(Clip, str(clip.uuid), tasks.TO_READ, state=ClipState.INGESTING)
    assert (second.attempt, second.row.failures) == (first.attempt + 1, 1)
    reading.read(first, send_proxy=lambda clip: None)
    clip.refresh_from_db()
    assert clip.state == ClipState.INGESTING
    assert not ingested
    reading.read(second, send_proxy=lambda clip: None)
    assert ingested == [clip.pk]


def test_a_lease_is_renewed_while_somebody_works(new_clip, monkeypatch, transactional_db):
    monkeypatch.setattr(leases, "HEARTBEAT_SECONDS", 0.01)
    clip = new_clip(video=False)
    lease = leases.claim(Clip, str(clip.uuid), tasks.TO_READ)
    with leases.held(lease):
        before = Clip.objects.get().leased_until
        while Clip.objects.get().leased_until == before:
            time.sleep(0.01)


def test_a_lease_that_was_given_back_is_not_renewed(new_clip):
    """The heartbeat may be on its way when the work ends."""
    clip = new_clip(video=False)
    lease = leases.claim(Clip, str(clip.uuid), tasks.TO_READ)
    assert lease.renew()
    lease.write(leased_until=None)
    assert not lease.renew()
    assert Clip.objects.get().leased_until is None


def test_a_failing_server_tries_three_times_and_then_says_so(new_clip, monkeypatch):
    def fail(*args):
        raise RuntimeError("out of luck")

    monkeypatch.setattr(reading, "_look", fail)
    clip = new_clip()
    states = []
    for _ in range(3):
        with pytest.raises(RuntimeError):
            tasks.ingest(str(clip.uuid))
        clip.refresh_from_db()
        states.append(clip.state)
    assert states == [ClipState.UPLOADED, ClipState.UPLOADED, ClipState.REFUSED]
    assert "server failed" in clip.message
    tasks.ingest(str(clip.uuid))


def test_what_may_pass_is_tried_again(new_clip, monkeypatch):
    def slow(*args):
        raise FootageError("timeout", "It took too long.")

    monkeypatch.setattr(reading, "_look", slow)
    clip = new_clip()
    for _ in range(2):
        with pytest.raises(FootageError):
            tasks.ingest(str(clip.uuid))
    tasks.ingest(str(clip.uuid))
    clip.refresh_from_db()
    assert (clip.state, clip.message) == (ClipState.REFUSED, "It took too long.")


def test_a_file_that_kills_its_readers_is_given_up(new_clip):
    clip = new_clip()
    for _ in range(leases.MOST_FAILURES):
        leases.claim(Clip, str(clip.uuid), tasks.TO_READ, state=ClipState.INGESTING)
        Clip.objects.update(leased_until=Now() - LONG_AGO)
    tasks.ingest(str(clip.uuid))
    clip.refresh_from_db()
    assert clip.state == ClipState.REFUSED


def test_a_clip_is_not_ready_when_detection_could_not_be_told(new_clip, ingested):
    """Detection's rows and the clip's state are written together or not at all."""
    clip = new_clip()

    def refuse(sender, **kwargs):
        raise RuntimeError("detection is broken")

    clip_ingested.connect(refuse)
    states = []
    try:
        for _ in range(3):
            with pytest.raises(RuntimeError):
                tasks.ingest(str(clip.uuid))
            clip.refresh_from_db()
            states.append((clip.state, clip.rate_num))
    finally:
        clip_ingested.disconnect(refuse)
    assert states == [(ClipState.UPLOADED, None), (ClipState.UPLOADED, None), (ClipState.REFUSED, None)]
    assert "server failed" in clip.message


def test_the_sweep_sends_again_what_was_lost_and_nothing_else(new_clip, make_clip, sent):
    old = Now() - LONG_AGO
    never_sent = new_clip("1.mp4", queued_at=None, video=False)
    lost_message = new_clip("2.mp4", queued_at=old, video=False)
    dead_worker = new_clip(
        "3.mp4", state=ClipState.INGESTING, leased_until=Now() - timedelta(seconds=1), video=False
    )
    Clip.objects.filter(pk=dead_worker.pk).update(queued_at=Now() - timedelta(seconds=10))
    lost_proxy = make_clip("4.mp4", proxy_state=ProxyState.QUEUED, queued_at=old)
    new_clip("5.mp4", video=False)  # just sent
    new_clip("6.mp4", state=ClipState.INGESTING, leased_until=Now() + LONG_AGO, queued_at=old, video=False)
    make_clip("7.mp4", queued_at=old)  # ready
    tasks.sweep()
    assert sorted(sent) == sorted(
        [("ingest", clip.pk) for clip in (never_sent, lost_message, dead_worker)] + [("proxy", lost_proxy.pk)]
    )
    sent.clear()
    tasks.sweep()
    assert not sent


def test_lost_clips_are_found_by_the_clock_of_the_database(new_clip):
    new_clip(queued_at=Now() - lost.WAITED + timedelta(seconds=5), video=False)
    assert not lost.waiting(Clip, tasks.TO_READ)


def test_a_message_sent_again_is_still_one_message(new_clip, transactional_db):
    from dramatiq_postgres.django.models import Job

    Job.objects.all().delete()
    clip = new_clip(video=False)
    for _ in range(3):
        tasks.send_ingest(clip)
    assert Job.objects.count() == 1
    Job.objects.all().delete()


def test_a_real_worker_reads_a_clip_that_was_sent(new_clip, run_jobs, monkeypatch):
    monkeypatch.setattr(clip_ingested, "receivers", [])  # detection would scan it, for real
    clip = new_clip()
    tasks.send_ingest(clip)
    run_jobs()
    clip.refresh_from_db()
    assert clip.state == ClipState.READY

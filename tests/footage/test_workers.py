"""Real worker processes on the real broker: one is killed with -9 while it reads a clip."""

from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from django.db.models.functions import Now
from dramatiq_postgres.django.models import Job

from secondsticks.footage import tasks
from secondsticks.footage.models import Clip, ClipState, ProxyState
from tests.workers import kill, wait_until

av = pytest.importorskip("av")
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def clip(make_clip):
    """A clip that was just uploaded, in the home that the workers share with us."""
    unread = {
        "state": ClipState.UPLOADED,
        "proxy_state": ProxyState.UNKNOWN,
        "rate_num": None,
        "frames": None,
    }
    clip = make_clip("killed.mp4", content=b"", **unread, queued_at=Now())
    Path(f"{clip.path}.hung").unlink(missing_ok=True)
    with av.open(str(clip.path), "w") as file:
        stream = file.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for _ in range(4):
            file.mux(stream.encode(av.VideoFrame(96, 64, "yuv420p")))
        file.mux(stream.encode())
    yield clip
    Job.objects.all().delete()


@pytest.fixture
def start(start_worker):
    return partial(start_worker, "tests.footage.worker", "ingest")


def is_read() -> bool:
    assert not Clip.objects.filter(state=ClipState.REFUSED).values_list("message", flat=True)
    return Clip.objects.filter(state=ClipState.READY).exists()


def test_a_clip_whose_reader_is_killed_is_read_by_another_once(clip, start):
    first = start()
    tasks.send_ingest(clip)
    wait_until(Path(f"{clip.path}.hung").exists, first)
    kill(first)

    # As if lease and message had run out: 20 seconds of waiting.
    Clip.objects.update(leased_until=Now() - timedelta(seconds=1), queued_at=Now() - timedelta(minutes=1))
    tasks.sweep()
    second = start()
    wait_until(is_read, second)

    clip.refresh_from_db()
    assert (clip.attempt, clip.frames, clip.failures) == (2, 4, 0)
    assert clip.scans.count() == 1

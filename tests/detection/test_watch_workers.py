"""Real worker processes on the real broker: one is killed with -9 while it writes exports, and two go on."""

from datetime import timedelta
from functools import partial

import pytest
from django.db.models.functions import Now
from dramatiq_postgres.django.models import Job

from secondsticks.detection.models import Scan
from secondsticks.footage import reading, tasks
from secondsticks.footage.models import Clip, WatchedFile, WatchedFolder
from secondsticks.footage.watched import Exports, add
from tests.workers import kill, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def watched(project, make_clip, make_scan, tmp_path, settings, monkeypatch):
    """A folder with a clip that was scanned, and one that is new."""
    settings.SECONDSTICKS_FOLDERS = [str(tmp_path)]
    monkeypatch.setenv("WATCHED_ROOT", str(tmp_path))
    footage = tmp_path / "day 12"
    footage.mkdir()
    for name in ("old.mov", "new.mov"):
        (footage / name).write_bytes(b"moving pictures")
    known = {"size": 15, "fingerprint": reading.fingerprint(footage / "old.mov")}
    make_scan(make_clip("old.mov", origin="folder", location=str(footage / "old.mov"), **known), claps=[21])
    yield add(project, str(footage), Exports("", ["csv", "edl"], include_unsure=True))
    Job.objects.all().delete()


def is_over() -> bool:
    return WatchedFolder.objects.filter(leased_until=None, exported_at__isnull=False).exists()


def test_exports_whose_writer_is_killed_are_written_by_others_once(watched, start_worker, tmp_path):
    start = partial(start_worker, "tests.detection.watch_worker", "ingest")
    first = start()
    tasks.send_visit(watched)
    wait_until((tmp_path / "hung").exists, first)
    kill(first)
    assert WatchedFile.objects.filter(exports_say="").count() == 2

    # As if lease and message had run out: 20 seconds of waiting.
    past = Now() - timedelta(minutes=1)
    WatchedFolder.objects.update(leased_until=past, queued_at=past)
    tasks.sweep()
    second, third = start(), start()
    wait_until(lambda: is_over() and third.poll() is None, second)

    written = sorted(str(path.relative_to(tmp_path)) for path in (tmp_path / "day 12-claps").rglob("old*"))
    assert written == ["day 12-claps/old-claps.csv", "day 12-claps/resolve/old-claps.edl"]
    assert sorted(Clip.objects.values_list("name", flat=True)) == ["new.mov", "old.mov"]
    assert Scan.objects.filter(clip__name="old.mov").count() == 1
    watched.refresh_from_db()
    assert (watched.attempt, watched.problem, watched.export_problem) == (2, "", "")

"""Scans that take the current one's place only when they are done."""

import pytest

from secondsticks.detection import pictures, quiet, scanning, scans
from secondsticks.detection.models import Scan
from secondsticks.detection.signals import scan_done

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_pictures(monkeypatch):
    monkeypatch.setattr(pictures, "save", lambda *args, **kwargs: pictures.Saved())


@pytest.fixture
def heard():
    """The scans of which `scan_done` told."""
    told = []

    def listen(sender, scan, **kwargs):
        told.append(scan)

    scan_done.connect(listen)
    yield told
    scan_done.disconnect(listen)


def current(clip) -> Scan:
    return Scan.objects.get(clip=clip, is_current=True)


def test_until_it_is_done_the_clip_keeps_its_scan(make_clip, make_scan, scanner, heard):
    clip = make_clip()
    first = make_scan(clip, claps=[40])
    later = quiet.scan_quietly(clip, send=lambda uuid: None)
    assert current(clip) == first
    assert quiet.scan_quietly(clip, send=lambda uuid: None) is None

    scanning.perform(scans.claim(str(later.uuid)), scanner)

    assert current(clip) == later
    assert [clap.frame for clap in current(clip).claps.all()] == [12]
    assert heard == [later]


def test_it_gives_way_to_a_scan_that_somebody_asked_for_since(make_clip, make_scan, scanner, heard):
    clip = make_clip()
    make_scan(clip)
    later = quiet.scan_quietly(clip, send=lambda uuid: None)
    wanted = scans.scan_again(clip, send=lambda uuid: None)

    scanning.perform(scans.claim(str(later.uuid)), scanner)

    assert current(clip) == wanted
    later.refresh_from_db()
    assert (later.state, later.is_current, heard) == ("done", False, [])


def test_a_quiet_scan_that_fails_changes_nothing(make_clip, make_scan, scanner, heard):
    clip = make_clip("refuse.mov")
    first = make_scan(clip, claps=[40])
    later = quiet.scan_quietly(clip, send=lambda uuid: None)
    scanning.perform(scans.claim(str(later.uuid)), scanner)
    later.refresh_from_db()
    assert (later.state, current(clip), heard) == ("failed", first, [])


def test_a_scan_keeps_where_nothing_was_seen_and_tells_that_it_is_done(make_clip, scanner, heard):
    scan = scans.ask_for_scan(make_clip(), send=lambda uuid: None)
    scanning.perform(scans.claim(str(scan.uuid)), scanner)
    scan.refresh_from_db()
    assert scan.nothing_seen == [[0, 0.0]]
    assert heard == [scan]

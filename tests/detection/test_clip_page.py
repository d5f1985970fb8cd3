"""The clip page in each state a clip can be in, its progress, its buttons, and the pictures of claps."""

import json
import re

import pytest
from django.urls import reverse

from secondsticks.detection import pictures, tasks
from secondsticks.detection.models import Scan
from secondsticks.detection.moves import ScanState


@pytest.fixture(autouse=True)
def _signed_in(client, annotator):
    client.force_login(annotator)


@pytest.fixture
def sent(monkeypatch):
    sent = []
    monkeypatch.setattr(tasks, "send", sent.append)
    return sent


@pytest.fixture
def open_page(client):
    def open_page(clip, **headers):
        response = client.get(reverse("detection:clip", args=[clip.uuid]), headers=headers)
        assert response.status_code == 200
        return response.content.decode()

    return open_page


def player_of(page: str) -> dict:
    return json.loads(re.search(r'<script id="clip-facts"[^>]*>(.*?)</script>', page, re.S).group(1))


def test_a_scanned_clip(open_page, make_clip, make_scan):
    clip = make_clip(audio=[{"index": 1, "codec": "pcm_s24le", "sample_rate": 48000, "channels": 2}])
    scan = make_scan(clip, claps=[100, 200], reason="2 claps")
    Scan.objects.filter(pk=scan.pk).update(slate_spans=[{"state": "open", "first": 90, "last": 99}])
    page = open_page(clip)

    assert "01:00:04:04" in page and "01:00:08:08" in page
    assert "frame 100" in page and "90 % confident" in page
    assert "23.976 (24000/1001) fps" in page
    assert "pcm_s24le 48 kHz stereo" in page
    assert "non-drop-frame" in page
    assert "1920 × 1080 (16:9)" in page
    assert scan.checkpoint.short_sha in page
    assert '<line class="span open" x1="90" x2="100"' in page
    assert player_of(page) == {
        "rate": [24000, 1001],
        "frames": 240,
        "start": 86400,
        "dropFrame": False,
        "variable": False,
        "claps": [
            {"frame": 100, "seconds": 100 * 1001 / 24000},
            {"frame": 200, "seconds": 200 * 1001 / 24000},
        ],
    }


def test_warnings_of_the_file_and_of_the_scan(open_page, make_clip, make_scan):
    clip = make_clip(warnings=["This clip has no sound."])
    make_scan(clip, warnings=["3 frames are damaged."])
    page = open_page(clip)
    assert "This clip has no sound." in page and "3 frames are damaged." in page


def test_a_refused_clip_says_why_and_what_to_do(open_page, make_clip):
    page = open_page(make_clip(state="refused", message="This is a text file, not a video."))
    assert "This is a text file, not a video." in page
    assert "Try again" in page
    assert "<video" not in page


@pytest.mark.parametrize("state", ["uploaded", "ingesting"])
def test_a_clip_that_is_being_read(open_page, make_clip, state):
    page = open_page(make_clip(state=state, frames=None, rate_num=None, rate_den=None))
    assert "every 1s" in page and "<video" not in page


def test_a_scan_under_way_shows_progress_and_can_be_cancelled(open_page, make_clip, make_scan):
    clip = make_clip()
    make_scan(clip, state=ScanState.RUNNING, stage="dense", done=870, total=1000)
    page = open_page(clip)
    assert "looking frame by frame" in page and 'value="87"' in page
    assert "Cancel the scan" in page and "Scan again" not in page


def test_a_failed_scan_says_why_and_can_be_repeated(open_page, make_clip, make_scan):
    clip = make_clip()
    make_scan(clip, state=ScanState.FAILED, error="The file ends in the middle of a frame.")
    page = open_page(clip)
    assert "The file ends in the middle of a frame." in page
    assert "Scan again" in page and "every 1s" not in page


def test_a_proxy_on_its_way_is_announced(open_page, make_clip, make_scan):
    clip = make_clip(proxy_state="making", proxy_progress=0.4, has_poster=True)
    make_scan(clip)
    page = open_page(clip)
    assert "a copy is being made" in page and 'value="40"' in page and "<video" not in page


def test_a_proxy_that_failed_is_no_secret(open_page, make_clip, make_scan):
    clip = make_clip(proxy_state="failed", proxy_message="The disk is full.")
    make_scan(clip)
    assert "The disk is full." in open_page(clip)


def test_odd_clips_have_a_page_too(open_page, make_clip, make_scan):
    clip = make_clip(
        start_timecode=None, rate_num=1, rate_den=5, rotation=90, variable_rate=True, width=7, height=9999
    )
    make_scan(clip, verdict="no slate")
    page = open_page(clip)
    assert player_of(page)["start"] is None
    assert "none in the file" in page and "turned by 90°" in page and "variable" in page


def test_neighbours_by_name(open_page, make_clip):
    first, middle, last = make_clip("a.mov"), make_clip("b.mov"), make_clip("c.mov")
    page = open_page(middle)
    assert f'rel="prev" href="{first.get_absolute_url()}"' in page
    assert f'rel="next" href="{last.get_absolute_url()}"' in page
    assert 'rel="prev"' not in open_page(first)
    assert 'rel="next"' not in open_page(last)


def test_progress_makes_the_page_load_again_once_something_ended(client, make_clip, make_scan):
    clip = make_clip()
    scan = make_scan(clip, state=ScanState.RUNNING, stage="coarse", done=10, total=100)
    page = client.get(clip.get_absolute_url()).content.decode()
    address = re.search(r'hx-get="([^"]+)"', page).group(1)

    assert "HX-Refresh" not in client.get(address)
    scan.move(ScanState.DONE, verdict="mos")
    assert client.get(address)["HX-Refresh"] == "true"


def test_scan_again(client, make_clip, make_scan, sent, django_capture_on_commit_callbacks):
    clip = make_clip()
    old = make_scan(clip, claps=[10])
    with django_capture_on_commit_callbacks(execute=True):
        response = client.post(reverse("detection:scan-again", args=[clip.uuid]))
    assert response["Location"] == clip.get_absolute_url()
    new = Scan.objects.get(clip=clip, is_current=True)
    assert new != old and sent == [new.uuid]


def test_a_double_click_on_scan_again_makes_one_scan(client, make_clip, make_scan, sent):
    clip = make_clip()
    make_scan(clip)
    for _ in range(2):
        client.post(reverse("detection:scan-again", args=[clip.uuid]))
    assert Scan.objects.filter(clip=clip).count() == 2


def test_a_refused_clip_is_not_scanned_again(client, make_clip, sent):
    clip = make_clip(state="refused")
    assert client.post(reverse("detection:scan-again", args=[clip.uuid])).status_code == 404
    assert not Scan.objects.exists()


def test_cancel(client, make_clip, make_scan):
    scan = make_scan(make_clip(), state=ScanState.RUNNING)
    client.post(reverse("detection:cancel-scan", args=[scan.clip.uuid]))
    scan.refresh_from_db()
    assert scan.state == ScanState.CANCELLED


def test_cancelling_what_has_ended_changes_nothing(client, make_clip, make_scan):
    scan = make_scan(make_clip(), claps=[10])
    response = client.post(reverse("detection:cancel-scan", args=[scan.clip.uuid]), follow=True)
    scan.refresh_from_db()
    assert scan.state == ScanState.DONE
    assert "it has ended" in response.content.decode()


def test_pictures_of_a_clap(client, home, make_clip, make_scan):
    clap = make_scan(make_clip(), claps=[10]).claps.get()
    address = reverse("detection:clap-closed", args=[clap.uuid])
    assert client.get(address).status_code == 404

    clap.picture = "10.jpg"
    clap.save()
    assert client.get(address).status_code == 404  # the file is gone
    folder = pictures.folder_of(clap.scan)
    folder.mkdir(parents=True)
    (folder / "10.jpg").write_bytes(b"jpeg")
    response = client.get(address)
    assert response["Content-Type"] == "image/jpeg"
    assert b"".join(response.streaming_content) == b"jpeg"
    assert "private" in response["Cache-Control"]

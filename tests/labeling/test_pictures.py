"""Pictures of frames and of their neighbours."""

from __future__ import annotations

import os
from hashlib import sha256
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from secondsticks.detection import filmstrip
from secondsticks.labeling import pictures
from secondsticks.store import store
from training.store import StoreError, Trouble

av = pytest.importorskip("av")
pytestmark = pytest.mark.django_db


@pytest.fixture
def queued(home, make_clip, make_frame):
    """Frame 20 of a clip of 40 greys that rise, with its picture in the store."""
    clip = make_clip(content=b"", frames=40, width=320, height=180)
    with av.open(str(clip.path), "w") as container:
        stream = container.add_stream("mpeg4", rate=24)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for number in range(40):
            grey = np.full((180, 320, 3), 40 + 4 * number, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(grey, format="rgb24")))
        container.mux(stream.encode(None))
    picture = BytesIO()
    Image.new("RGB", (320, 180), (120, 120, 120)).save(picture, "JPEG")
    frame = make_frame(clip, frame=20, picture_sha256=sha256(picture.getvalue()).hexdigest())
    store().put(frame.picture_key, picture.getvalue())
    return frame


def get(page, name: str, queued, *args, **headers):
    return page.client.get(f"/frames/{queued.uuid}/{name}", headers=headers)


def test_the_picture_comes_from_the_store_and_browsers_keep_it(queued, page):
    response = get(page, "picture.jpg", queued)
    assert response.content == store().get(queued.picture_key)
    assert (response["Content-Type"], response["ETag"]) == ("image/jpeg", f'"{queued.picture_sha256}"')
    assert "immutable" in response["Cache-Control"] and "private" in response["Cache-Control"]
    again = get(page, "picture.jpg", queued, if_none_match=response["ETag"])
    assert (again.status_code, again.content) == (304, b"")


def test_a_part_of_the_picture_can_be_asked_for(queued, page):
    whole = store().get(queued.picture_key)
    part = get(page, "picture.jpg", queued, range="bytes=10-19")
    assert (part.status_code, part.content) == (206, whole[10:20])
    assert part["Content-Range"] == f"bytes 10-19/{len(whole)}"
    assert get(page, "picture.jpg", queued, range=f"bytes={len(whole)}-").status_code == 416


def test_a_store_that_is_away_is_said_and_a_missing_picture_is_404(queued, page, monkeypatch):
    store().delete(queued.picture_key)
    assert get(page, "picture.jpg", queued).status_code == 404

    def away():
        raise StoreError("The store does not answer.", Trouble.UNREACHABLE)

    monkeypatch.setattr(pictures.store, "store", away)
    response = get(page, "picture.jpg", queued)
    assert (response.status_code, response["Retry-After"]) == (503, "5")


def test_neighbours_are_whole_and_made_all_at_once(queued, page, monkeypatch):
    response = get(page, "near/17.jpg", queued)
    picture = Image.open(BytesIO(b"".join(response.streaming_content)))
    assert picture.size == (320, 180)
    assert np.asarray(picture).mean() == pytest.approx(40 + 4 * 17, abs=4)
    assert response["Cache-Control"] == "private, max-age=86400"
    made = {int(file.stem) for file in pictures.folder_of(queued.clip).iterdir()}
    assert made == set(range(8, 33))
    monkeypatch.setattr(pictures, "make_neighbours", lambda queued: pytest.fail("they are there"))
    assert get(page, "near/32.jpg", queued).status_code == 200


def test_frames_further_away_and_beyond_the_clip_are_not_there(queued, make_frame, page):
    assert get(page, "near/7.jpg", queued).status_code == 404
    last = make_frame(queued.clip, frame=39)
    assert get(page, "near/40.jpg", last).status_code == 404


def test_too_many_who_flip_at_once_are_asked_to_wait(queued, page, monkeypatch):
    def busy(queued):
        raise filmstrip.Busy

    monkeypatch.setattr(pictures, "make_neighbours", busy)
    assert get(page, "near/17.jpg", queued).status_code == 503


def test_neighbours_that_nobody_needs_any_more_go_with_the_next_ones(queued, make_frame, page):
    get(page, "near/17.jpg", queued)
    folder = pictures.folder_of(queued.clip)
    os.utime(folder / "9.jpg", (0, 0))
    get(page, "near/39.jpg", make_frame(queued.clip, frame=38))
    assert not (folder / "9.jpg").exists() and (folder / "17.jpg").exists()


def test_a_small_picture_for_lists(queued, page):
    big = BytesIO()
    Image.new("RGB", (1920, 1080), (120, 120, 120)).save(big, "JPEG")
    store().put(queued.picture_key, big.getvalue())
    small = get(page, "small.jpg", queued)
    assert Image.open(BytesIO(small.content)).size == (480, 270)
    assert small["ETag"] != get(page, "picture.jpg", queued)["ETag"]
    assert get(page, "small.jpg", queued, if_none_match=small["ETag"]).status_code == 304

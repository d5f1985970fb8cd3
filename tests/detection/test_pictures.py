"""Pictures of claps, from a real clip."""

import numpy as np
import pytest
from PIL import Image

from secondsticks.detection import filmstrip, pictures
from secondsticks.detection.models import Scan
from training.footage.footage import FootageError

av = pytest.importorskip("av")


@pytest.fixture
def scan(home, make_clip):
    """A scan of a clip of 12 frames, each one grey level lighter than the one before."""
    clip = make_clip(content=b"")
    with av.open(str(clip.path), "w") as container:
        stream = container.add_stream("mpeg4", rate=24)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for number in range(12):
            grey = np.full((180, 320, 3), 40 + 10 * number, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(grey, format="rgb24")))
        container.mux(stream.encode(None))
    return Scan.objects.create(clip=clip)


def found(*claps: int, closed: tuple[int, ...] = (), last_open: int | None = None) -> dict:
    """The result of a scan with claps at these frames, and closed slates in others."""
    return {
        "claps": [
            {"frame": frame, "last_open": frame - 1 if last_open is None else last_open, "box": None}
            for frame in claps
        ],
        "detections": [
            {"frame": frame, "boxes": [{"bbox": [40, 20, 160, 90], "state": "closed", "score": 0.9}]}
            for frame in closed
        ],
    }


def save(scan, result) -> pictures.Saved:
    return pictures.save(scan, scan.clip.path, result, still_ours=lambda: None)


def grey_of(path) -> float:
    return float(np.asarray(Image.open(path)).mean())


def test_both_frames_of_a_clap_and_those_around_it_are_saved(scan):
    saved = save(scan, found(7))

    assert saved.claps == {6: "6.jpg", 7: "7.jpg"}
    folder = pictures.folder_of(scan)
    assert sorted(path.name for path in folder.iterdir()) == ["6.jpg", "7.jpg", "strip"]
    assert [grey_of(folder / name) for name in saved.claps.values()] == pytest.approx([100, 110], abs=4)
    strip = {int(path.stem): grey_of(path) for path in (folder / "strip").iterdir()}
    assert sorted(strip) == list(range(1, 12))  # six on each side, as far as the clip goes
    assert strip == {number: pytest.approx(40 + 10 * number, abs=4) for number in strip}


def test_a_last_open_frame_far_from_the_clap(scan):
    assert save(scan, found(11, last_open=2)).claps == {2: "2.jpg", 11: "11.jpg"}


def test_no_claps_no_folder(scan):
    assert save(scan, found()) == pictures.Saved()
    assert not pictures.folder_of(scan).exists()


def test_a_clip_that_cannot_be_read_any_more_has_claps_without_pictures(scan):
    scan.clip.path.write_bytes(b"")
    assert save(scan, found(7, closed=(8,))) == pictures.Saved()


def test_the_sharpest_closed_slate_is_saved(scan, monkeypatch):
    monkeypatch.setattr(pictures.sharpness, "of", lambda picture: 200 - abs(float(picture.mean()) - 130))
    saved = save(scan, found(7, closed=(3, 7, 8, 9, 10)))
    assert (saved.slate, saved.slate_picture) == (9, "slate.jpg")
    assert grey_of(pictures.folder_of(scan) / "slate.jpg") == pytest.approx(130, abs=4)


def test_the_work_goes_on_only_while_the_scan_is_ours(scan):
    class Lost(Exception):
        pass

    def lost():
        raise Lost

    with pytest.raises(Lost):
        pictures.save(scan, scan.clip.path, found(7), still_ours=lost)


def test_frames_are_made_when_somebody_asks(scan):
    file = filmstrip.frame_file(scan.clip, scan, 5)
    assert grey_of(file) == pytest.approx(90, abs=4)
    made = {int(path.stem) for path in file.parent.iterdir()}
    assert made == set(range(1, 10))


def test_a_frame_that_cannot_be_read_says_so(scan):
    scan.clip.path.write_bytes(b"")
    with pytest.raises(FootageError):
        filmstrip.frame_file(scan.clip, scan, 5)


def test_too_many_at_once_wait_their_turn_and_then_give_up(scan, monkeypatch):
    monkeypatch.setattr(filmstrip, "PATIENCE", 0.01)
    for _ in range(filmstrip.AT_A_TIME):
        filmstrip._turns.acquire()
    try:
        with pytest.raises(filmstrip.Busy):
            filmstrip.frame_file(scan.clip, scan, 5)
    finally:
        filmstrip._turns.release(filmstrip.AT_A_TIME)


def test_few_wait_at_once(scan):
    for _ in range(filmstrip.PRESENT):
        filmstrip._places.acquire()
    try:
        with pytest.raises(filmstrip.Busy):
            filmstrip.frame_file(scan.clip, scan, 5)
    finally:
        filmstrip._places.release(filmstrip.PRESENT)
    assert filmstrip.frame_file(scan.clip, scan, 5).is_file()


def test_the_source_is_not_touched(scan):
    before = scan.clip.path.read_bytes(), scan.clip.path.stat().st_mtime_ns
    save(scan, found(7, closed=(8,)))
    assert (scan.clip.path.read_bytes(), scan.clip.path.stat().st_mtime_ns) == before


@pytest.mark.parametrize(
    ("box", "part"),
    [
        (None, (0, 0, 320, 180)),
        ([300, 200, 64, 36], (134, 91, 198, 127)),
        ([560, 300, 64, 36], (256, 141, 320, 177)),  # near the edge
        ([0, 0, 64, 36], (0, 0, 64, 36)),  # at the edge: moved in, not cut
        ([0, 0, 640, 360], (0, 0, 320, 180)),  # as large as the picture
        ([500, 0, 40, 360], (0, 0, 320, 180)),  # as high as the picture
    ],
)
def test_the_part_around_a_slate(box, part):
    """Boxes are in the full picture, here twice as wide as the one that was read."""
    ramp = np.zeros((180, 320, 3), np.uint8)
    ramp[..., 0], ramp[..., 1] = np.arange(320) // 2, np.arange(180)[:, None]
    shown = np.asarray(pictures.around(box, Image.fromarray(ramp), full_width=640))
    left, top, right, bottom = part
    assert np.array_equal(shown, ramp[top:bottom, left:right])

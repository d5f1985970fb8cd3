"""Pictures of claps, from a real clip."""

import numpy as np
import pytest
from PIL import Image

from secondsticks.detection import pictures
from secondsticks.detection.models import Scan

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


def clap(frame: int, box=None) -> dict:
    return {"frame": frame, "last_open": frame - 1, "box": box}


def test_both_frames_of_a_clap_are_saved(scan):
    asked = []
    saved = pictures.save(scan, scan.clip.path, [clap(7)], still_ours=lambda: asked.append(1))

    assert saved == {6: "6.jpg", 7: "7.jpg"}
    assert len(asked) == 2
    folder = pictures.folder_of(scan)
    assert sorted(path.name for path in folder.iterdir()) == ["6.jpg", "7.jpg"]
    greys = {number: np.asarray(Image.open(folder / name)).mean() for number, name in saved.items()}
    assert greys == {6: pytest.approx(100, abs=4), 7: pytest.approx(110, abs=4)}


def test_no_claps_no_folder(scan):
    assert pictures.save(scan, scan.clip.path, [], still_ours=lambda: None) == {}
    assert not pictures.folder_of(scan).exists()


def test_a_clip_that_cannot_be_read_any_more_has_claps_without_pictures(scan):
    scan.clip.path.write_bytes(b"")
    assert pictures.save(scan, scan.clip.path, [clap(7)], still_ours=lambda: None) == {}


def test_the_source_is_not_touched(scan):
    before = scan.clip.path.read_bytes(), scan.clip.path.stat().st_mtime_ns
    pictures.save(scan, scan.clip.path, [clap(7)], still_ours=lambda: None)
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

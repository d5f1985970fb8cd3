"""The browser's copy of a clip: the same frames at the same times, playable and seekable."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from tests.nasty_media import beep_seconds, flip_bits, read_number, render
from training.footage.footage import Footage, FootageError, Limits, make_proxy, playable_in_browser, probe

NTSC_24 = Fraction(24_000, 1001)
X264 = {"g": "24", "bf": "3"}


def shown(path):
    with Footage(path) as footage:
        return [(f.seconds, read_number(f.picture)) for f in footage.frames(0, footage.facts.frames - 1)]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("a.mov", {"codec": "prores_ks", "pixel_format": "yuv422p10le", "rate": NTSC_24}),
        ("a.mkv", {"options": X264, "rate": NTSC_24}),
        ("a.ts", {"options": X264, "times": [n + 10 for n in range(50)]}),
        ("a.mp4", {"options": X264, "times": [n if n < 20 else n + 15 for n in range(50)]}),
        ("a.avi", {"options": X264}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_frame_keeps_its_time(tmp_path, name, arguments):
    clip = render(tmp_path / name, frames=50, **arguments)
    calls = []
    make_proxy(clip, tmp_path / "proxy.mp4", progress=lambda done, total: calls.append((done, total)))
    facts = probe(tmp_path / "proxy.mp4")
    assert shown(tmp_path / "proxy.mp4") == shown(clip)
    assert playable_in_browser(facts)
    assert facts.start_offset == 0
    assert calls[-1] == (50, 50)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([name, "proxy.mp4"])


def test_large_rotated_pictures_come_upright_small_and_even(tmp_path):
    clip = render(tmp_path / "a.mov", frames=4, size=(1922, 1082), rotation=-90, pixel_format="yuv420p")
    make_proxy(clip, tmp_path / "proxy.mp4")
    with Footage(tmp_path / "proxy.mp4", longest_side=None) as proxy:
        assert (proxy.facts.width, proxy.facts.height) == (720, 1280)
        assert proxy.facts.rotation == 0
        picture = proxy.frame_at(3).picture
    assert read_number(np.rot90(picture)) == 3


def test_index_comes_first_and_seeking_is_quick(tmp_path):
    import av

    make_proxy(render(tmp_path / "a.mkv", frames=60), tmp_path / "proxy.mp4")
    content = (tmp_path / "proxy.mp4").read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")
    with av.open(str(tmp_path / "proxy.mp4")) as proxy:
        packets = [p for p in proxy.demux(video=0) if p.size]
    keys = [n for n, packet in enumerate(packets) if packet.is_keyframe]
    assert all(there - here <= 12 for here, there in pairwise([*keys, 60]))
    assert all(packet.pts == packet.dts for packet in packets)


@pytest.mark.parametrize(("offset", "expected"), [(0, [0, 1, 2]), (12, [0.5, 1.5])])
def test_sound_keeps_its_place_beside_the_picture(tmp_path, offset, expected):
    """Beeps at each full second of the file; the proxy's clock starts at the first frame."""
    clip = render(tmp_path / "a.mkv", frames=60, times=[n + offset for n in range(60)], sound=True)
    make_proxy(clip, tmp_path / "proxy.mp4")
    (stream,) = probe(tmp_path / "proxy.mp4").audio
    assert (stream.codec, stream.channels) == ("aac", 2)
    assert beep_seconds(tmp_path / "proxy.mp4") == pytest.approx(expected, abs=0.003)


def test_damaged_clips_get_a_proxy_of_what_is_readable(tmp_path):
    clip = render(tmp_path / "a.mp4", frames=96, muxer_options={"movflags": "+faststart"}, options=X264)
    make_proxy(flip_bits(clip, 1), tmp_path / "proxy.mp4")
    times = {seconds for seconds, _ in shown(tmp_path / "proxy.mp4")}
    assert times <= {Fraction(n, 24) for n in range(96)}
    assert len(times) > 50


def test_a_failed_proxy_leaves_nothing(tmp_path):
    (tmp_path / "a.mov").write_bytes(b"\x00\x00\x00\x20ftypqt  " + bytes(range(256)) * 20)
    with pytest.raises(FootageError):
        make_proxy(tmp_path / "a.mov", tmp_path / "proxy.mp4")
    assert [p.name for p in tmp_path.iterdir()] == ["a.mov"]


def test_a_proxy_that_outgrows_its_room(tmp_path):
    clip = render(tmp_path / "a.mkv", frames=48)
    with pytest.raises(FootageError, match="no room") as refused:
        make_proxy(clip, tmp_path / "proxy.mp4", limits=Limits(written_bytes=2000))
    assert refused.value.kind == "no_space"
    assert [p.name for p in tmp_path.iterdir()] == ["a.mkv"]


@pytest.mark.parametrize(
    ("name", "arguments", "playable"),
    [
        ("a.mp4", {"options": X264, "sound": True}, True),
        ("a.mov", {"options": X264}, True),
        ("a.mp4", {"options": X264, "rotation": 90}, True),
        ("a.webm", {"codec": "libvpx", "options": {"deadline": "realtime", "cpu-used": "8"}}, True),
        ("a.mkv", {"options": X264}, False),
        ("a.mp4", {"pixel_format": "yuv422p"}, False),
        ("a.mp4", {"pixel_format": "yuv420p10le"}, False),
        ("a.mov", {"codec": "mjpeg", "pixel_format": "yuvj420p"}, False),
        ("a.mp4", {"options": X264, "sound": True, "times": [n + 12 for n in range(24)]}, False),
    ],
)
def test_what_a_browser_plays_itself(tmp_path, name, arguments, playable):
    assert playable_in_browser(probe(render(tmp_path / name, frames=24, **arguments))) is playable

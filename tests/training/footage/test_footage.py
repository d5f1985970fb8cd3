"""Facts and frames of clips: every frame carries its number in its pixels."""

import hashlib
import itertools
import json
from fractions import Fraction

import numpy as np
import pytest

from tests.nasty_media import cut_by_edit_list, read_number, render, sound_only
from training.footage.footage import ClipFacts, Footage, FootageError, Frame, playable_in_browser, probe

NTSC_24, NTSC_30 = Fraction(24_000, 1001), Fraction(30_000, 1001)
LONG_GOP = {"g": "250", "bf": "3"}
OPEN_GOP = {"g": "24", "bf": "3", "x264-params": "open-gop=1:scenecut=0"}
X265 = {"x265-params": "log-level=none:keyint=24:open-gop=1"}

#: name -> (file name, render's arguments)
CLIPS = {
    "h264 gop 250": ("a.mp4", {"options": LONG_GOP}),
    "h264 gop 24": ("a.mov", {"options": {"g": "24"}}),
    "h264 open gop": ("a.ts", {"options": OPEN_GOP}),
    "h264 in mkv": ("a.mkv", {"options": LONG_GOP, "rate": NTSC_24}),
    "h264 in avi": ("a.avi", {"options": LONG_GOP}),
    "hevc 10 bit open gop": ("a.mp4", {"codec": "libx265", "pixel_format": "yuv420p10le", "options": X265}),
    "prores": ("a.mov", {"codec": "prores_ks", "pixel_format": "yuv422p10le"}),
    "mjpeg": ("a.avi", {"codec": "mjpeg", "pixel_format": "yuvj420p"}),
    "dnxhr in mxf": (
        "a.mxf",
        {"codec": "dnxhd", "pixel_format": "yuv422p", "options": {"profile": "dnxhr_lb"}},
    ),
    "mpeg2 in mxf": (
        "a.mxf",
        {"codec": "mpeg2video", "options": {"g": "12", "bf": "2"}, "rate": Fraction(25)},
    ),
    "vp9 in webm": ("a.webm", {"codec": "libvpx-vp9", "options": {"cpu-used": "8", "deadline": "realtime"}}),
}


@pytest.fixture(params=CLIPS.values(), ids=CLIPS.keys())
def clip(request, tmp_path):
    name, arguments = request.param
    return render(tmp_path / name, frames=80, **arguments)


def numbers(frames):
    """(number it claims, number in its pixels) of each frame."""
    return [(frame.number, read_number(frame.picture)) for frame in frames]


def same(first, last):
    return [(n, n) for n in range(first, last + 1)]


def test_every_frame_of_every_kind_of_file_by_its_number(clip):
    with Footage(clip) as footage:
        assert footage.facts.frames == 80
        assert not footage.facts.variable_rate
        assert numbers(footage.frames(0, 79)) == same(0, 79)
        assert numbers(footage.frames(23, 51)) == same(23, 51)
        assert numbers(footage.frames(75, 79)) == same(75, 79)
        for number in (79, 0, 47, 48, 13, 25):
            assert numbers([footage.frame_at(number)]) == same(number, number)
        assert not any(frame.damaged for frame in footage.frames(0, 79))
        assert footage.warnings == footage.facts.warnings


def test_sample_has_first_and_last_frame_and_about_one_a_second(clip):
    with Footage(clip) as footage:
        seen = numbers(footage.sample(Fraction(1)))
        times = [frame.seconds for frame in footage.sample(Fraction(1))]
        assert seen == numbers(footage.sample(Fraction(1)))
    assert [claimed for claimed, _ in seen] == [read for _, read in seen]
    assert seen[0][0] == 0
    assert seen[-1][0] == 79
    assert all(0 < later - earlier <= Fraction(4, 3) for earlier, later in itertools.pairwise(times))


@pytest.mark.parametrize("step", [Fraction(1, 100), Fraction(1, 2), Fraction(60)])
def test_steps_from_shorter_than_a_frame_to_longer_than_the_clip(tmp_path, step):
    clip = render(tmp_path / "a.mp4", frames=50, options={"g": "12"})
    with Footage(clip) as footage:
        seen = [frame.number for frame in footage.sample(step)]
    assert seen[0] == 0
    assert seen[-1] == 49
    assert len(seen) == {Fraction(1, 100): 50, Fraction(1, 2): 6, Fraction(60): 2}[step]


@pytest.mark.parametrize(
    ("name", "rate"),
    [
        ("a.mov", NTSC_24),
        ("a.mkv", NTSC_24),
        ("a.mkv", Fraction(24)),
        ("a.ts", NTSC_30),
        ("a.mp4", Fraction(48)),
        ("a.mov", Fraction(18)),
    ],
)
def test_rates_are_exact(tmp_path, name, rate):
    facts = probe(render(tmp_path / name, rate=rate, frames=30))
    assert facts.rate == rate
    assert not facts.variable_rate
    assert abs(facts.duration - 30 / rate) <= Fraction(1, 500)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_dropped_frames_make_the_rate_vary_and_keep_the_times(tmp_path, name):
    times = [n if n < 40 else n + 20 for n in range(100)]
    with Footage(render(tmp_path / name, frames=100, times=times)) as footage:
        frames = list(footage.frames(38, 41))
        assert numbers(frames) == same(38, 41)
        assert [round(frame.seconds * 24) for frame in frames] == [38, 39, 60, 61]
        assert footage.facts.rate == 24
        assert footage.facts.variable_rate
        assert any("varies" in warning for warning in footage.warnings)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_picture_that_starts_after_the_sound(tmp_path, name):
    clip = render(tmp_path / name, times=[n + 12 for n in range(60)], sound=True)
    with Footage(clip) as footage:
        assert abs(footage.facts.start_offset - Fraction(1, 2)) < Fraction(1, 50)
        assert any("starts" in warning for warning in footage.warnings)
        assert footage.frame_at(0).seconds == 0
        assert abs(footage.frame_at(24).seconds - 1) <= Fraction(1, 1000)
        assert numbers(footage.frames(0, 59)) == same(0, 59)


def test_edit_list_hides_frames_and_numbers_count_what_is_shown(tmp_path):
    clip = cut_by_edit_list(render(tmp_path / "a.mp4", frames=96, options={"g": "24", "bf": "3"}), 30)
    with Footage(clip) as footage:
        shown = numbers(footage.frames(0, footage.facts.frames - 1))
        assert shown == [(n, n + 30) for n in range(66)]
        assert numbers([footage.frame_at(20)]) == [(20, 50)]
        assert footage.frame_at(0).seconds == 0
        assert footage.facts.edited
        assert not playable_in_browser(footage.facts)
        assert any("edit list" in warning for warning in footage.warnings)
        assert not any("ends early" in warning for warning in footage.warnings)


@pytest.mark.parametrize(("rotation", "turns"), [(90, 1), (180, 2), (-90, 3)])
def test_rotated_pictures_come_as_shown(tmp_path, rotation, turns):
    with Footage(render(tmp_path / "a.mp4", frames=20, rotation=rotation)) as footage:
        facts, frame = footage.facts, footage.frame_at(13)
    assert (facts.width, facts.height) == ((180, 320) if turns % 2 else (320, 180))
    assert facts.rotation == -turns * 90 % 360
    assert frame.picture.shape == (facts.height, facts.width, 3)
    assert read_number(np.rot90(frame.picture, -turns)) == 13
    corner = np.rot90(frame.picture, -turns)[10, 10]
    assert corner[0] > 180
    assert corner[1] < 90


@pytest.mark.parametrize(("aspect", "shown"), [(Fraction(2), (640, 180)), (Fraction(1, 2), (320, 360))])
def test_pixels_come_square(tmp_path, aspect, shown):
    with Footage(render(tmp_path / "a.mp4", frames=3, pixel_aspect=aspect), longest_side=None) as footage:
        assert (footage.facts.width, footage.facts.height) == shown
        assert footage.frame_at(1).picture.shape == (shown[1], shown[0], 3)


def test_pictures_are_scaled_down_and_never_up(tmp_path):
    clip = render(tmp_path / "a.mp4", frames=3)
    with Footage(clip, longest_side=160) as footage:
        assert footage.frame_at(0).picture.shape == (90, 160, 3)
        assert footage.frame_at(0, longest_side=100).picture.shape == (56, 100, 3)
        assert footage.frame_at(0, longest_side=5000).picture.shape == (180, 320, 3)


def test_colours_are_those_of_the_file(tmp_path):
    bt709 = {"colorspace": 1, "color_primaries": 1, "color_trc": 1, "color_range": 1}
    with Footage(render(tmp_path / "a.mp4", frames=2, colors=bt709)) as footage:
        assert footage.facts.color == {
            "primaries": "bt709",
            "transfer": "bt709",
            "space": "bt709",
            "range": "limited",
        }


@pytest.mark.parametrize(
    ("name", "rate", "timecode", "expected", "drop_frame"),
    [
        ("a.mov", NTSC_24, "01:00:00:00", "01:00:00:00", False),
        ("a.mp4", NTSC_30, "00:00:59;20", "00:00:59;20", True),
        ("a.mov", NTSC_30, "10:00:00:00", "10:00:00:00", False),
        ("a.mov", NTSC_30 * 2, "00:59:59;50", "00:59:59;50", True),
        ("a.mov", Fraction(25), "23:59:59:24", "23:59:59:24", False),
        ("a.mkv", Fraction(25), "09:08:07:06", "09:08:07:06", False),
        ("a.mkv", Fraction(25), "99:99:99:99", None, False),
        ("a.mkv", NTSC_30, "00:01:00;00", None, False),
        ("a.mkv", Fraction(24), "00:00:01;00", None, False),
    ],
)
def test_start_timecode(tmp_path, name, rate, timecode, expected, drop_frame):
    facts = probe(render(tmp_path / name, rate=rate, frames=5, metadata={"timecode": timecode}))
    assert (facts.start_timecode, facts.drop_frame) == (expected, drop_frame)
    assert any("makes no sense" in warning for warning in facts.warnings) == (expected is None)


def test_timecode_of_an_mxf(tmp_path):
    clip = render(
        tmp_path / "a.mxf", codec="mpeg2video", rate=NTSC_30, frames=5, metadata={"timecode": "00:00:59;20"}
    )
    assert probe(clip).start_timecode == "00:00:59;20"


def test_audio_streams(tmp_path):
    silent = probe(render(tmp_path / "a.mp4", frames=5))
    assert silent.audio == ()
    assert "The clip has no sound." in silent.warnings
    (stream,) = probe(render(tmp_path / "b.mp4", frames=24, sound=True)).audio
    assert (stream.codec, stream.sample_rate, stream.channels) == ("aac", 48_000, 2)


def test_sound_alone_is_no_clip(tmp_path):
    with pytest.raises(FootageError, match=r"^The file has sound but no picture\.$") as refused:
        probe(sound_only(tmp_path / "a.m4a"))
    assert refused.value.kind == "no_picture"


def test_a_clip_of_one_frame(tmp_path):
    with Footage(render(tmp_path / "a.mp4", frames=1)) as footage:
        assert footage.facts.duration == Fraction(1, 24)
        assert numbers(footage.sample(Fraction(1))) == [(0, 0)]


def test_facts_survive_json(tmp_path):
    facts = probe(render(tmp_path / "a.mov", rate=NTSC_24, frames=24, sound=True))
    assert ClipFacts.from_json(json.loads(json.dumps(facts.to_json()))) == facts


def test_the_file_is_never_written_to(tmp_path):
    clip = render(tmp_path / "a.mov", frames=10)
    clip.chmod(0o444)
    before = hashlib.sha256(clip.read_bytes()).digest(), clip.stat().st_mtime_ns
    with Footage(clip) as footage:
        list(footage.sample(Fraction(1, 10)))
    assert (hashlib.sha256(clip.read_bytes()).digest(), clip.stat().st_mtime_ns) == before
    assert [path.name for path in tmp_path.iterdir()] == ["a.mov"]


def test_a_new_iterator_ends_the_one_before(tmp_path):
    with Footage(render(tmp_path / "a.mp4", frames=60, options={"g": "12"})) as footage:
        abandoned = footage.frames(0, 59)
        assert next(abandoned).number == 0
        assert numbers(footage.frames(30, 33)) == same(30, 33)
        with pytest.raises(RuntimeError):
            next(abandoned)
        assert numbers(itertools.islice(footage.frames(5, 50), 3)) == same(5, 7)
        assert numbers([footage.frame_at(40)]) == same(40, 40)


def test_numbers_outside_the_clip(tmp_path):
    with Footage(render(tmp_path / "a.mp4", frames=5)) as footage:
        for first, last in ((-1, 2), (0, 5), (3, 2)):
            with pytest.raises(IndexError):
                list(footage.frames(first, last))
        with pytest.raises(IndexError):
            footage.frame_at(5)
        with pytest.raises(ValueError, match="step"):
            footage.sample(Fraction(0))


def test_frames_are_rgb_arrays(tmp_path):
    with Footage(render(tmp_path / "a.mp4", frames=2)) as footage:
        frame = footage.frame_at(1)
    assert isinstance(frame, Frame)
    assert frame.picture.dtype == np.uint8
    assert frame.picture.flags.c_contiguous
    assert frame.seconds == Fraction(1, 24)

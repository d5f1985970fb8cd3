"""The sound of a clip through the fence: every sample where it belongs beside the picture."""

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from tests.nasty_media import cut_by_edit_list, punch_hole, render
from tests.training.clicking import Track, make_clip, samples_of
from training.footage.footage import Footage
from training.sound.blocks import SoundBlock


def heard(path: Path, stream: int | None = None) -> list[SoundBlock]:
    with Footage(path) as footage:
        return list(footage.sound(stream))


def joined(blocks: list[SoundBlock]) -> tuple[int, np.ndarray]:
    """The first sample's number and all samples of blocks without gaps."""
    assert all(a.end == b.first for a, b in pairwise(blocks))
    return blocks[0].first, np.concatenate([block.samples for block in blocks], axis=1)


def lag(blocks: list[SoundBlock], track: Track, channel: int = 0) -> int:
    """By how many samples the sound comes later than it was written."""
    first, samples = joined(blocks)
    at = track.clicks[0] - first
    window = samples[channel, at - 4000 : at + 4000]
    written = samples_of(track)[channel, track.clicks[0] - 4000 : track.clicks[0] + 4000]
    return int(np.argmax(np.correlate(window, written, "same"))) - 4000


FILES = [
    ("a.mov", Track()),
    ("a.mp4", Track(rate=44_100)),
    ("a.mp4", Track(rate=96_000)),
    ("a.mov", Track(codec="pcm_s16le")),
    ("a.mov", Track(codec="pcm_s24le", rate=96_000, channels=2, channel=1)),
    ("a.mkv", Track(codec="pcm_f32le", rate=44_100)),
    ("a.mkv", Track(codec="flac", channels=6, channel=4)),
    ("a.mov", Track(channels=2, channel=1)),
]


@pytest.mark.parametrize(("name", "track"), FILES)
def test_every_sample_is_where_it_was_written(tmp_path: Path, name: str, track: Track) -> None:
    blocks = heard(make_clip(tmp_path / name, track))
    assert {(block.sample_rate, block.samples.shape[0]) for block in blocks} == {(track.rate, track.channels)}
    assert all(block.samples.dtype == np.float32 for block in blocks)
    assert lag(blocks, track, track.channel) == 0
    first, samples = joined(blocks)
    assert first == 0 and abs(samples.shape[1] - 2 * track.rate) < 2048
    assert np.abs(samples).max() == pytest.approx(0.8, abs=0.02 if "pcm" in track.codec else 0.7)


@pytest.mark.parametrize("name", ["a.mkv", "a.ts"])
def test_clocks_coarser_than_a_sample_cost_less_than_a_millisecond(tmp_path: Path, name: str) -> None:
    track = Track()
    assert abs(lag(heard(make_clip(tmp_path / name, track)), track)) < 48


@pytest.mark.parametrize("name", ["a.mov", "a.mkv"])
def test_sound_before_the_first_frame_has_negative_numbers(tmp_path: Path, name: str) -> None:
    track = Track(codec="pcm_s16le")
    first, samples = joined(heard(make_clip(tmp_path / name, track, first_frame=12)))
    assert abs(first + 24_000) < 48
    onset = first + int(np.argmax(np.abs(samples[0]) > 0.3))
    assert abs(onset) < 48


def test_an_edit_list_of_the_picture_leaves_the_sound_where_a_player_has_it(tmp_path: Path) -> None:
    plain = render(tmp_path / "a.mp4", frames=72, sound=True, options={"bf": "0", "g": "12"})
    with Footage(plain) as footage:
        before = _beeps(list(footage.sound()))
    with Footage(cut_by_edit_list(plain, 12)) as footage:
        assert footage.facts.frames < 72
        after = _beeps(list(footage.sound()))
    assert before[0] == pytest.approx(0, abs=50)
    assert after == before


def _beeps(blocks: list[SoundBlock]) -> list[int]:
    first, samples = joined(blocks)
    loud = first + np.nonzero(np.abs(samples[0]) > 0.3)[0]
    return [int(n) for n in loud[np.diff(loud, prepend=-(10**6)) > 4800]]


def test_several_streams_come_with_their_own_rates(tmp_path: Path) -> None:
    tracks = [Track(), Track(clicks=(11_025,), rate=44_100, codec="pcm_s16le", channels=2)]
    clip = make_clip(tmp_path / "a.mov", *tracks)
    both = heard(clip)
    for index, track in enumerate(tracks, 1):
        mine = [block for block in both if block.stream == index]
        assert lag(mine, track) == 0
        alone = heard(clip, index)
        assert [(block.first, block.samples.shape) for block in alone] == [
            (block.first, block.samples.shape) for block in mine
        ]


def test_a_clip_without_sound_gives_nothing(tmp_path: Path) -> None:
    assert heard(make_clip(tmp_path / "a.mov")) == []


def test_a_stream_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(IndexError, match="stream 0 is none"):
        heard(make_clip(tmp_path / "a.mov", Track()), 0)


def test_pictures_and_sound_take_turns(tmp_path: Path) -> None:
    with Footage(make_clip(tmp_path / "a.mov", Track(seconds=8), frames=192)) as footage:
        blocks = footage.sound()
        first = next(blocks)
        assert [frame.number for frame in footage.frames(3, 5)] == [3, 4, 5]
        with pytest.raises(RuntimeError, match="another iterator"):
            list(blocks)
        again = next(footage.sound())
        assert (again.first, again.samples.tobytes()) == (first.first, first.samples.tobytes())
        assert footage.frame_at(7).number == 7


def test_blocks_are_small_and_know_their_time(tmp_path: Path) -> None:
    blocks = heard(make_clip(tmp_path / "a.mov", Track(seconds=5), frames=120))
    assert max(block.samples.shape[1] for block in blocks) <= (1 << 15) + 4096
    assert blocks[1].seconds == Fraction(blocks[0].end, 48_000)


def test_damaged_sound_is_a_gap_and_no_failure(tmp_path: Path) -> None:
    blocks = heard(punch_hole(make_clip(tmp_path / "a.mov", Track(seconds=4), frames=96), 0.5))
    assert all(a.end <= b.first for a, b in pairwise(blocks))
    assert blocks[-1].end == pytest.approx(4 * 48_000, abs=2048)

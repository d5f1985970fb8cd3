"""Damaged footage: what is readable comes, what is not is said, nothing hangs."""

from fractions import Fraction

import numpy as np
import pytest

from tests.nasty_media import flip_bits, punch_hole, read_number, render, truncate
from training.footage.footage import Footage, FootageError, probe

INDEX_FIRST = {"movflags": "+faststart"}


def honest(frames):
    """Every frame that is not marked as damaged shows its own number."""
    return [(f.number, read_number(f.picture)) for f in frames if not f.damaged]


def read_all(footage):
    return list(footage.frames(0, footage.facts.frames - 1))


def test_a_file_without_its_index_is_broken(tmp_path):
    with pytest.raises(FootageError, match="not written to its end") as refused:
        probe(truncate(render(tmp_path / "a.mp4"), 0.6))
    assert refused.value.kind == "broken"


@pytest.mark.parametrize(
    "codec", [{"options": {"g": "12"}}, {"codec": "mjpeg", "pixel_format": "yuvj420p"}], ids=["h264", "mjpeg"]
)
def test_a_cut_tail_keeps_what_is_there(tmp_path, codec):
    clip = render(tmp_path / "a.mov", frames=60, muxer_options=INDEX_FIRST, **codec)
    with Footage(truncate(clip, 0.8)) as footage:
        count = footage.facts.frames
        assert 20 < count < 60
        assert f"The file ends early: {count} of 60 frames could be read." in footage.warnings
        frames = read_all(footage)
        assert len(frames) >= count - 2
        assert all(claimed == read for claimed, read in honest(frames))
        last = frames[-1].number
        assert [f.number for f in footage.sample(Fraction(1))][-1] == last


@pytest.mark.parametrize("name", ["a.mkv", "a.ts"])
def test_a_cut_tail_of_a_stream(tmp_path, name):
    clip = render(tmp_path / name, frames=96, options={"g": "12", "bf": "0"})
    with Footage(truncate(clip, 0.6)) as footage:
        frames = read_all(footage)
        assert 30 < len(frames) < 96
        assert all(claimed == read for claimed, read in honest(frames))
        assert any("ends early" in warning for warning in footage.warnings) == (name == "a.mkv")


@pytest.mark.parametrize("seed", range(4))
def test_flipped_bits_are_never_shown_as_whole_pictures(tmp_path, seed):
    clip = render(tmp_path / "a.mp4", frames=96, muxer_options=INDEX_FIRST, options={"g": "24"})
    with Footage(flip_bits(clip, seed)) as footage:
        frames = read_all(footage)
        whole = honest(frames)
        assert whole
        assert len(whole) < 96
        assert all(claimed == read for claimed, read in whole)
        assert [f.number for f in frames] == sorted({f.number for f in frames})
        assert any("damaged" in warning for warning in footage.warnings)


@pytest.mark.parametrize("name", ["a.mp4", "a.ts", "a.mov"])
def test_reading_goes_on_behind_a_hole(tmp_path, name):
    codec = {"codec": "mjpeg", "pixel_format": "yuvj420p"} if name == "a.mov" else {"options": {"g": "12"}}
    muxer = INDEX_FIRST if name == "a.mp4" else {}
    clip = punch_hole(render(tmp_path / name, frames=120, muxer_options=muxer, **codec), 0.5)
    with Footage(clip) as footage:
        whole = honest(read_all(footage))
        assert all(claimed == read for claimed, read in whole) or name == "a.ts"
        assert whole[0] == (0, 0)
        assert whole[-1][1] == 119
        assert len(whole) < 120


def test_the_same_frames_on_every_run_even_of_a_damaged_file(tmp_path):
    clip = render(tmp_path / "a.mp4", frames=96, muxer_options=INDEX_FIRST, options={"g": "24"})
    flip_bits(clip, 7)
    runs = []
    for _ in range(2):
        with Footage(clip) as footage:
            runs.append([*footage.sample(Fraction(1, 2)), *read_all(footage)])
    assert [(f.number, f.damaged) for f in runs[0]] == [(f.number, f.damaged) for f in runs[1]]
    assert all(np.array_equal(a.picture, b.picture) for a, b in zip(*runs, strict=True))


def test_no_picture_at_all(tmp_path):
    clip = render(tmp_path / "a.mp4", frames=48, muxer_options=INDEX_FIRST, options={"g": "12"})
    content = bytearray(clip.read_bytes())
    first = content.index(b"mdat") + 4
    content[first:] = bytes(len(content) - first)
    clip.write_bytes(content)
    with pytest.raises(FootageError, match="No picture") as refused:
        probe(clip)
    assert refused.value.kind == "broken"


def test_a_header_that_was_scribbled_on_is_read_or_refused(tmp_path):
    """Any outcome but a crash, a hang or a silent loss."""
    clip = render(tmp_path / "a.mp4", frames=24, muxer_options=INDEX_FIRST)
    content = clip.read_bytes()
    rng = np.random.default_rng(3)
    for _ in range(6):
        scribbled = bytearray(content)
        for at in rng.integers(8, content.index(b"mdat"), 3):
            scribbled[at] = rng.integers(256)
        clip.write_bytes(scribbled)
        try:
            with Footage(clip) as footage:
                frames = read_all(footage)
                assert len(frames) == 24 or footage.warnings != ("The clip has no sound.",)
        except FootageError as refused:
            assert str(refused).endswith(".")

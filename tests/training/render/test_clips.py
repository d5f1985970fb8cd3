"""Rendered clips: what their files hold is what their truth says."""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import pairwise

import av
import numpy as np
import pytest

from training.render.__main__ import main
from training.render.clips import ClipSpec, render_clip
from training.render.long import render_long
from training.render.motion import KINDS, LAST_OPEN, SHUTTER, choose_script, clap_frame
from training.render.scenes import Backgrounds
from training.render.shots import choose_shot
from training.render.sound import Sound
from training.slates import State

SMALL = (160, 90)
RATES = [
    Fraction(24000, 1001),
    Fraction(24),
    Fraction(25),
    Fraction(30000, 1001),
    Fraction(50),
    Fraction(60000, 1001),
]


def shot_of(kind, *, seed=1, rate=Fraction(24), seconds=6.0, clean=True):
    return choose_shot(
        kind, rate=rate, size=SMALL, seconds=seconds, seed=seed, backgrounds=Backgrounds(), clean=clean
    )


def states_of(shot):
    truths = [shot.truth(number) for number in range(shot.frames)]
    return [truth and truth.state for truth in truths]


def first_closed(states):
    pairs = enumerate(pairwise(states), start=1)
    return [number for number, pair in pairs if pair == (State.OPEN, State.CLOSED)]


@pytest.mark.parametrize("rate", RATES, ids=str)
@pytest.mark.parametrize(
    "kind", ["head", "tail", "second_sticks", "late", "slate_in_frame_0", "closed_then_opened"]
)
def test_claps_are_the_first_closed_frames(kind, rate):
    shot = shot_of(kind, seed=RATES.index(rate), rate=rate, seconds=4.0)
    assert first_closed(states_of(shot)) == list(shot.claps)
    assert len(shot.claps) == (2 if kind == "second_sticks" else 1)


@pytest.mark.parametrize("rate", RATES, ids=str)
def test_the_last_open_frame_is_visibly_open(rate):
    for seed in range(40):
        script = choose_script("head", 6.0, rate, np.random.default_rng(seed))
        contact = script.closings[0].contact
        frame = clap_frame(contact, rate)
        middle = [(number + SHUTTER / 2) / float(rate) for number in (frame - 1, frame)]
        assert script.angle(middle[0]) >= LAST_OPEN
        assert contact <= middle[1]
        assert abs(contact * float(rate) - frame) <= 0.5


@pytest.mark.parametrize("kind", ["mos", "no_slate", "cut_off"])
def test_kinds_without_a_clap(kind):
    shot = shot_of(kind)
    assert shot.claps == shot.contacts == ()
    assert (
        set(states_of(shot))
        == {
            "mos": {None, State.CLOSED},
            "no_slate": {None},
            "cut_off": {None, State.OPEN},
        }[kind]
    )


def test_a_tail_slate_comes_upside_down_at_the_end():
    shot = shot_of("tail", seconds=9.0)
    truths = [shot.truth(number) for number in range(shot.frames)]
    numbers = [number for number, truth in enumerate(truths) if truth]
    assert truths[numbers[0]].upside_down
    assert numbers[0] > shot.frames / 2


def test_a_slate_in_frame_0_is_there():
    assert shot_of("slate_in_frame_0").truth(0) is not None


def test_a_closed_slate_is_opened_first():
    states = [state for state in states_of(shot_of("closed_then_opened")) if state]
    assert states[0] is State.CLOSED
    assert State.OPEN in states


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="head"):
        choose_script("wrong", 6.0, Fraction(24), np.random.default_rng(0))


def test_frames_can_be_drawn_in_any_order():
    shot, again = shot_of("head"), shot_of("head")
    late = shot.frame(shot.claps[0])[0]
    again.frame(3)
    assert np.array_equal(late, again.frame(shot.claps[0])[0])


@pytest.mark.parametrize(
    ("rate", "start"),
    [(Fraction(24000, 1001), "01:00:00:00"), (Fraction(30000, 1001), "00:59:58;12")],
    ids=str,
)
def test_the_file_holds_what_the_truth_says(tmp_path, rate, start):
    path = tmp_path / "clip.mov"
    truth = render_clip(ClipSpec("head", rate, SMALL, 2.5, start_timecode=start, seed=4), path)
    with av.open(str(path)) as clip:
        video = clip.streams.video[0]
        assert video.average_rate == rate
        assert video.metadata["timecode"] == start
        times = [frame.pts * frame.time_base for frame in clip.decode(video)]
    assert len(times) == truth.frames == len(truth.slates) == round(2.5 * rate)
    assert times == [number / rate for number in range(truth.frames)]


def test_the_clap_is_heard_where_it_is_seen(tmp_path):
    path = tmp_path / "clip.mov"
    truth = render_clip(ClipSpec("second_sticks", Fraction(24), SMALL, 4, seed=5), path)
    with av.open(str(path)) as clip:
        sound = np.concatenate([frame.to_ndarray()[0] for frame in clip.decode(audio=0)])
    assert len(truth.claps) == len(truth.clap_samples) == 2
    for frame, sample in zip(truth.claps, truth.clap_samples, strict=True):
        assert abs(sample / truth.sample_rate * truth.rate - frame) <= Fraction(1, 2)
        before, after = sound[sample - 2000 : sample - 300], sound[sample : sample + 1000]
        assert np.abs(after).max() > 2 * np.abs(before).max()


def test_a_clip_without_sound_has_no_sound_stream(tmp_path):
    path = tmp_path / "clip.mp4"
    render_clip(ClipSpec("mos", Fraction(25), SMALL, 1, audio=False), path)
    with av.open(str(path)) as clip:
        assert not clip.streams.audio


def test_the_same_clip_has_the_same_bytes(tmp_path):
    spec = ClipSpec("tail", Fraction(25), SMALL, 2, seed=6, start_timecode="10:00:00:00")
    for name in ("a.mov", "b.mov"):
        render_clip(spec, tmp_path / name)
    assert (tmp_path / "a.mov").read_bytes() == (tmp_path / "b.mov").read_bytes()


def test_a_long_clip_has_two_slates(tmp_path):
    spec = ClipSpec(rate=Fraction(12), size=SMALL, seconds=20, seed=2)
    truth = render_long(spec, tmp_path / "long.mov")
    assert truth.frames == 240
    assert first_closed([slate and slate.state for slate in truth.slates]) == truth.claps
    assert len(truth.claps) == 2
    with av.open(str(tmp_path / "long.mov")) as clip:
        assert sum(1 for _ in clip.decode(video=0)) == 240


def test_the_command_writes_a_clip_and_its_truth(tmp_path):
    options = "--kind head --seed 3 --rate 24000/1001 --size 160x90 --seconds 2 --start-timecode 01:00:00:00"
    main(["clips", "--out", str(tmp_path), *options.split(), "--no-sound"])
    truth = json.loads((tmp_path / "head-0003.truth.json").read_text())
    assert truth["rate"] == "24000/1001"
    assert truth["slates"][truth["claps"][0]]["state"] == "closed"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["head-0003.mov", "head-0003.truth.json"]


def test_every_kind_is_known_to_the_scripts():
    for kind in KINDS:
        script = choose_script(kind, 6.0, Fraction(24), np.random.default_rng(0))
        assert (script is None) == (kind == "no_slate")


def test_a_turned_tail_slate_is_upright_before_it_closes():
    for seed in range(5):
        script = choose_script("tail_turned", 6.0, Fraction(24), np.random.default_rng(seed))
        assert script.tail and script.comes < script.turned < script.closings[0].contact - 0.5


def test_soft_sticks_are_quiet_and_a_busy_set_is_not():
    plain, soft, busy = (Sound((24_000,), 1, **kind) for kind in ({}, {"soft": True}, {"busy": True}))
    clap = slice(24_000, 24_100)
    assert np.abs(soft.second(0)[clap]).max() < 0.2 * np.abs(plain.second(0)[clap]).max()
    assert np.array_equal(plain.second(1), soft.second(1))
    assert max(np.abs(busy.second(n)).max() for n in range(1, 9)) > 0.1

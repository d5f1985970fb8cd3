"""Picture and sound joined: who is believed about what, and what is said when they disagree."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training.claps.test_claps import sightings
from training.claps.claps import Verdict, read_claps
from training.claps.fusion import Frames, Fused, fuse
from training.sound.transients import Hearing, Transient

RATE = Fraction(24)
SR = 48_000
LINE = "-" * 20 + "o" * 30 + "c" * 30 + "-" * 40  # the clap is frame 50
INTERVAL = (49.25 / 24, 50.25 / 24)  # contact lies between these seconds


def sound(seconds: float, confidence: float = 0.95) -> Transient:
    return Transient(round(seconds * SR), SR, 30.0, confidence, 1, 0)


def hearing(*transients: Transient, until: float = 60.0) -> Hearing:
    return Hearing(transients, peak=0.5, spans=((Fraction(0), Fraction(until)),))


def join(line: str, heard: Hearing, *, rate: Fraction = RATE) -> Fused:
    seen = sightings(line)
    reading = read_claps(seen, rate=rate)
    return fuse(reading, heard, seen, Frames({}, rate, len(line) - 1))


def test_sound_before_the_sticks_meet_is_for_a_person() -> None:
    fused = join(LINE, hearing(sound(INTERVAL[0] - 0.030)))
    (clap,) = fused.reading.claps
    assert (clap.frame, clap.disagreement_ms) == (50, -30.0)
    assert clap.confidence == clap.picture_confidence
    assert fused.reading.verdict is Verdict.LOOK
    assert fused.reading.reason.endswith("but the sound comes 30 ms before the sticks are seen shut")


@pytest.mark.parametrize(
    ("seconds", "disagreement"),
    [
        (2.06, 0.0),
        (INTERVAL[0] + 1e-4, 0.0),
        (INTERVAL[1] - 1e-4, 0.0),
        (INTERVAL[1] + 0.020, 20.0),
        (INTERVAL[0] - 0.004, -4.0),
        (INTERVAL[1] + 2 / 24 - 1e-3, 82.33),
    ],
)
def test_sound_near_the_picture_agrees_and_says_when(seconds: float, disagreement: float) -> None:
    fused = join(LINE, hearing(sound(seconds)))
    (clap,) = fused.reading.claps
    assert (clap.frame, fused.reading.verdict) == (50, Verdict.SURE)
    assert (clap.sample, clap.sample_rate, clap.sound_confidence) == (round(seconds * SR), SR, 0.95)
    assert clap.disagreement_ms == pytest.approx(disagreement, abs=0.05)
    assert fused.av_offset_ms == clap.disagreement_ms
    assert clap.picture_confidence is not None and clap.confidence > clap.picture_confidence


@pytest.mark.parametrize(
    ("late", "words"), [(0.2, "the sound comes 200 ms after"), (-0.25, "the sound comes 250 ms before")]
)
def test_sound_apart_from_the_picture_needs_a_look_and_says_by_how_much(late: float, words: str) -> None:
    fused = join(LINE, hearing(sound((INTERVAL[1] if late > 0 else INTERVAL[0]) + late)))
    assert fused.reading.verdict is Verdict.LOOK
    assert words in fused.reading.reason
    assert fused.av_offset_ms == pytest.approx(late * 1000, abs=0.05)
    assert fused.reading.claps[0].frame == 50


NOT_HEARD = [
    hearing(),
    hearing(sound(2.06, confidence=0.08)),
    hearing(sound(3.5)),
    hearing(sound(INTERVAL[1] + 0.2, confidence=0.6)),
]


@pytest.mark.parametrize("heard", NOT_HEARD)
def test_seen_but_not_heard_needs_a_look(heard: Hearing) -> None:
    fused = join(LINE, heard)
    assert fused.reading.verdict is Verdict.LOOK
    assert "but no clap is heard there" in fused.reading.reason
    (clap,) = fused.reading.claps
    assert (clap.frame, clap.sample, clap.sound_confidence) == (50, None, 0.0)
    assert clap.picture_confidence is not None and clap.confidence < clap.picture_confidence


def test_several_sounds_apart_from_the_picture_say_nothing_about_the_offset() -> None:
    fused = join(LINE, hearing(sound(INTERVAL[1] + 0.2), sound(INTERVAL[1] + 0.3)))
    assert "several sounds near it" in fused.reading.reason
    assert fused.av_offset_ms is None


@pytest.mark.parametrize(
    "heard",
    [Hearing(), replace(hearing(sound(2.06)), peak=0.0), replace(hearing(), peak=0.0003)],
    ids=["no sound", "digital silence", "microphone off"],
)
def test_without_sound_the_picture_stands_alone(heard: Hearing) -> None:
    fused = join(LINE, heard)
    assert (fused.reading.verdict, fused.av_offset_ms) == (Verdict.SURE, None)
    (clap,) = fused.reading.claps
    assert (clap.sound_confidence, clap.sample, clap.picture_confidence) == (None, None, clap.confidence)


def test_sound_that_ends_before_the_clap_is_no_doubt() -> None:
    assert join(LINE, hearing(until=1.0)).reading.verdict is Verdict.SURE


def test_a_quiet_clap_is_heard_where_it_is_seen() -> None:
    assert join(LINE, hearing(sound(2.06, confidence=0.2))).reading.verdict is Verdict.SURE


def test_the_surest_of_several_sounds_at_the_clap_is_taken() -> None:
    (clap,) = join(LINE, hearing(sound(2.02, 0.4), sound(2.07, 0.9), sound(2.12, 0.5))).reading.claps
    assert clap.sample == round(2.07 * SR)


UNCLEAR = "-" * 20 + "o" * 30 + "???" + "c" * 30 + "-" * 40  # frames 50 to 52 tell nothing


@pytest.mark.parametrize("frame", [50, 51, 52, 53])
def test_sound_decides_among_frames_that_are_hard_to_tell_apart(frame: int) -> None:
    fused = join(UNCLEAR, hearing(sound((frame - 0.1) / 24)))
    (clap,) = fused.reading.claps
    assert clap.frame == frame
    assert clap.last_open < frame
    assert clap.disagreement_ms == 0
    assert fused.reading.verdict is Verdict.LOOK


@pytest.mark.parametrize("frame", [48, 49, 51, 52])
def test_sound_never_overrides_a_clear_picture(frame: int) -> None:
    assert join(LINE, hearing(sound((frame - 0.1) / 24))).reading.claps[0].frame == 50


def test_sound_far_outside_of_the_doubt_moves_nothing() -> None:
    plain = read_claps(sightings(UNCLEAR), rate=RATE).claps[0].frame
    assert join(UNCLEAR, hearing(sound(54.1 / 24))).reading.claps[0].frame == plain


def test_second_sticks_are_heard_one_by_one() -> None:
    line = "oooooooccccccooooooocccccc" + "-" * 9
    fused = join(line, hearing(sound(6.9 / 24)))
    first, second = fused.reading.claps
    assert (first.sample, second.sample) == (round(6.9 / 24 * SR), None)
    assert "but at frame 20 no clap is heard there" in fused.reading.reason
    both = join(line, hearing(sound(6.9 / 24), sound(20.5 / 24)))
    assert both.reading.verdict is Verdict.SURE
    assert both.av_offset_ms == pytest.approx(0.25 / 24 * 1000 / 2, abs=0.1)


NO_CLAP = [
    # line, what is heard, verdict, is a heard clap told
    ("-" * 100, [sound(2.0)], Verdict.LOOK, True),
    ("-" * 100, [sound(2.0, 0.85)], Verdict.NO_SLATE, False),
    ("-" * 100, [sound(1.0), sound(3.0)], Verdict.NO_SLATE, False),
    ("-" * 100, [sound(1.0), sound(3.0, 0.6)], Verdict.NO_SLATE, False),
    ("-" * 100, [sound(1.0), sound(3.0, 0.3)], Verdict.LOOK, True),
    ("-" * 20 + "c" * 40 + "-" * 60, [sound(1.5)], Verdict.LOOK, True),
    ("-" * 20 + "c" * 40 + "-" * 60, [sound(0.3)], Verdict.MOS, False),
    ("-" * 20 + "c" * 40 + "-" * 60, [sound(4.9)], Verdict.MOS, False),
    ("-" * 20 + "o" * 40 + "-" * 60, [sound(3.0)], Verdict.LOOK, True),
    ("-" * 20 + "o" * 40 + "-" * 60, [], Verdict.LOOK, False),
    ("-" * 20 + "o" * 40 + "-" * 60, [sound(0.2), sound(3.0), sound(5.0)], Verdict.LOOK, True),
]


@pytest.mark.parametrize(("line", "heard", "verdict", "told"), NO_CLAP)
def test_heard_but_not_seen(line: str, heard: list[Transient], verdict: Verdict, told: bool) -> None:
    fused = join(line, hearing(*heard))
    assert (fused.reading.verdict, bool(fused.heard)) == (verdict, told)
    assert ("is heard at" in fused.reading.reason) == told
    assert not fused.reading.claps


def test_the_reason_says_when_a_clap_is_heard() -> None:
    reason = join("-" * 100, hearing(sound(2.5))).reading.reason
    assert (
        reason
        == "no slate is seen in the whole clip, but a clap is heard at 0:02.500 (frame 60) that is not seen"
    )


def test_at_high_rates_sound_may_come_from_ten_metres_away() -> None:
    rate = Fraction(120)
    line = "-" * 60 + "o" * 60 + "c" * 90
    assert join(line, hearing(sound(120.25 / 120 + 0.03)), rate=rate).reading.verdict is Verdict.SURE


def test_frames_of_variable_rate_are_found_by_their_times() -> None:
    frames = Frames({0: Fraction(0), 1: Fraction(1, 10), 2: Fraction(1, 2), 3: Fraction(1)}, RATE, 3)
    assert [frames.shown_at(Fraction(n, 100)) for n in (0, 9, 10, 49, 50, 99, 100, 900)] == [
        0, 0, 1, 1, 2, 2, 3, 3,
    ]  # fmt: skip


times = st.lists(st.tuples(st.floats(0, 5), st.floats(0, 1)), max_size=6)


@settings(deadline=None)
@given(st.text(alphabet="--OOoooCCcccuda?f.", max_size=60), times)
def test_sound_adds_no_clap_loses_none_that_is_plain_and_never_makes_one_sure(
    line: str, heard: list[tuple[float, float]]
) -> None:
    plain = read_claps(sightings(line), rate=RATE)
    fused = join(line, hearing(*(sound(*one) for one in heard))).reading
    kept = [
        clap for clap in plain.claps if clap.confidence in {one.picture_confidence for one in fused.claps}
    ]
    assert len(fused.claps) == len(kept)
    assert all(clap.confidence < 0.5 for clap in plain.claps if clap not in kept)
    assert fused.verdict in (plain.verdict, Verdict.LOOK)
    for before, after in zip(kept, fused.claps, strict=True):
        assert after.last_open < after.frame
        assert 0 <= after.confidence <= 1
        if plain.verdict is Verdict.SURE:
            assert 0 <= after.frame - before.frame <= 1


#: Frame 50 shows the sticks almost shut: its middle is at 50.25 / 24 seconds, that of frame 51 at 51.25 / 24.
ALMOST = "-" * 20 + "o" * 30 + "a" + "c" * 29 + "-" * 40


@pytest.mark.parametrize(
    ("position", "frame", "verdict"),
    [
        (50.9, 51, Verdict.SURE),  # heard after almost shut sticks were exposed: they had not met
        (50.2, 50, Verdict.SURE),  # heard before: they had
        (50.35, 51, Verdict.LOOK),  # heard so soon after that a microphone some metres away explains it
        (51.5, 51, Verdict.LOOK),  # heard after both
        (48.9, 50, Verdict.LOOK),  # heard before either
    ],
)
def test_sound_tells_whether_almost_shut_sticks_have_met(
    position: float, frame: int, verdict: Verdict
) -> None:
    fused = join(ALMOST, hearing(sound(position / 24)))
    assert ([clap.frame for clap in fused.reading.claps], fused.reading.verdict) == ([frame], verdict)
    assert f"the slate closes at frame {frame}" in fused.reading.reason


@pytest.mark.parametrize("heard", [hearing(), Hearing((), peak=0.0, spans=())])
def test_without_a_clap_in_the_sound_almost_shut_sticks_need_a_look(heard: Hearing) -> None:
    fused = join(ALMOST, heard)
    (clap,) = fused.reading.claps
    assert (clap.frame, clap.last_open, fused.reading.verdict) == (51, 50, Verdict.LOOK)


def test_almost_shut_sticks_at_the_clips_end_stay_where_they_are() -> None:
    fused = join("-" * 20 + "o" * 30 + "ac", Hearing((), peak=0.0, spans=()))
    assert [clap.frame for clap in fused.reading.claps] == [50]


def test_a_doubtful_clap_that_should_be_heard_and_is_not_is_none() -> None:
    weak = "-" * 20 + "w" * 30 + "v" * 30 + "-" * 40
    fused = join(weak, hearing())
    assert (fused.reading.claps, fused.reading.verdict) == ((), Verdict.LOOK)
    assert fused.reading.reason.startswith("the sticks seem to close at frame 50")
    assert fused.reading.reason.endswith("no clap is heard there, so none is counted")
    assert [clap.frame for clap in join(weak, Hearing((), peak=0.0, spans=())).reading.claps] == [50]

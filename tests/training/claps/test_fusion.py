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
@given(st.text(alphabet="--OOoooCCcccud?f.", max_size=60), times)
def test_sound_adds_no_clap_loses_none_and_never_makes_one_sure(
    line: str, heard: list[tuple[float, float]]
) -> None:
    plain = read_claps(sightings(line), rate=RATE)
    fused = join(line, hearing(*(sound(*one) for one in heard))).reading
    assert len(fused.claps) == len(plain.claps)
    assert fused.verdict in (plain.verdict, Verdict.LOOK)
    for before, after in zip(plain.claps, fused.claps, strict=True):
        assert after.last_open < after.frame
        assert 0 <= after.confidence <= 1
        assert after.picture_confidence == before.confidence
        if plain.verdict is Verdict.SURE:
            assert (after.frame, after.last_open) == (before.frame, before.last_open)

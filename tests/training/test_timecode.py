"""Timecode against an oracle of its own: minutes counted one by one."""

from fractions import Fraction
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.timecode import TimecodeError, frame_count_of, timecode_at

NTSC_30, NTSC_60, NTSC_120 = (Fraction(n * 1000, 1001) for n in (30, 60, 120))
WHOLE = [Fraction(n) for n in (12, 15, 24, 25, 30, 48, 50, 60, 100, 120)]
NDF = [*WHOLE, *(Fraction(n * 1000, 1001) for n in (24, 30, 48, 60, 120)), Fraction(25, 2)]
DF = {NTSC_30: 2, NTSC_60: 4, NTSC_120: 8}


def minute_starts(per_second: int, dropped: int) -> list[int]:
    """The frame on which each minute of the day begins, and where the day ends."""
    lengths = [per_second * 60 - (dropped if minute % 10 else 0) for minute in range(24 * 60)]
    return list(accumulate(lengths, initial=0))


@pytest.mark.parametrize(("rate", "dropped"), DF.items(), ids=str)
def test_drop_frame_begins_every_minute_where_the_oracle_does(rate, dropped):
    starts = minute_starts(round(rate), dropped)
    for minute, start in enumerate(starts[:-1]):
        first_label = dropped if minute % 10 else 0
        label = f"{minute // 60:02d}:{minute % 60:02d}:00;{first_label:02d}"
        assert timecode_at(start, rate, None, True) == label
        assert frame_count_of(label, rate, True) == start


@pytest.mark.parametrize("rate", NDF, ids=str)
def test_without_dropping_a_second_has_the_rounded_rate_of_labels(rate):
    per_second = round(rate)
    for seconds, label in ((0, "00:00:00"), (59, "00:00:59"), (60, "00:01:00"), (36_000, "10:00:00")):
        for frame in (0, 1, per_second - 1):
            text = f"{label}:{frame:02d}"
            assert timecode_at(seconds * per_second + frame, rate, None, False) == text
            assert frame_count_of(text, rate, False) == seconds * per_second + frame


@pytest.mark.parametrize(
    ("rate", "start", "frame", "expected"),
    [
        (NTSC_30, "00:00:59;28", 1, "00:00:59;29"),
        (NTSC_30, "00:00:59;28", 2, "00:01:00;02"),
        (NTSC_30, "00:09:59;29", 1, "00:10:00;00"),
        (NTSC_30, "00:10:59;29", 1, "00:11:00;02"),
        (NTSC_30, "23:59:59;29", 1, "00:00:00;00"),
        (NTSC_60, "00:00:59;59", 1, "00:01:00;04"),
        (NTSC_60, "01:00:00;00", 3600, "01:01:00;04"),
        (NTSC_120, "00:00:59;119", 1, "00:01:00;08"),
    ],
)
def test_drop_frame_crossings(rate, start, frame, expected):
    assert timecode_at(frame, rate, start, True) == expected


@pytest.mark.parametrize(
    ("rate", "start", "frame", "expected"),
    [
        (Fraction(24_000, 1001), "01:00:00:00", 24, "01:00:01:00"),
        (Fraction(24_000, 1001), None, 0, "00:00:00:00"),
        (NTSC_30, "00:00:59:29", 1, "00:01:00:00"),
        (Fraction(25), "23:59:59:24", 1, "00:00:00:00"),
        (Fraction(24), "23:59:59:23", 24 * 86_400 + 1, "00:00:00:00"),
        (Fraction(120), "00:00:00:119", 1, "00:00:01:00"),
    ],
)
def test_counting_on_without_dropping(rate, start, frame, expected):
    assert timecode_at(frame, rate, start, False) == expected


def test_all_labels_of_eleven_minutes():
    labels = [
        f"00:{minute:02d}:{second:02d};{frame:02d}"
        for minute in range(11)
        for second in range(60)
        for frame in range(30)
        if not (frame < 2 and second == 0 and minute % 10)
    ]
    assert [timecode_at(n, NTSC_30, None, True) for n in range(len(labels))] == labels


@pytest.mark.parametrize(
    ("text", "rate", "drop_frame"),
    [
        ("00:01:00;00", NTSC_30, True),  # a label that is left out
        ("00:01:00;03", NTSC_60, True),
        ("00:00:00:24", Fraction(24), False),
        ("24:00:00:00", Fraction(24), False),
        ("00:60:00:00", Fraction(24), False),
        ("00:00:60:00", Fraction(24), False),
        ("00:00:00;00", Fraction(24), False),
        ("00:00:00;00", Fraction(24), True),
        ("00:00:00;00", Fraction(24_000, 1001), True),
        ("1:2:3:4", Fraction(24), False),
        ("-1:00:00:00", Fraction(24), False),
        ("٠٠:00:00:00", Fraction(24), False),
        ("", Fraction(24), False),
        ("00:00:00:00", Fraction(1000), False),
        ("00:00:00:00", Fraction(1, 5), False),
    ],
)
def test_nonsense_is_no_timecode(text, rate, drop_frame):
    with pytest.raises(TimecodeError):
        frame_count_of(text, rate, drop_frame)


def test_cameras_write_a_point_for_drop_frame():
    assert frame_count_of("00:01:00.02", NTSC_30, True) == 1800


@given(
    frame=st.integers(0, 10**8),
    rate_and_drop=st.sampled_from([(r, False) for r in NDF] + [(r, True) for r in DF]),
)
def test_label_and_count_are_inverse(frame, rate_and_drop):
    rate, drop_frame = rate_and_drop
    day = minute_starts(round(rate), DF[rate] if drop_frame else 0)[-1]
    label = timecode_at(frame, rate, None, drop_frame)
    assert frame_count_of(label, rate, drop_frame) == frame % day

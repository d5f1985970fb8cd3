"""The browser's timecode is the server's, frame by frame."""

from fractions import Fraction
from pathlib import Path

import pytest

import secondsticks.detection
from training.timecode import frame_count_of, timecode_at

pytestmark = pytest.mark.browser
SCRIPT = Path(secondsticks.detection.__file__).parent / "static" / "detection" / "timecode.js"
RATES = [
    *[(Fraction(rate), False) for rate in (12, 15, 24, 25, 30, 48, 50, 60, 100, 120)],
    *[(Fraction(rate * 1000, 1001), False) for rate in (24, 30, 48, 60, 120)],
    *[(Fraction(rate * 1000, 1001), True) for rate in (30, 60)],
]
ALL_AT_ONCE = """clips => clips.map(clip => clip.frames.map(frame => timecodeAt(frame, clip)))"""


@pytest.fixture(scope="module")
def page(chromium):
    page = chromium.new_page()
    page.add_script_tag(path=SCRIPT)
    yield page
    page.close()


def frames_to_try(rate: Fraction) -> list[int]:
    """Each frame around minutes, ten minutes, hours and midnight, and some in between."""
    edges = [int(second * rate) for second in (0, 59, 60, 119, 540, 599, 600, 660, 3600, 86399, 86400)]
    return sorted(
        {max(0, edge + near) for edge in edges for near in range(-70, 71)} | set(range(0, 90_000, 997))
    )


@pytest.mark.parametrize("start", ["00:00:00:00", "00:59:58:10", "01:00:00:00", "23:59:59:00"])
def test_the_browser_counts_as_the_server_does(page, start):
    clips = [
        {
            "rate": [rate.numerator, rate.denominator],
            "start": frame_count_of(start, rate, drop),
            "dropFrame": drop,
            "frames": frames_to_try(rate),
        }
        for rate, drop in RATES
    ]
    for (rate, drop), clip, shown in zip(RATES, clips, page.evaluate(ALL_AT_ONCE, clips), strict=True):
        expected = [timecode_at(frame, rate, start, drop) for frame in clip["frames"]]
        wrong = [pair for pair in zip(clip["frames"], shown, expected, strict=True) if pair[1] != pair[2]]
        assert not wrong, (rate, drop, wrong[:3])


def test_a_rate_that_timecode_cannot_count_has_none(page):
    assert page.evaluate("timecodeAt(3, {rate: [1, 5], start: null, dropFrame: false})") == ""

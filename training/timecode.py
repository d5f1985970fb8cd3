"""Timecode: the label HH:MM:SS:FF of a frame, with ; before the frames where labels are dropped."""

from __future__ import annotations

import re
from fractions import Fraction

from timecode.timecode import Timecode

_FORM = re.compile(r"(\d{2}):(\d{2}):(\d{2})([:;.])(\d{2,3})", re.ASCII)


class TimecodeError(ValueError):
    """A text that is no timecode at that rate."""


def timecode_at(frame: int, rate: Fraction, start: str | None, drop_frame: bool) -> str:
    """The label of frame `frame` (from 0) of a clip whose first frame is labelled `start`.

    None starts at zero. Labels wrap at midnight. SMPTE ST 12-1 counting.
    """
    first = 0 if start is None else frame_count_of(start, rate, drop_frame)
    counter = _counter(rate, drop_frame)
    counter.frames = (first + frame) % _frames_per_day(rate, drop_frame) + 1  # the library counts from 1
    return str(counter)


def frame_count_of(text: str, rate: Fraction, drop_frame: bool) -> int:
    """Frames from midnight to this label; TimecodeError if no frame at that rate carries it."""
    found = _FORM.fullmatch(text.strip())
    if not found:
        raise TimecodeError(f"{text!r} is no timecode")
    hours, minutes, seconds, mark, frames = found.groups()
    dropped = _dropped_per_minute(rate, drop_frame)
    # The library checks neither the fields nor the dropped labels.
    if int(hours) > 23 or int(minutes) > 59 or int(seconds) > 59 or int(frames) >= round(rate):
        raise TimecodeError(f"{text!r} is no timecode at {float(rate):g} frames per second")
    if mark != ":" and not drop_frame:
        raise TimecodeError(f"{text!r} is drop-frame in a clip that is not")
    if int(frames) < dropped and int(seconds) == 0 and int(minutes) % 10:
        raise TimecodeError(f"{text!r} is a label that drop-frame leaves out")
    # The library takes "." for the point of a fraction of a second; cameras write it for ";".
    counter = _counter(rate, drop_frame)
    return int(counter.tc_to_frames(f"{hours}:{minutes}:{seconds}:{frames}")) - 1


def _counter(rate: Fraction, drop_frame: bool) -> Timecode:
    _dropped_per_minute(rate, drop_frame)
    if drop_frame:
        return Timecode(rate)
    # Without dropping, the labels only know whole rates. Given the fraction, the library drops for
    # 29.97 unasked, and cuts odd rates down (12.5 to 12).
    return Timecode(round(rate), force_non_drop_frame=True)


def _dropped_per_minute(rate: Fraction, drop_frame: bool) -> int:
    if round(rate) < 1 or round(rate) >= 1000:  # the library reads 1000 as milliseconds
        raise TimecodeError(f"there is no timecode at {float(rate):g} frames per second")
    if not drop_frame:
        return 0
    thirties = rate / Fraction(30_000, 1001)
    if thirties.denominator != 1:
        raise TimecodeError(f"drop-frame is for 29.97 and its multiples, not for {float(rate):g}")
    return 2 * thirties.numerator


def _frames_per_day(rate: Fraction, drop_frame: bool) -> int:
    per_ten_minutes = round(rate) * 600 - 9 * _dropped_per_minute(rate, drop_frame)
    return per_ten_minutes * 6 * 24

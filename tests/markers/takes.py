"""Clips for the tests of markers, and the frame of a timecode by arithmetic that shares nothing with ours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction

from secondsticks.markers import MarkedClip, Marker

CHECKPOINT = "ab" * 32
#: Frames of the claps: the first, one on either side of a minute, the last.
FRAMES = (0, 5, 299, 1499)
LENGTH = 1500


@dataclass(frozen=True)
class Rate:
    name: str
    fps: Fraction
    drop_frame: bool = False

    @property
    def starts(self) -> tuple[str | None, ...]:
        """None in the file; as cameras do; seconds before midnight; just before a dropped label."""
        mark = ";" if self.drop_frame else ":"
        return (None, f"01:00:00{mark}00", f"23:59:55{mark}10", f"10:00:59{mark}{round(self.fps) - 6:02}")


RATES = (
    Rate("23.976", Fraction(24000, 1001)),
    Rate("24", Fraction(24)),
    Rate("25", Fraction(25)),
    Rate("29.97-df", Fraction(30000, 1001), drop_frame=True),
    Rate("29.97-ndf", Fraction(30000, 1001)),
    Rate("30", Fraction(30)),
    Rate("48", Fraction(48)),
    Rate("50", Fraction(50)),
    Rate("59.94-df", Fraction(60000, 1001), drop_frame=True),
    Rate("59.94-ndf", Fraction(60000, 1001)),
    Rate("60", Fraction(60)),
)
TAKES = [(rate, start) for rate in RATES for start in rate.starts]


def count_of(label: str, fps: Fraction, drop_frame: bool) -> int:
    """Frames since midnight, counted as SMPTE ST 12-1 says: dropped labels subtracted from all labels."""
    assert (";" in label) == drop_frame
    hours, minutes, seconds, frames = (int(part) for part in label.replace(";", ":").split(":"))
    total = (hours * 60 + minutes) * 60 + seconds
    each_minute = {30: 2, 60: 4}[round(fps)] if drop_frame else 0
    whole_minutes = hours * 60 + minutes
    return total * round(fps) + frames - each_minute * (whole_minutes - whole_minutes // 10)


def frame_of(label: str, clip: MarkedClip) -> int:
    """Which frame of the clip carries a label, also past midnight."""
    return (count_of(label, clip.fps, clip.drop_frame) - start_of(clip)) % frames_of_a_day(clip)


def start_of(clip: MarkedClip) -> int:
    none = "00:00:00;00" if clip.drop_frame else "00:00:00:00"
    return count_of(clip.start_timecode or none, clip.fps, clip.drop_frame)


def frames_of_a_day(clip: MarkedClip) -> int:
    mark = ";" if clip.drop_frame else ":"
    return count_of(f"23:59:59{mark}{round(clip.fps) - 1:02}", clip.fps, clip.drop_frame) + 1


def make_marker(frame: int, fps: Fraction, **said: object) -> Marker:
    known = {"timecode": "", "seconds": float(frame / fps), "confidence": 0.94, "checkpoint": CHECKPOINT}
    return Marker(frame=frame, **(known | said))  # type: ignore[arg-type]


def make_clip(rate: Rate, start: str | None = "", **said: object) -> MarkedClip:
    """A clip with four claps: sure, unsure, confirmed by a person, and heard."""
    fps = rate.fps
    bare = MarkedClip(name="A001C001.mov", rate=fps, start_timecode=start or None, drop_frame=rate.drop_frame)
    extras: tuple[dict[str, object], ...] = (
        {},
        {"sure": False, "confidence": 0.41},
        {"confirmed_by": "Ann Editor", "confirmed_at": datetime(2026, 11, 23, 9, 30, tzinfo=UTC)},
        {"sample": 240_000, "sample_rate": 48_000, "disagreement_ms": -3.25, "kind": "tail"},
    )
    claps = tuple(
        make_marker(frame, fps, timecode=bare.timecode_at(frame), **extra)
        for frame, extra in zip(FRAMES, extras, strict=True)
    )
    known = {
        "name": bare.name, "rate": fps, "frames": LENGTH, "start_timecode": bare.start_timecode,
        "drop_frame": rate.drop_frame, "width": 1920, "height": 1080, "channels": 2, "sample_rate": 48_000,
        "claps": claps, "verdict": "look", "reason": "one of four claps is faint", "checkpoint": CHECKPOINT,
    }  # fmt: skip
    return MarkedClip(**(known | said))  # type: ignore[arg-type]


def make_quiet(name: str, verdict: str, **said: object) -> MarkedClip:
    """A clip without a clap."""
    return make_clip(RATES[2], name=name, claps=(), verdict=verdict, reason=f"it is {verdict}", **said)

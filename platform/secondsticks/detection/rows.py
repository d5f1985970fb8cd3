"""A clip in a list: what is being done to it, why it has its verdict, its facts in words."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from secondsticks.detection.models import Scan
from secondsticks.detection.moves import ScanState
from secondsticks.detection.statuses import ShownClip
from secondsticks.footage.models import ClipState

STAGES = {"coarse": "looking for slates", "dense": "looking frame by frame", "sound": "listening"}


@dataclass(frozen=True)
class Row(ShownClip):
    """One clip on the board."""

    @property
    def stage(self) -> str:
        """What is being done to the clip just now, in words; empty when nothing is."""
        state, scan = self.clip.state, self.scan
        if state in (ClipState.UPLOADED, ClipState.INGESTING):
            return "waiting to be read" if state == ClipState.UPLOADED else "reading the file"
        if state == ClipState.REFUSED or (scan is not None and not scan.is_under_way):
            return ""
        if scan is None or scan.state == ScanState.QUEUED:
            return "waiting for the scan"
        return STAGES.get(scan.stage, "starting the scan")

    @property
    def waits(self) -> bool:
        return self.stage.startswith("waiting")

    @property
    def reason(self) -> str:
        """Why the clip has the status it has, in words."""
        if self.clip.state == ClipState.REFUSED:
            return self.clip.message
        if self.standing.is_confirmed and not (self.scan is not None and self.scan.is_under_way):
            return self.standing.reason
        if self.scan is None:
            return ""
        reasons = {
            ScanState.DONE: self.standing.reason,
            ScanState.FAILED: self.scan.error,
            ScanState.CANCELLED: "The scan was cancelled.",
        }
        return reasons.get(ScanState(self.scan.state), "")

    @property
    def slate(self) -> Scan | None:
        """The scan that has a picture of the slate."""
        return self.scan if self.scan and self.scan.slate_picture else None

    @property
    def rate(self) -> str:
        return rate_name(self.clip.rate) if self.clip.frames else ""

    @property
    def duration(self) -> str:
        return duration_name(self.clip.duration) if self.clip.frames else ""


def rate_name(rate: Fraction) -> str:
    """A frame rate as people say it: 23.976, 25, 29.97."""
    return f"{float(rate):.3f}".rstrip("0").rstrip(".")


def duration_name(duration: Fraction) -> str:
    """Seconds as people read them: 4.2 s, 1:05, 1:02:03."""
    whole = int(duration)
    if whole < 60:
        return f"{float(duration):.1f} s"
    minutes, seconds = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"

"""What the clip page shows: facts in words, the scan and its claps, the numbers the player needs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import gcd
from typing import Any
from uuid import UUID

from secondsticks.detection.models import Clap, Scan
from secondsticks.detection.moves import ScanState
from secondsticks.detection.review import Review, upcoming
from secondsticks.detection.rows import Row, duration_name, rate_name
from secondsticks.detection.sound_pages import SoundCard
from secondsticks.detection.statuses import ShownClap, with_scans
from secondsticks.footage.models import Clip, ClipState, ProxyState
from training.timecode import TimecodeError, frame_count_of


@dataclass(frozen=True)
class ClipPage:
    clip: Clip  # from `with_scans`
    before: Clip | None
    after: Clip | None
    came_from: Clip | None = None

    @cached_property
    def row(self) -> Row:
        return Row(self.clip)

    @cached_property
    def scan(self) -> Scan | None:
        return self.row.scan

    @cached_property
    def claps(self) -> list[ShownClap]:
        return self.row.claps

    @cached_property
    def sound(self) -> SoundCard:
        return SoundCard(self.clip)

    @property
    def key(self) -> str:
        """Changes when the page has something else to show than progress."""
        scan = f"{self.scan.uuid}-{self.scan.state}" if self.scan else "none"
        return f"{self.clip.state}-{self.clip.proxy_state}-{scan}"

    @property
    def is_read(self) -> bool:
        return self.clip.state == ClipState.READY

    @property
    def has_result(self) -> bool:
        return self.scan is not None and self.scan.state == ScanState.DONE

    @cached_property
    def review(self) -> Review | None:
        return Review(self.clip, upcoming(self.clip)) if self.has_result else None

    @property
    def pictured(self) -> list[Clap]:
        """The scan's claps that have pictures."""
        return (
            [clap for clap in self.scan.claps.all() if clap.picture] if self.scan and self.has_result else []
        )

    @property
    def can_scan_again(self) -> bool:
        return self.is_read and self.scan is not None and not self.scan.is_under_way

    @property
    def can_cancel(self) -> bool:
        return self.scan is not None and self.scan.is_under_way

    @property
    def makes_proxy(self) -> bool:
        return self.is_read and self.clip.proxy_state in (ProxyState.QUEUED, ProxyState.MAKING)

    @property
    def proxy_percent(self) -> int:
        return min(100, int(self.clip.proxy_progress * 100))

    @property
    def is_working(self) -> bool:
        return bool(self.row.stage) or self.makes_proxy

    @property
    def spans(self) -> list[dict[str, Any]]:
        """Slate spans with the frame after their last one, where the bar ends them."""
        spans = self.scan.slate_spans if self.scan is not None and self.has_result else []
        return [span | {"end": span["last"] + 1} for span in spans]

    @property
    def av_offset(self) -> str:
        """How far sound and picture lie apart, of a scan that heard a clap."""
        offset = self.scan.av_offset_ms if self.scan else None
        if not offset:
            return "in step with the picture"
        return f"{abs(offset):.0f} ms {'after' if offset > 0 else 'before'} the picture"

    @property
    def warnings(self) -> list[str]:
        return [*self.clip.warnings, *(self.scan.warnings if self.scan else [])]

    def facts(self) -> list[tuple[str, str]]:
        """The clip's facts as pairs of a label and a text."""
        clip = self.clip
        timecode = clip.start_timecode or "none in the file, counted from 00:00:00:00"
        counting = "drop-frame" if clip.drop_frame else "non-drop-frame"
        sound = ", ".join(audio_name(stream) for stream in clip.audio) or "no sound"
        facts = [
            ("Frame rate", rate_in_full(clip)),
            ("Frames", f"{clip.frames:,}".replace(",", "\u202f")),
            ("Duration", duration_name(clip.duration)),
            ("Start timecode", timecode),
            ("Counting", counting),
            ("Picture", f"{clip.width} × {clip.height} ({aspect_of(clip.width or 0, clip.height or 0)})"),
            ("Codec", f"{clip.codec}, {clip.pixel_format} in {clip.container}"),
            ("Sound", sound),
        ]
        if clip.rotation:
            facts.insert(6, ("Rotation", f"turned by {clip.rotation}° to be shown"))
        return facts

    def player(self) -> dict[str, Any]:
        """What player.js needs to count frames: exact rate, first frame's count, claps."""
        clip = self.clip
        return {
            "rate": [clip.rate_num, clip.rate_den],
            "frames": clip.frames,
            "start": start_count(clip),
            "dropFrame": clip.drop_frame,
            "variable": clip.variable_rate,
            "claps": [{"frame": clap.frame, "seconds": clap.seconds} for clap in self.claps],
        }


def start_count(clip: Clip) -> int | None:
    """The count of the clip's first frame since midnight; None at rates that timecode cannot count."""
    try:
        return frame_count_of(clip.start_timecode or "00:00:00:00", clip.rate, clip.drop_frame)
    except TimecodeError:
        return None


def rate_in_full(clip: Clip) -> str:
    name = rate_name(clip.rate)
    exact = f" ({clip.rate})" if clip.rate.denominator > 1 else ""
    return f"{name}{exact} fps{', variable' if clip.variable_rate else ''}"


def audio_name(stream: dict[str, Any]) -> str:
    channels = {1: "mono", 2: "stereo"}.get(stream["channels"], f"{stream['channels']} channels")
    return f"{stream['codec']} {stream['sample_rate'] / 1000:g} kHz {channels}"


def aspect_of(width: int, height: int) -> str:
    shared = gcd(width, height) or 1
    if width // shared <= 21:
        return f"{width // shared}:{height // shared}"
    return f"{width / height:.2f}:1"


def read_clip_page(clip: Clip, *, came_from: UUID | None = None) -> ClipPage:
    """The page of a clip; its neighbours are those of the board sorted by name.

    `came_from`: the clip that was reviewed before it.
    """
    siblings = Clip.objects.filter(project=clip.project).only("uuid", "name")
    before = siblings.filter(name__lt=clip.name) | siblings.filter(name=clip.name, pk__lt=clip.pk)
    after = siblings.filter(name__gt=clip.name) | siblings.filter(name=clip.name, pk__gt=clip.pk)
    fresh = with_scans(Clip.objects.filter(pk=clip.pk)).get()
    fresh.project = clip.project  # knows the role of the person asking
    return ClipPage(
        clip=fresh,
        before=before.order_by("-name", "-pk").first(),
        after=after.order_by("name", "pk").first(),
        came_from=siblings.filter(uuid=came_from).first() if came_from else None,
    )

"""What each clip is just now, in one word: from its state, its scan, and what people have said."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from django.db.models import Case, F, FilteredRelation, Prefetch, Q, QuerySet, Value, When

from secondsticks.detection.decisions import seconds_of, standing_from
from secondsticks.detection.models import Clap, Decision, Scan, SlateText
from secondsticks.detection.moves import ScanState
from secondsticks.detection.slate_page import OnSlate
from secondsticks.detection.sound_links import SoundLink, standing_link
from secondsticks.detection.standing import Standing, StandingClap
from secondsticks.footage.models import Clip, ClipState
from training.timecode import TimecodeError

#: What a clip can be on the board, in the order of the counts: key -> word, and its badge's class.
STATUSES = {
    "sure": ("sure", "sure"),
    "look": ("look", "look"),
    "mos": ("MOS", "mos"),
    "tail": ("tail", "sure"),
    "no slate": ("no slate", "no-slate"),
    "working": ("working", "working"),
    "failed": ("failed", "refused"),
    "refused": ("refused", "refused"),
    "cancelled": ("cancelled", "no-slate"),
}
#: Statuses that say what a clip is.
JUDGED = ("sure", "look", "mos", "tail", "no slate")
UNDER_WAY = (ScanState.QUEUED, ScanState.RUNNING)
ENDED_BADLY = (ScanState.FAILED, ScanState.CANCELLED)

_current = Prefetch(
    "scans",
    queryset=Scan.objects.filter(is_current=True)
    .select_related("checkpoint", "slate_reading")
    .defer("slate_reading__lines")
    .prefetch_related("claps"),
    to_attr="current_scans",
)
_decisions = Prefetch("decisions", queryset=Decision.objects.order_by("number"))
_slate_texts = Prefetch("slate_texts", queryset=SlateText.objects.order_by("number"))
_sounds = SoundLink.objects.order_by("number").select_related("sound_file").defer("sound_file__heard")
_sound_links = Prefetch("sound_links", queryset=_sounds)


def with_scans(clips: QuerySet[Clip]) -> QuerySet[Clip]:
    """Clips with `status`, their current scan, its claps, and what people said, in a few more queries."""
    return with_status(clips).prefetch_related(_current, _decisions, _sound_links, _slate_texts)


def with_status(clips: QuerySet[Clip]) -> QuerySet[Clip]:
    """Clips with `status`, a key of STATUSES: sure claps near the end make it `tail`."""
    decided = ~Q(standing_verdict__verdict="") & Q(standing_verdict__isnull=False)
    counts = Q(standing_verdict__is_confirmed=True) | Q(current__state=ScanState.DONE)
    return clips.annotate(
        current=FilteredRelation("scans", condition=Q(scans__is_current=True)),
        status=Case(
            When(state=ClipState.REFUSED, then=Value("refused")),
            When(current__state__in=UNDER_WAY, then=Value("working")),
            When(
                decided & counts & Q(standing_verdict__verdict="sure", standing_verdict__is_tail=True),
                then=Value("tail"),
            ),
            When(decided & counts, then=F("standing_verdict__verdict")),
            When(current__verdict="sure", current__is_tail=True, then=Value("tail")),
            When(current__state=ScanState.DONE, then=F("current__verdict")),
            When(current__state__in=ENDED_BADLY, then=F("current__state")),
            default=Value("working"),
        ),
    )


def scan_of(clip: Clip) -> Scan | None:
    """The current scan of a clip from `with_scans`."""
    scans: list[Scan] = clip.current_scans  # type: ignore[attr-defined]  # from _current
    return scans[0] if scans else None


def status_of(clip: Clip) -> str:
    """The key of STATUSES of a clip from `with_status`."""
    return clip.status  # type: ignore[attr-defined]


def standing_of(clip: Clip) -> Standing:
    """What stands for a clip from `with_scans`."""
    return standing_from(scan_of(clip), clip.decisions.all())


@dataclass(frozen=True)
class ShownClap:
    """A standing clap as pages and files show it."""

    clip: Clip
    clap: StandingClap

    @property
    def frame(self) -> int:
        return self.clap.frame

    @property
    def seen(self) -> Clap | None:
        return self.clap.seen

    @property
    def timecode(self) -> str:
        """Empty at rates that timecode cannot count."""
        try:
            return self.clip.timecode_at(self.clap.frame)
        except TimecodeError:
            return ""

    @property
    def seconds(self) -> float:
        return seconds_of(self.clap, self.clip)

    @property
    def confidence(self) -> float | None:
        """The checkpoint's, of a clap that stands where it was seen; None where a person placed it."""
        return self.seen.confidence if self.seen and self.frame == self.seen.frame else None

    @property
    def percent(self) -> int | None:
        return None if self.confidence is None else round(self.confidence * 100)

    @property
    def origin(self) -> str:
        """Who says that there is a clap, in words."""
        if self.clap.added:
            return f"added by {self.clap.confirmed_by}"
        if self.clap.moved:
            frames = f"{abs(self.clap.moved)} frame{'s' if abs(self.clap.moved) > 1 else ''}"
            way = "later" if self.clap.moved > 0 else "earlier"
            return f"moved {frames} {way} by {self.clap.confirmed_by}"
        if self.clap.is_confirmed:
            return f"confirmed by {self.clap.confirmed_by}"
        return f"{self.percent} % confident"

    @property
    def numbers(self) -> list[tuple[str, str]]:
        """What picture and sound say each, of a clap that was seen in a scan that listened."""
        seen = self.seen
        if seen is None:
            return []
        said: list[tuple[str, str]] = []
        if seen.picture_confidence is not None:
            said.append(("picture", f"{seen.picture_confidence:.0%}"))
        if seen.sound_confidence is not None:
            said.append(("sound", f"{seen.sound_confidence:.0%}" if seen.sound_confidence else "not heard"))
        if seen.disagreement_ms is not None:
            said.append(("apart", f"{seen.disagreement_ms:+.0f} ms" if seen.disagreement_ms else "0 ms"))
        return said

    @property
    def heard_at(self) -> float | None:
        """Where the clap is heard, in frames from the first one."""
        seen = self.seen
        if seen is None or seen.sample is None or not seen.sample_rate:
            return None
        return float(Fraction(seen.sample, seen.sample_rate) * self.clip.rate)


@dataclass(frozen=True)
class ShownClip:
    """A clip from `with_scans` as pages and files show it."""

    clip: Clip

    @cached_property
    def scan(self) -> Scan | None:
        return scan_of(self.clip)

    @cached_property
    def standing(self) -> Standing:
        return standing_from(self.scan, self.clip.decisions.all())

    @cached_property
    def claps(self) -> list[ShownClap]:
        return [ShownClap(self.clip, clap) for clap in self.standing.claps]

    @cached_property
    def sound(self) -> SoundLink | None:
        """The link to the recorder's file that stands, if there is one."""
        link = standing_link(self.clip.sound_links.all())
        return link if link is not None and link.is_linked else None

    @cached_property
    def on_slate(self) -> OnSlate:
        """What is written on its slate."""
        return OnSlate(self.clip, self.scan, list(self.clip.slate_texts.all()))

    @property
    def word(self) -> str:
        return STATUSES[status_of(self.clip)][0]

    @property
    def badge(self) -> str:
        return STATUSES[status_of(self.clip)][1]

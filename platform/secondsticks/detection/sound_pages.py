"""What pages say about recorders' files: the card on a clip's page, and a project's list of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from django.db.models import Count, Q

from secondsticks.detection.rows import duration_name
from secondsticks.detection.sound_linking import MOST_TRIES
from secondsticks.detection.sound_links import How, LinkDue, SoundLink, standing_link
from secondsticks.footage.models import Clip, Project, SoundFile
from secondsticks.footage.sound_files import SoundFileState

UNDER_WAY = (SoundFileState.UPLOADED, SoundFileState.READING)
BADGES = {
    SoundFileState.READY: "sure",
    SoundFileState.REFUSED: "refused",
    SoundFileState.UPLOADED: "working",
    SoundFileState.READING: "working",
}


@dataclass(frozen=True)
class SoundCard:
    """A clip's place in a recorder's file, and what a person may do about it."""

    clip: Clip
    said: str = ""

    @cached_property
    def rows(self) -> list[SoundLink]:
        links = SoundLink.objects.filter(clip=self.clip).select_related("sound_file").order_by("number")
        return list(links.defer("sound_file__heard"))

    @property
    def made_on(self) -> int:
        return len(self.rows)

    @cached_property
    def standing(self) -> SoundLink | None:
        return standing_link(self.rows)

    @cached_property
    def link(self) -> SoundLink | None:
        return self.standing if self.standing is not None and self.standing.is_linked else None

    @cached_property
    def files(self) -> list[SoundFile]:
        """What the clip may be linked to."""
        return list(self.clip.project.sound_files.filter(state=SoundFileState.READY).only("uuid", "name"))

    @cached_property
    def is_shown(self) -> bool:
        return bool(self.rows) or self.clip.project.sound_files.exists()

    @cached_property
    def is_due(self) -> bool:
        return LinkDue.objects.filter(clip=self.clip, tries__lt=MOST_TRIES).exists()

    @property
    def word(self) -> str:
        """One word for the badge."""
        if self.link is not None:
            return "by hand" if self.link.how == How.BY_HAND else self.link.certainty
        if self.standing is None:
            return "not linked"
        if self.standing.how == How.NOTHING:
            return self.standing.certainty
        return "unlinked" if self.standing.how == How.UNLINKED else "not linked"

    @property
    def badge(self) -> str:
        if self.link is not None:
            return "sure" if self.link.is_sure else "look"
        return "look" if self.word == "look" else "no-slate"

    @property
    def reason(self) -> str:
        if self.standing is None or self.standing.how == How.AUTOMATIC:
            return "" if self.is_due else "Its sound has not been looked for yet."
        if self.link is None and self.standing.sound_name and self.standing.how != How.UNLINKED:
            return f"{self.standing.sound_name} is not in the project any more."
        return self.standing.reason

    def facts(self) -> Iterator[tuple[str, str]]:
        """Where the clip begins in the file, as pairs of a label and a text."""
        if self.link is None or self.link.sound_file is None:
            return
        seconds, sound = self.link.seconds, self.link.sound_file
        yield "Clip begins", placed(seconds)
        yield "In frames", signed(float(seconds * self.clip.rate), 2)
        yield "In samples", f"{spaced(self.link.offset_samples or 0)} at {kilohertz(sound)}"
        yield "In ms", signed(float(seconds * 1000), 2)
        if self.link.by_timecode is not None and self.link.by_claps is not None:
            apart = Fraction(self.link.by_claps - self.link.by_timecode, sound.facts().sample_rate)
            frames = signed(float(apart * self.clip.rate), 2, plus=True)
            yield "Clap against timecode", f"{signed(float(apart * 1000), 1, plus=True)} ms ({frames} frames)"
        slate = [f"{what} {text}" for what, text in (("scene", sound.scene), ("take", sound.take)) if text]
        if slate:
            yield "Recorder says", ", ".join(slate)

    def history(self) -> list[tuple[SoundLink, str]]:
        """What was said, newest first, with words for it."""
        return [(row, _did(row)) for row in reversed(self.rows)]


def _did(row: SoundLink) -> str:
    match row.how:
        case How.UNLINKED:
            return "unlinked the clip"
        case How.AUTOMATIC:
            return "asked to find its sound again"
        case How.BY_HAND:
            return f"linked {row.sound_name} at sample {spaced(row.offset_samples or 0)}"
        case How.NOTHING:
            return f"found nothing: {row.reason}"
    found = f"found {row.sound_name} at sample {spaced(row.offset_samples or 0)}"
    return f"{found} by {'timecode' if row.how == How.TIMECODE else 'claps'} ({row.certainty})"


def placed(seconds: Fraction) -> str:
    """Where a clip begins in its sound file, in words."""
    if seconds < 0:
        return f"{-float(seconds):.3f} s before the file"
    return f"{float(seconds):.3f} s into the file"


def signed(value: float, digits: int, *, plus: bool = False) -> str:
    text = f"{value:{'+' if plus else ''},.{digits}f}".replace(",", "\u202f")
    return text.replace("-", "−")


def spaced(value: int) -> str:
    return f"{value:,}".replace(",", "\u202f").replace("-", "−")


def kilohertz(sound: SoundFile) -> str:
    return f"{(sound.sample_rate or 0) / 1000:g} kHz"


@dataclass(frozen=True)
class SoundRow:
    """One sound file in the project's list."""

    file: SoundFile
    clips: int

    @property
    def badge(self) -> str:
        return BADGES[SoundFileState(self.file.state)]

    @property
    def length(self) -> str:
        return duration_name(self.file.duration) if self.file.is_ready else ""

    @property
    def form(self) -> str:
        """Channels, bits and sample rate in words."""
        if not self.file.is_ready:
            return ""
        channels = {1: "mono", 2: "stereo"}.get(self.file.channels or 0, f"{self.file.channels} channels")
        return f"{channels}, {self.file.bits} bit, {kilohertz(self.file)}"

    @property
    def slate(self) -> str:
        words = (("scene", self.file.scene), ("take", self.file.take), ("tape", self.file.tape))
        return ", ".join(f"{what} {text}" for what, text in words if text)


@dataclass(frozen=True)
class SoundPage:
    project: Project

    @cached_property
    def rows(self) -> list[SoundRow]:
        files = list(self.project.sound_files.defer("heard"))
        counts = linked_counts(self.project)
        return [SoundRow(file, counts.get(file.pk, 0)) for file in files]

    @property
    def is_working(self) -> bool:
        return any(row.file.state in UNDER_WAY for row in self.rows)


def linked_counts(project: Project) -> dict[int, int]:
    """How many clips stand linked to each sound file, by its id."""
    counts: dict[int, int] = {}
    links = SoundLink.objects.filter(clip__project=project).order_by("clip_id", "-number").distinct("clip_id")
    for file in links.values_list("sound_file_id", flat=True):
        if file is not None:
            counts[file] = counts.get(file, 0) + 1
    return counts


def sounds_in_words(project: Project) -> dict[str, int]:
    """How many sound files a project has, how many of them are being read, and how many were refused."""
    return project.sound_files.aggregate(
        total=Count("pk"),
        working=Count("pk", filter=Q(state__in=UNDER_WAY)),
        refused=Count("pk", filter=Q(state=SoundFileState.REFUSED)),
    )

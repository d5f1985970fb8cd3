"""What people say about a clip's sound: another file, another offset, none, or find it again."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from django.contrib.auth.models import User
from django.db import transaction

from secondsticks.detection.decisions import Impossible, Stale, lock
from secondsticks.detection.sound_linking import Send, ask, claps_for, recording_of
from secondsticks.detection.sound_links import How, SoundLink, standing_link
from secondsticks.detection.statuses import ShownClip, with_scans
from secondsticks.footage.models import Clip, SoundFile

#: The smallest and the largest offset that may be typed: a week at the highest sample rate.
FURTHEST = 7 * 24 * 3600 * 768_000
#: What the buttons beside the offset add to it, in frames of the clip or in milliseconds.
NUDGES = {"-frame": (-1, "frame"), "-ms": (-1, "ms"), "+ms": (1, "ms"), "+frame": (1, "frame")}
#: Where a file that a person chose puts the clip at first.
PLACED = {
    "timecode": "placed where timecode has it",
    "claps": "placed by the claps heard in both",
    "": "neither timecode nor a clap says where: set the offset",
}


@dataclass(frozen=True)
class Choice:
    """What somebody asks for. `made_on`: the number of the row they saw, 0 for none."""

    action: str  # "choose", "set", "nudge", "unlink" or "find"
    made_on: int
    sound_file: SoundFile | None = None
    offset: int | None = None
    nudge: str = ""


def choose(clip: Clip, user: User, choice: Choice, *, send: Send) -> None:
    """Keep a person's word. Raises Stale and Impossible."""
    suggested = _suggested(clip, choice)
    with transaction.atomic():
        lock([clip.pk])
        earlier = list(SoundLink.objects.filter(clip=clip).select_related("sound_file"))
        if len(earlier) != choice.made_on:
            raise Stale
        row = _row(clip, choice, standing_link(earlier), suggested)
        row.number, row.by, row.by_name = len(earlier) + 1, user, user.get_username()
        row.save(force_insert=True)
        if row.how == How.AUTOMATIC:
            ask(clip.project, [clip.pk], send=send)


def _row(clip: Clip, choice: Choice, standing: SoundLink | None, suggested: SoundLink | None) -> SoundLink:
    if choice.action == "unlink":
        return SoundLink(clip=clip, how=How.UNLINKED, certainty="sure")
    if choice.action == "find":
        return SoundLink(clip=clip, how=How.AUTOMATIC, certainty="look")
    if suggested is not None:
        return suggested
    if standing is None or standing.sound_file is None:
        raise Impossible("Choose a sound file first.")
    offset = choice.offset if choice.action == "set" else _nudged(clip, standing, choice.nudge)
    if offset is None or abs(offset) > FURTHEST:
        raise Impossible("The offset is a whole number of samples.")
    return SoundLink(
        clip=clip,
        how=How.BY_HAND,
        sound_file=standing.sound_file,
        sound_name=standing.sound_file.name,
        offset_samples=offset,
        by_timecode=standing.by_timecode,
        by_claps=standing.by_claps,
        certainty="sure",
    )


def _nudged(clip: Clip, standing: SoundLink, nudge: str) -> int | None:
    if nudge not in NUDGES or standing.sound_file is None or standing.offset_samples is None:
        return None
    step, unit = NUDGES[nudge]
    seconds = 1 / clip.rate if unit == "frame" else Fraction(1, 1000)
    return standing.offset_samples + round(step * seconds * standing.sound_file.facts().sample_rate)


def _suggested(clip: Clip, choice: Choice) -> SoundLink | None:
    """The row for a file that a person chose: where timecode or claps put the clip, else at its start."""
    if choice.action != "choose":
        return None
    if choice.sound_file is None or not choice.sound_file.is_ready:
        raise Impossible("This sound file is not there any more.")
    from training.sound.links import link, link_by_claps  # scipy, which the web process need not load

    shown = ShownClip(with_scans(Clip.objects.filter(pk=clip.pk)).get())
    recording, claps = recording_of(choice.sound_file), claps_for(shown)
    facts = shown.clip.facts()
    found = link(facts, claps, recording.sound, recording.heard)
    start = Fraction(found.offset_samples, recording.sound.sample_rate) if found else Fraction(0)
    if found is None or not -facts.duration < start < recording.sound.duration:
        found = link_by_claps(facts, claps, recording.sound, recording.heard)
    return SoundLink(
        clip=clip,
        how=How.BY_HAND,
        sound_file=choice.sound_file,
        sound_name=choice.sound_file.name,
        offset_samples=found.offset_samples if found else 0,
        by_timecode=found.by_timecode if found else None,
        by_claps=found.by_claps if found else None,
        certainty="sure" if found else "look",
        reason=PLACED[found.how if found else ""],
    )

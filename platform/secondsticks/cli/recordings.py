"""Sound recorders' files and the clips that belong to them, for `secondsticks link-sound`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from secondsticks.cli.outcomes import FileRefused
from secondsticks.cli.reading import Document, Report
from secondsticks.markers import LinkedSound, MarkedClip, marked_clip
from training.footage.facts import ClipFacts
from training.sound.blocks import SoundBlock
from training.sound.files import SoundFile, SoundFileError, probe_sound, read_sound
from training.sound.matching import Certainty, Match, Recording, claps_of, match
from training.sound.transients import find_transients


@dataclass
class Recordings:
    """The sound files that were heard, and the clips that were matched with them."""

    heard: list[Recording] = field(default_factory=list)
    marked: list[MarkedClip] = field(default_factory=list)

    def hear(self, path: Path, report: Report) -> Document:
        """Read a sound file for the clips to come. Raises FileRefused."""
        try:
            sound = probe_sound(path)
            transients = find_transients(_reported(read_sound(sound), sound, report)).transients
        except SoundFileError as error:
            raise FileRefused(str(error)) from None
        except OSError:
            raise FileRefused("The file could not be read to its end.") from None
        self.heard.append(Recording(sound, transients))
        return _sound_document(sound)

    def match(self, path: Path, result: Document) -> Document:
        """What is known of the clip's place in one of them, from the result of its scan."""
        facts = ClipFacts.from_json(result["facts"])
        found = match(facts, claps_of(result), self.heard)
        self.marked.append(replace(marked_clip(path, result), sound=_marked(found)))
        return _document(found)


def _sound_document(sound: SoundFile) -> Document:
    return {
        "path": str(sound.path),
        "sample_rate": sound.sample_rate,
        "channels": sound.channels,
        "bits": sound.bits,
        "samples": sound.samples,
        "time_reference": sound.time_reference,
        "timecode_rate": str(sound.timecode_rate) if sound.timecode_rate else None,
        "recorded_at": sound.recorded_at,
        "scene": sound.scene,
        "take": sound.take,
        "tape": sound.tape,
    }


def _reported(blocks: Iterator[SoundBlock], sound: SoundFile, report: Report) -> Iterator[SoundBlock]:
    for block in blocks:
        report(block.end / sound.samples)
        yield block


def _marked(found: Match) -> LinkedSound | None:
    if found.recording is None or found.link is None:
        return None
    sound = found.recording.sound
    return LinkedSound(
        file=sound.path.name,
        offset_samples=found.link.offset_samples,
        sample_rate=sound.sample_rate,
        time_reference=sound.time_reference,
        tape=sound.tape,
        how=found.link.how,
        sure=found.certainty == Certainty.SURE,
    )


def _document(found: Match) -> Document:
    document: Document = {"certainty": str(found.certainty), "reason": found.reason, "file": None}
    if found.recording is None or found.link is None:
        return document
    link, sound = found.link, found.recording.sound
    return document | {
        "file": str(sound.path),
        "offset_samples": link.offset_samples,
        "offset_frames": round(float(link.offset_frames), 4),
        "sample_rate": sound.sample_rate,
        "time_reference": sound.time_reference,
        "how": link.how,
        "confidence": link.confidence if link.heard else None,
        "by_timecode": link.by_timecode,
        "by_claps": link.by_claps,
        "disagreement_ms": link.disagreement_ms,
    }

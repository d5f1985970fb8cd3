"""Clips and their claps in the form in which `secondsticks.markers` writes them into files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from secondsticks.detection.rows import Row
from secondsticks.detection.standing import Standing
from secondsticks.detection.statuses import ShownClap
from secondsticks.footage.models import Clip
from secondsticks.markers import LinkedSound, MarkedClip, Marker
from training.claps.claps import Verdict

NOT_YET = "This clip has not been scanned yet."


def marked(clip: Clip) -> MarkedClip:
    """A clip from `with_scans`, with its standing claps; one without a verdict says why."""
    row = Row(clip)
    scan, standing = row.scan, row.standing
    if not standing.verdict:
        return MarkedClip(name=clip.name, reason=row.reason or NOT_YET, **_facts(clip))
    checkpoint = scan.checkpoint.sha256 if scan and scan.checkpoint else ""
    tail = standing.is_tail(clip.frames)
    accepted: dict[str, Any] = {**row.on_slate.accepted}
    return MarkedClip(
        name=clip.name,
        **_facts(clip),
        claps=tuple(_marker(shown, standing, checkpoint, tail) for shown in row.claps),
        verdict=standing.verdict,
        reason=standing.reason,
        checkpoint=checkpoint,
        sound=_sound(row),
        **accepted,
        suggested=row.on_slate.suggested,
    )


def _sound(row: Row) -> LinkedSound | None:
    link = row.sound
    if link is None or link.sound_file is None or link.offset_samples is None:
        return None
    sound = link.sound_file.facts()
    return LinkedSound(
        file=link.sound_file.name,
        offset_samples=link.offset_samples,
        sample_rate=sound.sample_rate,
        time_reference=sound.time_reference,
        tape=sound.tape,
        how=link.how,
        sure=link.is_sure,
    )


def _marker(shown: ShownClap, standing: Standing, checkpoint: str, tail: bool) -> Marker:
    seen = shown.seen
    return Marker(
        frame=shown.frame,
        timecode=shown.timecode,
        seconds=shown.seconds,
        confidence=shown.confidence,
        sure=shown.clap.is_confirmed or standing.verdict == Verdict.SURE,
        kind="tail" if tail else "clap",
        note=_note(shown),
        checkpoint=checkpoint if seen else "",
        confirmed_by=shown.clap.confirmed_by or None,
        confirmed_at=shown.clap.confirmed_at,
        sample=seen.sample if seen else None,
        sample_rate=seen.sample_rate if seen else None,
        # The sound stays where it is when a person moves the clap; how far apart they are does not.
        disagreement_ms=seen.disagreement_ms if seen and not shown.clap.moved else None,
    )


def _note(shown: ShownClap) -> str:
    clap = shown.clap
    if clap.added:
        return f"added by {clap.confirmed_by}"
    return f"moved from frame {clap.was} by {clap.confirmed_by}" if clap.moved else ""


def _facts(clip: Clip) -> dict[str, Any]:
    if not clip.frames:
        return {}
    return {
        "path": _path(clip),
        "rate": clip.rate,
        "frames": clip.frames,
        "duration": clip.duration,
        "variable_rate": clip.variable_rate,
        "start_timecode": clip.start_timecode,
        "drop_frame": clip.drop_frame,
        "width": clip.width or 0,
        "height": clip.height or 0,
        "channels": sum(stream["channels"] for stream in clip.audio),
        "sample_rate": clip.audio[0]["sample_rate"] if clip.audio else 0,
    }


def _path(clip: Clip) -> Path | None:
    """Where an editor may find the file too. What was uploaded lies in our home, where nobody else goes."""
    return clip.path if clip.origin == Clip.Origin.FOLDER else None

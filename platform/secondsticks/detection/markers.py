"""Clips and their claps in the form in which `secondsticks.markers` writes them into files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from secondsticks.detection.board import reason_of, scan_of
from secondsticks.detection.models import Clap, Scan
from secondsticks.detection.moves import ScanState
from secondsticks.footage.models import Clip
from secondsticks.markers import MarkedClip, Marker
from training.claps import Verdict

NOT_YET = "This clip has not been scanned yet."


def marked(clip: Clip) -> MarkedClip:
    """A clip from `with_scans`, with the markers of its current scan; one without a scan says why."""
    scan = scan_of(clip)
    if scan is None or scan.state != ScanState.DONE:
        return MarkedClip(name=clip.name, reason=reason_of(clip, scan) or NOT_YET, **_facts(clip))
    checkpoint = scan.checkpoint.sha256 if scan.checkpoint else ""
    return MarkedClip(
        name=clip.name,
        **_facts(clip),
        claps=tuple(_marker(clap, scan, checkpoint) for clap in scan.claps.all()),
        verdict=scan.verdict,
        reason=scan.reason,
        checkpoint=checkpoint,
    )


def _marker(clap: Clap, scan: Scan, checkpoint: str) -> Marker:
    return Marker(
        frame=clap.frame,
        timecode=clap.timecode,
        seconds=clap.seconds,
        confidence=clap.confidence,
        sure=scan.verdict == Verdict.SURE,
        checkpoint=checkpoint,
    )


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

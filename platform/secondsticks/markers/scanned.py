"""A marked clip from the result of a scan, as docs/scan-json.md describes it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

from secondsticks.markers.clips import MarkedClip, Marker
from training.claps.claps import LATE, Verdict
from training.slate_text.fields import CONFIDENT


def marked_clip(path: Path, result: dict[str, Any]) -> MarkedClip:
    """The clip at `path` with the claps that the scanner found in it."""
    facts, checkpoint = result["facts"], result["checkpoint"]["sha256"]
    sure = result["verdict"] == Verdict.SURE
    # As the reason of such a clip says: all its claps lie near the end.
    is_tail = all(clap["frame"] > LATE * (facts["frames"] - 1) for clap in result["claps"])
    kind = "tail" if is_tail else "clap"
    return MarkedClip(
        name=path.name,
        path=path,
        **facts_of(facts),
        claps=tuple(_marker(clap, kind, sure, checkpoint) for clap in result["claps"]),
        verdict=result["verdict"],
        reason=result["reason"],
        checkpoint=checkpoint,
        suggested=suggested_in(result),
    )


def suggested_in(result: dict[str, Any]) -> dict[str, str]:
    """Field -> text, of a scan whose slate was read too: what the machine is confident of."""
    read = result.get("slate_read", {})
    return {name: field["text"] for name, field in read.items() if field["confidence"] >= CONFIDENT}


def facts_of(facts: dict[str, Any]) -> dict[str, Any]:
    """What a marked clip takes from `ClipFacts.to_json()`."""
    same = ("frames", "variable_rate", "start_timecode", "drop_frame", "width", "height")
    streams = facts["audio"]
    return {name: facts[name] for name in same} | {
        "rate": Fraction(facts["rate"]),
        "duration": Fraction(facts["duration"]),
        "channels": sum(stream["channels"] for stream in streams),
        "sample_rate": streams[0]["sample_rate"] if streams else 0,
    }


def _marker(clap: dict[str, Any], kind: str, sure: bool, checkpoint: str) -> Marker:
    heard = {name: clap[name] for name in ("sample", "sample_rate", "disagreement_ms") if name in clap}
    return Marker(
        frame=clap["frame"],
        timecode=clap["timecode"],
        seconds=clap["seconds"],
        confidence=clap["confidence"],
        sure=sure,
        kind=kind,
        checkpoint=checkpoint,
        **heard,
    )

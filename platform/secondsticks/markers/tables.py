"""CSV, and JSON in the schema of `secondsticks scan --json`: the formats that tell of every clip."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from secondsticks.markers.clips import MarkedClip, Marker
from secondsticks.markers.words import short

COLUMNS = (
    *("clip", "clap", "timecode", "frame", "seconds", "fps", "start_timecode", "drop_frame"),
    *("confidence", "verdict", "reason", "checkpoint", "sure", "kind", "confirmed_by", "confirmed_at"),
    *("sample", "sample_rate", "disagreement_ms", "note", "scene", "take", "roll", "camera"),
    *("sound_file", "sound_offset_frames", "sound_offset_samples", "sound_sample_rate"),
    *("sound_time_reference", "sound_how", "sound_sure", "slate_text"),
)
_ON_SLATE = ("scene", "take", "roll", "camera")


def as_csv(clips: Sequence[MarkedClip]) -> str:
    """One line per clap; a clip without one has one line with empty clap columns."""
    text = io.StringIO()
    lines = csv.DictWriter(text, COLUMNS, restval="")
    lines.writeheader()
    for clip in clips:
        for line in _lines(clip):
            lines.writerow({column: disarmed(value) for column, value in line.items()})
    return text.getvalue()


def as_json(clips: Sequence[MarkedClip]) -> str:
    return json.dumps(as_document(clips), indent=1, allow_nan=False)


def as_document(clips: Iterable[MarkedClip]) -> dict[str, Any]:
    """The document of docs/scan-json.md; clips that were not scanned are its `failed`."""
    document: dict[str, Any] = {"version": 1, "clips": [], "failed": []}
    for clip in clips:
        path = str(clip.path or clip.name)
        if clip.is_read:
            document["clips"].append({"path": path} | _entry(clip))
        else:
            document["failed"].append({"path": path, "error": clip.reason})
    return document


def disarmed(value: object) -> object:
    """Text that a spreadsheet would run as a formula, made plain by a leading apostrophe."""
    if isinstance(value, str) and value.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n")):
        return f"'{value}"
    return value


def _lines(clip: MarkedClip) -> Iterator[dict[str, object]]:
    line: dict[str, object] = {"clip": clip.name, "reason": clip.reason}
    if clip.rate:
        line |= {"fps": str(clip.rate), "start_timecode": clip.start_timecode or ""}
        line["drop_frame"] = "yes" if clip.drop_frame else "no"
    if clip.is_read:
        line |= {"verdict": clip.verdict, "checkpoint": short(clip.checkpoint)} | _slate(clip)
        line |= _sound_cells(clip)
    for number, marker in enumerate(clip.claps, start=1):
        yield line | {"clap": number, "sure": "yes" if marker.sure else "no"} | _cells(marker)
    if not clip.claps:
        yield line


def _cells(marker: Marker) -> dict[str, object]:
    cells = {
        name: "" if value is None else value for name, value in asdict(marker).items() if name in COLUMNS
    }
    del cells["sure"]
    cells["checkpoint"] = short(marker.checkpoint)
    cells["confirmed_by"] = marker.confirmed_by or "not confirmed"
    cells["confirmed_at"] = marker.confirmed_at.isoformat() if marker.confirmed_at else ""
    return cells


def _entry(clip: MarkedClip) -> dict[str, Any]:
    return {
        "fps": str(clip.rate),
        "frames": clip.frames,
        "start_timecode": clip.start_timecode,
        "drop_frame": clip.drop_frame,
        "verdict": clip.verdict,
        "reason": clip.reason,
        "claps": [_clap(marker) for marker in clip.claps],
        "checkpoint": clip.checkpoint or None,
    } | {**_slate(clip), **({"sound": sound_of(clip)} if clip.sound else {})}


def _clap(marker: Marker) -> dict[str, Any]:
    """What every clap has, and of the rest what this one has."""
    said = asdict(marker)
    said["confirmed_at"] = marker.confirmed_at.isoformat() if marker.confirmed_at else None
    always = ("frame", "timecode", "seconds", "confidence", "sure", "kind", "confirmed_by")
    return {name: value for name, value in said.items() if name in always or value not in (None, "")}


def _sound_cells(clip: MarkedClip) -> dict[str, object]:
    said = {name: "" if value is None else value for name, value in sound_of(clip).items()}
    if said:
        said["sure"] = "yes" if said["sure"] else "no"
    return {f"sound_{name}": value for name, value in said.items() if f"sound_{name}" in COLUMNS}


def sound_of(clip: MarkedClip) -> dict[str, Any]:
    """What is known of a clip's place in a recorder's file; empty where there is none."""
    if clip.sound is None:
        return {}
    said = {name: value for name, value in asdict(clip.sound).items() if value != ""}
    return said | {"offset_frames": round(float(clip.sound.offset_frames(clip.fps)), 4)}


def _slate(clip: MarkedClip) -> dict[str, str]:
    return on_slate({name: getattr(clip, name) for name in _ON_SLATE}, clip.suggested)


def on_slate(accepted: Mapping[str, str], suggested: Mapping[str, str]) -> dict[str, str]:
    """What is written on the slate; `slate_text` says whether a person has accepted it."""
    if slate := {name: text for name, text in accepted.items() if text}:
        return slate | {"slate_text": "accepted"}
    return {**suggested, "slate_text": "suggested"} if suggested else {}

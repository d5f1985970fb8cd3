"""The claps of clips as files: CSV, and JSON in the schema of `secondsticks scan --json`."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from secondsticks.detection.board import reason_of, scan_of
from secondsticks.detection.models import Clap, Scan
from secondsticks.detection.moves import ScanState
from secondsticks.footage.models import Clip

COLUMNS = (
    *("clip", "clap", "timecode", "frame", "seconds", "fps", "start_timecode", "drop_frame"),
    *("confidence", "verdict", "reason", "checkpoint"),
)
NOT_YET = "This clip has not been scanned yet."


def as_csv(clips: Iterable[Clip]) -> str:
    """One line per clap; a clip without one has one line with empty clap columns. Clips from `with_scans`."""
    text = io.StringIO()
    lines = csv.DictWriter(text, COLUMNS, restval="")
    lines.writeheader()
    for clip in clips:
        for line in _lines(clip):
            lines.writerow({column: disarmed(value) for column, value in line.items()})
    return text.getvalue()


def as_document(clips: Iterable[Clip]) -> dict:
    """The document of docs/scan-json.md; a clip's `path` is its name. Clips from `with_scans`."""
    document: dict = {"version": 1, "clips": [], "failed": []}
    for clip in clips:
        scan = scan_of(clip)
        if scan is not None and scan.state == ScanState.DONE:
            document["clips"].append(_entry(clip, scan))
        else:
            document["failed"].append({"path": clip.name, "error": reason_of(clip, scan) or NOT_YET})
    return document


def disarmed(value: object) -> object:
    """Text that a spreadsheet would run as a formula, made plain by a leading apostrophe."""
    if isinstance(value, str) and value.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n")):
        return f"'{value}"
    return value


def _lines(clip: Clip) -> Iterator[dict]:
    scan = scan_of(clip)
    line: dict = {"clip": clip.name, "reason": reason_of(clip, scan) or NOT_YET}
    if clip.frames:
        line |= {
            "fps": str(clip.rate),
            "start_timecode": clip.start_timecode or "",
            "drop_frame": "yes" if clip.drop_frame else "no",
        }
    if scan is None or scan.state != ScanState.DONE:
        yield line
        return
    line |= {"verdict": scan.verdict, "checkpoint": scan.checkpoint.short_sha if scan.checkpoint else ""}
    claps = list(scan.claps.all())
    for number, clap in enumerate(claps, start=1):
        yield line | {"clap": number} | _clap(clap)
    if not claps:
        yield line


def _entry(clip: Clip, scan: Scan) -> dict:
    return {
        "path": clip.name,
        "fps": str(clip.rate),
        "frames": clip.frames,
        "start_timecode": clip.start_timecode,
        "drop_frame": clip.drop_frame,
        "verdict": scan.verdict,
        "reason": scan.reason,
        "claps": [_clap(clap) for clap in scan.claps.all()],
        "checkpoint": scan.checkpoint.sha256 if scan.checkpoint else None,
    }


def _clap(clap: Clap) -> dict:
    return {
        "frame": clap.frame,
        "timecode": clap.timecode,
        "seconds": clap.seconds,
        "confidence": clap.confidence,
    }

"""The text that goes with a bundle: what each file is for, and what is not in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from secondsticks.markers.clips import MarkedClip
from secondsticks.markers.words import one_line

_USES = """\
resolve/*.edl   DaVinci Resolve: right-click a timeline, Timelines > Import > Timeline Markers from EDL.
                One file for each clip; the timeline must start at the timecode given below.
avid/*.txt      Media Composer: Tools > Markers, import. One file for each clip.
*.ale           Media Composer: import into a bin. One line for each clip, also those without a clap.
*.fcpxml        Final Cut Pro: File > Import > XML.
*.xml           Premiere Pro: File > Import (FCP7 XML).
*.otio          Programs that read OpenTimelineIO.
*.csv, *.json   Spreadsheets and scripts; they tell of every clip.
"""


def readme(clips: Sequence[MarkedClip], files: Iterable[str], *, include_unsure: bool) -> str:
    read = [clip for clip in clips if clip.is_read]
    unsure = sum(not marker.sure for clip in read for marker in clip.claps)
    parts = [f"Clips: {len(clips)}. Claps: {sum(len(clip.claps) for clip in read)}. Made by Second Sticks."]
    if unsure:
        shown = (
            "They are red and their names begin with LOOK." if include_unsure else "They are left out here."
        )
        parts.append(f"{unsure} of the claps should be looked at. {shown}")
    parts.append(_USES.rstrip())
    if any(path.startswith("resolve/") for path in files):
        parts.append(
            _list(
                "Timelines start at",
                [(clip, clip.timecode_at(0)) for clip in read if clip.claps and clip.start is not None],
            )
        )
    parts.append(
        _list(
            "Not scanned, so only in CSV and JSON",
            [(clip, clip.reason) for clip in clips if not clip.is_read],
        )
    )
    uncounted = [(clip, f"{float(clip.fps):g} frames per second") for clip in read if clip.start is None]
    parts.append(_list("No timecode counts these, so not in the EDL, Avid and ALE files", uncounted))
    return "\n\n".join(part for part in parts if part) + "\n"


def _list(title: str, rows: list[tuple[MarkedClip, str]]) -> str:
    lines = [f"  {one_line(clip.name)}: {one_line(text)}" for clip, text in rows]
    return "\n".join([f"{title}:", *lines]) if lines else ""

"""DaVinci Resolve's marker EDL: a one-frame CMX 3600 event for each marker, then its colour and name.

The shape is the one that Resolve writes and reads itself (Timelines > Import > Timeline Markers from EDL).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from secondsticks.markers.clips import MarkedClip, Marker
from secondsticks.markers.words import details_of, name_of, one_line


def as_edl(clips: Sequence[MarkedClip]) -> str:
    """The markers of one clip, for a timeline that starts at the clip's start timecode."""
    (clip,) = clips
    counting = "DROP FRAME" if clip.drop_frame else "NON-DROP FRAME"
    lines = [f"TITLE: {one_line(clip.name, longest=70)}", f"FCM: {counting}", ""]
    # Resolve drops all but one of the markers on a frame.
    for number, (frame, markers) in enumerate(groupby(clip.claps, key=clip.place), start=1):
        lines += _event(clip, number, frame, list(markers))
    return "\n".join(lines) + "\n"


def _event(clip: MarkedClip, number: int, frame: int, markers: list[Marker]) -> Iterator[str]:
    first, after = clip.timecode_at(frame), clip.timecode_at(frame + 1)
    unsure = any(not marker.sure for marker in markers)
    # A bar ends the text of each field.
    name = one_line(
        " + ".join(name_of(clip, one) for one in _unsure_first(markers)), longest=150, without="|"
    )
    note = one_line("; ".join(details_of(clip, one) for one in _unsure_first(markers)), without="|")
    yield f"{number:03}  001      V     C        {first} {after} {first} {after}"
    yield f"{note} |C:ResolveColor{'Red' if unsure else 'Green'} |M:{name} |D:1"
    yield ""


def _unsure_first(markers: list[Marker]) -> list[Marker]:
    return sorted(markers, key=lambda marker: marker.sure)

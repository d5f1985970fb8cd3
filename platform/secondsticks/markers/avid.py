"""Media Composer's markers as text: user, timecode, track, colour, comment, frames, separated by tabs."""

from __future__ import annotations

from collections.abc import Sequence

from secondsticks.markers.clips import MarkedClip
from secondsticks.markers.words import OURSELVES, details_of, look_of, name_of, one_line


def as_avid_markers(clips: Sequence[MarkedClip]) -> str:
    """The markers of one clip, for that clip or a sequence that starts at its start timecode."""
    (clip,) = clips
    lines = []
    for marker in clip.claps:
        comment = f"{name_of(clip, marker)}: {details_of(clip, marker)}"
        fields = (
            one_line(marker.confirmed_by or "", longest=60) or OURSELVES,
            clip.timecode_at(clip.place(marker)),
            "V1",
            look_of(marker).value,
            one_line(comment),
            "1",
        )
        lines.append("\t".join(fields) + "\n")
    return "".join(lines)

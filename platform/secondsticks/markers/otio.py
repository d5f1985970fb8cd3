"""OpenTimelineIO: one timeline with the clips one after the other, each with its markers in media time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from secondsticks.markers.clips import MarkedClip, Marker
from secondsticks.markers.tables import sound_of
from secondsticks.markers.words import Look, details_of, look_of, name_of, one_line
from secondsticks.markers.xml import address_of

if TYPE_CHECKING:
    from opentimelineio.opentime import TimeRange
    from opentimelineio.schema import Clip


def as_otio(clips: Sequence[MarkedClip]) -> str:
    """Frames count from midnight where a clip has a timecode, as OpenTimelineIO means media time."""
    from opentimelineio import adapters, schema  # half a second that no other format needs to wait for

    timeline = schema.Timeline(one_line(clips[0].name) if len(clips) == 1 else "Claps")
    track = schema.Track("V1", kind=schema.TrackKind.Video)
    timeline.tracks.append(track)
    for clip in clips:
        track.append(_clip(clip))
    if len(clips) == 1:
        timeline.global_start_time = _range(clips[0], 0, 1).start_time
    return str(adapters.write_to_string(timeline, "otio_json"))


def _clip(clip: MarkedClip) -> Clip:
    from opentimelineio import schema

    span = _range(clip, 0, clip.length)
    media = schema.ExternalReference(target_url=address_of(clip), available_range=span)
    media.name = one_line(clip.name)
    made = schema.Clip(media.name, media_reference=media, source_range=span)
    made.metadata["secondsticks"] = _facts_of(clip)
    for marker in clip.claps:
        made.markers.append(
            schema.Marker(
                name=one_line(name_of(clip, marker)),
                marked_range=_range(clip, clip.place(marker), 1),
                color={Look.SURE: schema.MarkerColor.GREEN, Look.UNSURE: schema.MarkerColor.RED}[
                    look_of(marker)
                ],
                comment=one_line(details_of(clip, marker)),
                metadata={"secondsticks": _facts_of_marker(marker)},
            )
        )
    return made


def _range(clip: MarkedClip, frame: int, frames: int) -> TimeRange:
    from opentimelineio.opentime import RationalTime, TimeRange

    rate = float(clip.fps)
    return TimeRange(RationalTime((clip.start or 0) + frame, rate), RationalTime(frames, rate))


def _facts_of(clip: MarkedClip) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "fps": str(clip.rate),
        "start_timecode": clip.start_timecode,
        "drop_frame": clip.drop_frame,
        "verdict": clip.verdict,
        "reason": one_line(clip.reason),
        "checkpoint": clip.checkpoint,
    }
    slate = {name: one_line(getattr(clip, name)) for name in ("scene", "take", "roll", "camera")}
    facts |= slate | {"sound": _plain(sound_of(clip))}
    return {name: value for name, value in facts.items() if value not in (None, "", {})}


def _plain(said: dict[str, Any]) -> dict[str, Any]:
    return {name: one_line(value) if isinstance(value, str) else value for name, value in said.items()}


def _facts_of_marker(marker: Marker) -> dict[str, Any]:
    facts = {
        name: getattr(marker, name) for name in ("frame", "timecode", "seconds", "confidence", "sure", "kind")
    }
    facts |= {
        name: getattr(marker, name) for name in ("checkpoint", "sample", "sample_rate", "disagreement_ms")
    }
    facts["confirmed_by"] = one_line(marker.confirmed_by) if marker.confirmed_by else None
    facts["confirmed_at"] = marker.confirmed_at.isoformat() if marker.confirmed_at else None
    return {name: value for name, value in facts.items() if value not in (None, "")}

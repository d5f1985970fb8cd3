"""FCPXML 1.10 for Final Cut Pro: an event with the clips, each with its markers.

Order of elements and attributes after Apple's DTD. All times are exact fractions of a second:
multiples of the frame duration, counted from midnight where the clip has a timecode.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from xml.etree.ElementTree import Element

from secondsticks.markers.clips import MarkedClip, Marker
from secondsticks.markers.words import details_of, name_of
from secondsticks.markers.xml import add, address_of, document


def as_fcpxml(clips: Sequence[MarkedClip]) -> str:
    root = Element("fcpxml", version="1.10")
    resources = add(root, "resources")
    event = add(root, "event", name="Claps")
    formats: dict[tuple[object, ...], str] = {}
    for number, clip in enumerate(clips, start=1):
        kind = (clip.rate, clip.width, clip.height)
        if kind not in formats:
            formats[kind] = f"f{len(formats) + 1}"
            _format(resources, clip, formats[kind])
        _asset(resources, clip, f"a{number}", formats[kind])
        _asset_clip(event, clip, f"a{number}", formats[kind])
    return document(root)


def seconds(frames: int, rate: Fraction) -> str:
    """Frames as FCPXML writes time: `1001/24000s`, `5s`."""
    return f"{frames / rate}s"


def _format(resources: Element, clip: MarkedClip, name: str) -> None:
    size = {"width": clip.width, "height": clip.height} if clip.width and clip.height else {}
    add(resources, "format", id=name, frameDuration=seconds(1, clip.fps), **size)


def _asset(resources: Element, clip: MarkedClip, name: str, kind: str) -> None:
    sound = {"hasAudio": 1, "audioSources": 1, "audioChannels": clip.channels, "audioRate": clip.sample_rate}
    asset = add(
        resources, "asset", id=name, name=clip.name, **_span(clip), hasVideo=1, format=kind, videoSources=1,
        **(sound if clip.channels else {}),
    )  # fmt: skip
    add(asset, "media-rep", kind="original-media", src=address_of(clip))


def _asset_clip(event: Element, clip: MarkedClip, asset: str, kind: str) -> None:
    counting = "DF" if clip.drop_frame else "NDF"
    span = _span(clip)
    element = add(event, "asset-clip", ref=asset, name=clip.name, **span, format=kind, tcFormat=counting)
    if clip.reason:
        add(element, "note", f"{clip.verdict}: {clip.reason}")
    for marker in clip.claps:
        _marker(element, clip, marker)


def _marker(element: Element, clip: MarkedClip, marker: Marker) -> None:
    # FCPXML has no colours; an unsure clap is an open to-do, which Final Cut shows red and lists by itself.
    todo = {} if marker.sure else {"completed": 0}
    frame = (clip.start or 0) + clip.place(marker)
    add(
        element, "marker", start=seconds(frame, clip.fps), duration=seconds(1, clip.fps),
        value=name_of(clip, marker), **todo, note=details_of(clip, marker),
    )  # fmt: skip


def _span(clip: MarkedClip) -> dict[str, str]:
    return {"start": seconds(clip.start or 0, clip.fps), "duration": seconds(clip.length, clip.fps)}

"""FCP7 XML (xmeml 5), the file from which Premiere Pro takes markers: clips on a sequence for each rate.

Why not by the adapter of OpenTimelineIO: see docs/exports.md. The tests read with it what is written here.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import groupby
from xml.etree.ElementTree import Element

from secondsticks.markers.clips import MarkedClip, Marker
from secondsticks.markers.words import details_of, name_of, rate_name
from secondsticks.markers.xml import add, address_of, document

#: Premiere's own red, as it writes it (alpha, blue, green, red); without it a marker has its usual green.
_PREMIERE_RED = 0xFF362CD2
_RED, _GREEN = (255, 0, 0), (0, 255, 0)


def as_fcp7(clips: Sequence[MarkedClip]) -> str:
    root = Element("xmeml", version="5")
    project = add(root, "project")
    add(project, "name", "Claps")
    children = add(project, "children")
    numbered = sorted(enumerate(clips, start=1), key=lambda pair: pair[1].fps)
    for number, (rate, group) in enumerate(groupby(numbered, key=lambda pair: pair[1].fps), start=1):
        _sequence(children, number, rate, list(group))
    return document(root)


def _sequence(children: Element, number: int, rate: Fraction, clips: list[tuple[int, MarkedClip]]) -> None:
    """The clips one after the other. One clip alone keeps its timecode."""
    alone = clips[0][1] if len(clips) == 1 else None
    sequence = add(children, "sequence", id=f"sequence-{number}")
    add(sequence, "name", alone.name if alone else f"Claps {rate_name(rate)}")
    add(sequence, "duration", sum(clip.length for _, clip in clips))
    _rate(sequence, rate)
    _timecode(sequence, alone or MarkedClip(name="", rate=rate))
    media = add(sequence, "media")
    video = add(media, "video")
    characteristics = add(add(video, "format"), "samplecharacteristics")
    _rate(characteristics, rate)
    _size(characteristics, clips[0][1])
    track, end = add(video, "track"), 0
    for name, clip in clips:
        _clip_item(track, clip, name, end)
        end += clip.length


def _clip_item(track: Element, clip: MarkedClip, number: int, start: int) -> None:
    item = add(track, "clipitem", id=f"clipitem-{number}")
    add(item, "name", clip.name)
    add(item, "enabled", "TRUE")
    add(item, "duration", clip.length)
    _rate(item, clip.fps)
    for name, frame in (("start", start), ("end", start + clip.length), ("in", 0), ("out", clip.length)):
        add(item, name, frame)
    _file(item, clip, f"file-{number}")
    for marker in clip.claps:
        _marker(item, clip, marker)


def _file(item: Element, clip: MarkedClip, name: str) -> None:
    file = add(item, "file", id=name)
    add(file, "name", clip.name)
    add(file, "pathurl", address_of(clip, host="localhost"))
    _rate(file, clip.fps)
    add(file, "duration", clip.length)
    _timecode(file, clip)
    media = add(file, "media")
    characteristics = add(add(media, "video"), "samplecharacteristics")
    _rate(characteristics, clip.fps)
    _size(characteristics, clip)
    if clip.channels:
        audio = add(media, "audio")
        add(add(audio, "samplecharacteristics"), "samplerate", clip.sample_rate)
        add(audio, "channelcount", clip.channels)


def _marker(item: Element, clip: MarkedClip, marker: Marker) -> None:
    """A point in the clip, counted from its first frame."""
    element = add(item, "marker")
    add(element, "comment", details_of(clip, marker))
    add(element, "name", name_of(clip, marker))
    add(element, "in", clip.place(marker))
    add(element, "out", -1)
    color = add(element, "color")
    for part, value in zip(("red", "green", "blue"), _GREEN if marker.sure else _RED, strict=True):
        add(color, part, value)
    if not marker.sure:
        add(element, "pproColor", _PREMIERE_RED)


def _rate(parent: Element, rate: Fraction) -> None:
    element = add(parent, "rate")
    add(element, "timebase", round(rate))
    add(element, "ntsc", "TRUE" if rate == Fraction(round(rate) * 1000, 1001) else "FALSE")


def _timecode(parent: Element, clip: MarkedClip) -> None:
    if clip.start is None:  # a rate that timecode cannot count
        return
    timecode = add(parent, "timecode")
    _rate(timecode, clip.fps)
    add(timecode, "string", clip.timecode_at(0))
    add(timecode, "frame", clip.start)
    add(timecode, "displayformat", "DF" if clip.drop_frame else "NDF")


def _size(characteristics: Element, clip: MarkedClip) -> None:
    if clip.width and clip.height:
        add(characteristics, "width", clip.width)
        add(characteristics, "height", clip.height)

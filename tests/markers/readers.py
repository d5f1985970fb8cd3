"""Readers of the exported files that share no code with their writers: each gives (frame, name, is red)."""

from __future__ import annotations

import csv
import io
import json
import re
from fractions import Fraction
from typing import NamedTuple
from xml.etree import ElementTree

import opentimelineio as otio

from secondsticks.markers import MarkedClip
from tests.markers.takes import frame_of


class Found(NamedTuple):
    frame: int  # of the clip, from 0
    name: str
    red: bool
    note: str


_EVENT = re.compile(r"(\d{3,})  001      V     C        (\S+) (\S+) (\S+) (\S+)")
_LOOKS = re.compile(r"([^|]*) \|C:ResolveColor(\w+) \|M:([^|]*) \|D:1")


def read_edl(text: str, clip: MarkedClip) -> list[Found]:
    title, counting, empty, *lines = text.split("\n")
    assert title.startswith("TITLE: ") and not empty
    assert counting == ("FCM: DROP FRAME" if clip.drop_frame else "FCM: NON-DROP FRAME")
    found = []
    for number, (event, looks, gap) in enumerate(zip(*[iter(lines)] * 3, strict=False), start=1):
        (said, start, end, record_start, record_end) = _EVENT.fullmatch(event).groups()  # type: ignore[union-attr]
        note, color, name = _LOOKS.fullmatch(looks).groups()  # type: ignore[union-attr]
        assert (int(said), start, end, gap) == (number, record_start, record_end, "")
        assert frame_of(end, clip) == frame_of(start, clip) + 1
        found.append(Found(frame_of(start, clip), name, color == "Red", note))
    return found


def read_avid(text: str, clip: MarkedClip) -> list[Found]:
    found = []
    for line in text.splitlines():
        user, timecode, track, color, comment, length = line.split("\t")
        assert user and (track, length) == ("V1", "1")
        assert color in ("red", "green", "blue", "cyan", "magenta", "yellow", "black", "white")
        name, _, note = comment.partition(": ") if color != "red" else ("LOOK: clap 2 of 4?", "", comment)
        found.append(Found(frame_of(timecode, clip), name, color == "red", note))
    return found


def read_ale(text: str) -> tuple[dict[str, str], list[dict[str, str]], list[otio.schema.Clip]]:
    """The heading and rows, split by hand, and the same file as OpenTimelineIO's adapter reads it."""
    heading, _, rest = text.partition("\r\n\r\nColumn\r\n")
    columns, _, rows = rest.partition("\r\n\r\nData\r\n")
    names = columns.split("\t")
    assert heading.startswith("Heading\r\n") and len(set(names)) == len(names) <= 64
    cells = [row.split("\t") for row in rows.removesuffix("\r\n").split("\r\n")]
    assert all(len(row) == len(names) for row in cells)
    pairs = dict(line.split("\t") for line in heading.split("\r\n")[1:])
    read = otio.adapters.read_from_string(text, "ale")
    return pairs, [dict(zip(names, row, strict=True)) for row in cells], list(read)


#: The DTD of FCPXML 1.10, as far as we use it: children in order, attributes that must be there, others.
_FCPXML = {
    "fcpxml": (["resources", "event"], {"version"}, set()),
    "resources": (["format", "asset"], set(), set()),
    "format": ([], {"id"}, {"frameDuration", "width", "height"}),
    "asset": (
        ["media-rep"],
        {"id"},
        {"name", "start", "duration", "hasVideo", "format", "videoSources"}
        | {"hasAudio", "audioSources", "audioChannels", "audioRate"},
    ),
    "media-rep": ([], {"src"}, {"kind"}),
    "event": (["asset-clip"], set(), {"name"}),
    "asset-clip": (["note", "marker"], {"ref"}, {"name", "start", "duration", "format", "tcFormat"}),
    "note": ([], set(), set()),
    "marker": ([], {"start", "value"}, {"duration", "completed", "note"}),
}


def read_fcpxml(text: str) -> list[list[Found]]:
    """The markers of each clip. Checks the file against the DTD and every time against the frames."""
    assert text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE fcpxml>\n')
    root = ElementTree.fromstring(text.encode())
    for element in root.iter():
        children, needed, allowed = _FCPXML[element.tag]
        assert needed <= set(element.keys()) <= needed | allowed
        order = [children.index(child.tag) for child in element]
        assert element.tag == "resources" or order == sorted(order)
    by_id = {element.get("id"): element for element in root.find("resources") or ()}
    assert len(by_id) == len(root.find("resources") or ())
    return [_fcpxml_markers(element, by_id) for element in root.iter("asset-clip")]


def _fcpxml_markers(
    element: ElementTree.Element, by_id: dict[str | None, ElementTree.Element]
) -> list[Found]:
    asset = by_id[element.get("ref")]
    assert asset.tag == "asset" and asset.get("format") == element.get("format")
    frame = _seconds(by_id[element.get("format")].attrib["frameDuration"])
    start = _seconds(asset.attrib["start"])
    assert start == _seconds(element.attrib["start"])
    found = []
    for marker in element.iter("marker"):
        number = (_seconds(marker.attrib["start"]) - start) / frame
        assert number.denominator == 1 and 0 <= number < _seconds(element.attrib["duration"]) / frame
        assert _seconds(marker.attrib["duration"]) == frame
        found.append(
            Found(int(number), marker.attrib["value"], marker.get("completed") == "0", marker.attrib["note"])
        )
    return found


def _seconds(text: str) -> Fraction:
    assert text.endswith("s")
    return Fraction(text[:-1])


def read_fcp7(text: str) -> dict[str, list[tuple[otio.schema.Clip, list[Found]]]]:
    """Sequence -> its clips and their markers, as OpenTimelineIO's adapter reads them."""
    assert text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE xmeml>\n<xmeml version="5">')
    read = otio.adapters.read_from_string(text, "fcp_xml")
    timelines = [read] if isinstance(read, otio.schema.Timeline) else list(read)
    return {
        timeline.name: [(clip, [_fcp7_marker(one) for one in clip.markers]) for clip in timeline.find_clips()]
        for timeline in timelines
    }


def _fcp7_marker(marker: otio.schema.Marker) -> Found:
    said = marker.metadata["fcp_xml"]
    color = tuple(int(said["color"][part]) for part in ("red", "green", "blue"))
    assert color in ((255, 0, 0), (0, 255, 0)) and ("pproColor" in said) == (color == (255, 0, 0))
    return Found(int(marker.marked_range.start_time.value), marker.name, color[0] > 0, said["comment"])


def read_otio(text: str) -> list[list[Found]]:
    """The markers of each clip, from the plain JSON; that the library reads it too is another test."""
    (track,) = json.loads(text)["tracks"]["children"]
    found = []
    for clip in track["children"]:
        start = clip["media_references"]["DEFAULT_MEDIA"]["available_range"]["start_time"]
        found.append(
            [
                Found(
                    int(marker["marked_range"]["start_time"]["value"] - start["value"]),
                    *(marker["name"], marker["color"] == "RED", marker["comment"]),
                )
                for marker in clip["markers"]
            ]
        )
    return found


def read_csv(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))

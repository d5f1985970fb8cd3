"""The formats by name, and which clips go into a file of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from secondsticks.markers.ale import as_ale
from secondsticks.markers.avid import as_avid_markers
from secondsticks.markers.clips import MarkedClip
from secondsticks.markers.edl import as_edl
from secondsticks.markers.fcp7 import as_fcp7
from secondsticks.markers.fcpxml import as_fcpxml
from secondsticks.markers.otio import as_otio
from secondsticks.markers.tables import as_csv, as_json
from secondsticks.markers.words import rate_name

Group = tuple[str, list[MarkedClip]]


def in_one(clips: Sequence[MarkedClip]) -> list[Group]:
    """All clips, also those that were not read."""
    return [("", list(clips))]


def read_in_one(clips: Sequence[MarkedClip]) -> list[Group]:
    read = [clip for clip in clips if clip.is_read]
    return [("", read)] if read else []


def one_each(clips: Sequence[MarkedClip]) -> list[Group]:
    """A file for each clip with markers; a clip that is asked for alone has one anyhow."""
    return [(clip.name, [clip]) for clip in _countable(clips) if clip.claps or len(clips) == 1]


def one_each_rate(clips: Sequence[MarkedClip]) -> list[Group]:
    by_rate = sorted(_countable(clips), key=lambda clip: clip.fps)
    groups = [(rate_name(rate), list(group)) for rate, group in groupby(by_rate, key=lambda clip: clip.fps)]
    return groups if len(groups) > 1 else [("", group) for _, group in groups]


def _countable(clips: Iterable[MarkedClip]) -> list[MarkedClip]:
    """Clips with a timecode: these formats have no other way to say where a frame is."""
    return [clip for clip in clips if clip.is_read and clip.start is not None]


@dataclass(frozen=True)
class Format:
    """A kind of file. `groups` says which clips share one, and what tells the files apart."""

    name: str
    title: str
    suffix: str
    media_type: str
    text_of: Callable[[Sequence[MarkedClip]], str]
    groups: Callable[[Sequence[MarkedClip]], list[Group]]
    folder: str = ""  # in a bundle, for formats of many files

    def write(self, clips: Sequence[MarkedClip], *, include_unsure: bool = True) -> bytes:
        """One file, of clips that may share one."""
        chosen = clips if include_unsure else without_unsure(clips)
        # Names of any bytes come in as lone surrogates, which UTF-8 cannot hold.
        return self.text_of(chosen).encode("utf-8", "replace")


def without_unsure(clips: Iterable[MarkedClip]) -> list[MarkedClip]:
    """The clips with their sure markers alone."""
    return [replace(clip, claps=tuple(marker for marker in clip.claps if marker.sure)) for clip in clips]


_ALL = (
    Format("csv", "CSV", "csv", "text/csv", as_csv, in_one),
    Format("json", "JSON", "json", "application/json", as_json, in_one),
    Format("edl", "Resolve marker EDL", "edl", "text/plain", as_edl, one_each, "resolve"),
    Format("avid", "Avid markers", "txt", "text/plain", as_avid_markers, one_each, "avid"),
    Format("ale", "Avid Log Exchange (ALE)", "ale", "text/plain", as_ale, one_each_rate),
    Format("fcpxml", "Final Cut Pro (FCPXML)", "fcpxml", "application/xml", as_fcpxml, read_in_one),
    Format("fcp7", "Premiere Pro (FCP7 XML)", "xml", "application/xml", as_fcp7, read_in_one),
    Format("otio", "OpenTimelineIO", "otio", "application/json", as_otio, read_in_one),
)
FORMATS = {format.name: format for format in _ALL}

"""Opening a video file and listing its packets, in the decode child.

Runs only behind the fence (training.footage.fence).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias

import av
from av.container import InputContainer
from av.stream import Stream
from av.video.stream import VideoStream

from training.footage.facts import FootageError, Limits

#: Formats that hold pictures themselves. Playlists, concat texts and SDP open other things: never here.
FORMATS = ("mov", "mp4", "matroska", "webm", "mpegts", "mxf", "avi")
_MOST_READ_ERRORS = 100

Beat = Callable[[], None]
#: PTS, DTS, is a keyframe, is hidden by an edit list.
Seen: TypeAlias = tuple[int | None, int | None, bool, bool]


def open_container(path: Path, limits: Limits) -> tuple[InputContainer, VideoStream]:
    """The container and its picture, within the header limits; nothing is decoded by us yet."""
    options = {
        "protocol_whitelist": "file",
        "format_whitelist": ",".join(FORMATS),
        "max_pixels": str(limits.pixels),
    }
    try:
        # The prefix keeps a name like "concat:a|b" from being read as a protocol.
        container = av.open(f"file:{path}", "r", options=options, metadata_errors="replace")
    except (av.error.InvalidDataError, av.error.EOFError):
        raise _unreadable(path) from None
    except av.error.ArgumentError:
        raise FootageError("refused_format", "Files of this format are not read here.") from None
    stream = _picture(container)
    _check_header(container, stream, limits)
    for other in container.streams:
        if other is not stream:
            other.discard = av.stream.Discard.all
    stream.codec_context.options = {"max_pixels": str(limits.pixels)}
    # Frame threads would make damaged pictures differ from run to run.
    stream.thread_type = "SLICE"
    return container, stream


def _unreadable(path: Path) -> FootageError:
    with path.open("rb") as file:
        head = file.read(12)
    known = head[4:8] in {b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"} or head.startswith(
        (b"\x1aE\xdf\xa3", b"\x06\x0e+4", b"RIFF", b"G")
    )
    if known:
        return FootageError("broken", "The file is damaged or was not written to its end.")
    return FootageError("not_video", "This is not a video file that can be read here.")


def _picture(container: InputContainer) -> VideoStream:
    """The first real picture track; cover art is none."""
    hidden = av.stream.Disposition.attached_pic | av.stream.Disposition.timed_thumbnails
    pictures = [s for s in container.streams.video if not s.disposition & hidden]
    if not pictures:
        what = "has sound but no picture" if container.streams.audio else "has no picture"
        raise FootageError("no_picture", f"The file {what}.")
    pictures.sort(key=lambda s: not s.disposition & av.stream.Disposition.default)
    if pictures[0].codec_context is None:
        raise FootageError("refused_format", "The picture is coded in a way that is not read here.")
    return pictures[0]


def _check_header(container: InputContainer, stream: VideoStream, limits: Limits) -> None:
    width, height = stream.codec_context.width, stream.codec_context.height
    if not width or not height:  # libav wipes the size of a picture over max_pixels
        most = limits.pixels // 1_000_000
        raise FootageError("too_large", f"The picture is too large (over {most} million pixels) or damaged.")
    if max(width, height) > limits.longest_side or width * height > limits.pixels:
        raise FootageError("too_large", f"The picture is too large: {width} x {height} pixels.")
    if (container.duration or 0) > limits.seconds * 1_000_000:
        raise FootageError("too_long", f"The clip is too long: over {limits.seconds / 3600:g} hours.")
    if stream.frames > limits.frames:
        raise too_many_frames(limits)


def too_many_frames(limits: Limits) -> FootageError:
    return FootageError("too_long", f"The clip is too long: over {limits.frames} frames.")


@dataclass(frozen=True, slots=True)
class Packets:
    """All packets of the picture, by their PTS."""

    times: list[int]  # PTS of the shown frames, sorted: the frame number is the rank
    place: dict[int, int]  # PTS of any packet -> its position in the file's order
    dts: dict[int, int]  # PTS of a keyframe -> its DTS
    keys: list[int]  # PTS of the keyframes, sorted
    timed: bool  # False: the file has no PTS, and frames are counted from the start
    hidden: int  # frames that an edit list cuts away
    declared: int  # frames that should be there by the file's own index; 0: it does not say
    unreadable: int  # places in the file that could not be read

    def key_before(self, pts: int, earlier: int = 0) -> int:
        """PTS of the keyframe from which the frame at `pts` can be decoded, or of `earlier` ones."""
        return self.keys[max(0, bisect_right(self.keys, pts) - 1 - earlier)]

    def key_after(self, pts: int) -> int | None:
        behind = bisect_right(self.keys, pts)
        return self.keys[behind] if behind < len(self.keys) else None


def read_packets(container: InputContainer, stream: VideoStream, limits: Limits, beat: Beat) -> Packets:
    """List every packet: the only way to know each frame's number exactly."""
    listed = _from_index(container, stream)
    seen, unreadable = (listed, 0) if listed else _from_whole_file(container, stream, limits, beat)
    # AVI has no PTS; libavformat's guesses are wrong where frames are reordered.
    guessed = container.format.name == "avi" and bool(stream.codec_context.has_b_frames)
    timed = not guessed and all(pts is not None for pts, *_ in seen)
    if not timed:
        seen = _counted(seen)
    entries = [(pts, dts, key, hidden) for pts, dts, key, hidden in seen if pts is not None]
    dts_of_key = {pts: pts if dts is None else dts for pts, dts, key, _ in entries if key}
    if entries and not dts_of_key:  # refreshed bit by bit: decodable from its start on only
        dts_of_key = {entries[0][0]: entries[0][0]}
    first = min(dts_of_key, default=0)
    place: dict[int, int] = {}
    for position, (pts, *_) in enumerate(entries):
        place.setdefault(pts, position)
    # What is shown before the first keyframe can never be decoded.
    times = sorted({pts for pts, _, _, hidden in entries if pts >= first and not hidden})
    marked = sum(hidden for *_, hidden in entries)
    hidden, declared = marked, stream.frames
    if "mov" in container.format.name:  # its header counts what edit lists hide, its index mostly not
        hidden += max(0, stream.frames - len(stream.index_entries))
        declared = len(stream.index_entries) - marked
    return Packets(times, place, dts_of_key, sorted(dts_of_key), timed, hidden, declared, unreadable)


def _from_index(container: InputContainer, stream: VideoStream) -> list[Seen] | None:
    """For a mov of whole pictures (ProRes, DNxHR), whose index says all without reading gigabytes.

    Where frames are reordered the index lacks the PTS; None there, or if the first packets disagree.
    """
    if "mov" not in container.format.name or not stream.codec_context.codec.intra_only:
        return None
    size = container.size
    entries = [entry for entry in stream.index_entries if entry.pos + entry.size <= size]
    for entry, packet in zip(entries, islice(container.demux(stream), 3), strict=False):
        if (packet.pts, packet.dts, packet.pos) != (entry.timestamp, entry.timestamp, entry.pos):
            container.seek(entries[0].timestamp, stream=stream)
            return None
    return [(e.timestamp, e.timestamp, e.is_keyframe, e.is_discard) for e in entries]


def _from_whole_file(
    container: InputContainer, stream: VideoStream, limits: Limits, beat: Beat
) -> tuple[list[Seen], int]:
    """By demuxing all of it; and the number of places that could not be read."""
    seen: list[Seen] = []
    unreadable = 0
    for packet in demux(container, stream, beat=beat):
        if packet is None:
            unreadable += 1
            continue
        seen.append((packet.pts, packet.dts, packet.is_keyframe, packet.is_discard))
        if len(seen) > limits.frames:
            raise too_many_frames(limits)
    return seen, unreadable


def _counted(seen: list[Seen]) -> list[Seen]:
    """Times for a file that has none: the packets' DTS, made to rise; decodable from the start only."""
    counted: list[Seen] = []
    last = -1
    for n, (_, dts, _, hidden) in enumerate(seen):
        last = max(n if dts is None else dts, last + 1)
        counted.append((last, last, n == 0, hidden))
    return counted


def demux(container: InputContainer, *streams: Stream, beat: Beat) -> Iterator[av.Packet[Any] | None]:
    """The streams' packets from here on; None for each place that could not be read."""
    errors = 0
    while errors < _MOST_READ_ERRORS:
        try:
            for packet in container.demux(streams):
                beat()
                if packet.size:
                    yield packet
            return
        except av.error.FFmpegError:
            errors += 1
            yield None

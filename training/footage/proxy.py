"""A copy of a clip for the browser, written in the decode child. Runs only behind the fence.

H.264 4:2:0 8 bit with a keyframe every half second, AAC stereo, index at the front. No B-frames, so
that no edit list stands between the browser's clock and the frames' times.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Iterator
from pathlib import Path

import av
from av.container import OutputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace

from training.footage.facts import ClipFacts, FootageError, Limits
from training.footage.fence import Wire
from training.footage.packets import demux, open_container
from training.footage.pictures import shown, source_space
from training.footage.probing import Shape, facts_of
from training.footage.reel import Reel
from training.footage.soundtrack import Soundtrack

LONGEST_SIDE = 1280
_OPTIONS = {"preset": "veryfast", "crf": "21", "bf": "0", "profile": "high"}
_BT709 = 1
_NO_ROOM = {errno.ENOSPC, errno.EFBIG, errno.EDQUOT}


def write_proxy(path: Path, target: Path, limits: Limits, wire: Wire) -> None:
    """Decode everything once, in the order of the file; tell progress about once a second."""
    reel = Reel(path, limits, wire.still_working)
    facts, shape = facts_of(reel, path, wire.still_working)
    try:
        with av.open(str(target), "w", format="mp4", options={"movflags": "+faststart"}) as sink:
            _copy(path, limits, wire, _Pictures(sink, reel, shape, facts))
    except av.error.FFmpegError as error:
        if error.errno in _NO_ROOM:
            raise FootageError("no_space", "There is no room left to write the proxy.") from None
        raise


def _copy(path: Path, limits: Limits, wire: Wire, pictures: _Pictures) -> None:
    source, stream = open_container(path, limits)
    sound = Soundtrack.beside(source, pictures.sink, pictures.start)
    told = time.monotonic()
    streams = (stream, sound.source) if sound else (stream,)
    for packet in demux(source, *streams, beat=wire.still_working):
        if packet is None:
            continue
        if sound and packet.stream_index == sound.source.index:
            sound.write(packet)
            continue
        pictures.write(_decoded(stream, packet))
        if time.monotonic() - told > 1:
            told = time.monotonic()
            wire.tell({"is": "progress", "done": pictures.done, "total": pictures.total})
    pictures.write(_decoded(stream, None))
    pictures.finish()
    if sound:
        sound.finish()
    wire.tell({"is": "progress", "done": pictures.total, "total": pictures.total})


def _decoded(
    stream: av.video.stream.VideoStream, packet: av.Packet[av.video.stream.VideoStream] | None
) -> Iterator[VideoFrame]:
    try:
        yield from stream.codec_context.decode(packet)
    except av.error.FFmpegError as error:
        if isinstance(error, MemoryError):
            raise


class _Pictures:
    """Writes each frame at its own time, counted from the clip's first frame."""

    def __init__(self, sink: OutputContainer, reel: Reel, shape: Shape, facts: ClipFacts) -> None:
        self.sink, self._shape, self._reel = sink, shape, reel
        self.start = reel.packets.times[0] * reel.time_base
        self.total = facts.frames
        self.done = 0
        self._counted = self._last = -1
        self._stream = sink.add_stream("libx264", rate=facts.rate, options=_OPTIONS)
        width, height = shape.fitting(LONGEST_SIDE, even=True)
        context = self._stream.codec_context
        context.width, context.height, context.pix_fmt = width, height, "yuv420p"
        context.time_base = reel.time_base
        context.gop_size = max(1, round(facts.rate / 2))
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        context.color_range = ColorRange.MPEG

    def write(self, frames: Iterator[VideoFrame]) -> None:
        for frame in frames:
            self._counted += 1
            number = self._reel.number_of(frame, self._counted)
            if number is None or number <= self._last:
                continue
            self._last = number
            self.done = number + 1
            picture = self._fitted(frame)
            picture.pts = self._reel.packets.times[number] - self._reel.packets.times[0]
            picture.time_base = self._reel.time_base
            self.sink.mux(self._stream.encode(picture))

    def finish(self) -> None:
        self.sink.mux(self._stream.encode(None))

    def _fitted(self, frame: VideoFrame) -> VideoFrame:
        width, height = self._stream.codec_context.width, self._stream.codec_context.height
        if self._shape.quarter_turns:
            frame = VideoFrame.from_ndarray(shown(frame, self._shape, LONGEST_SIDE), format="rgb24")
        return frame.reformat(
            width,
            height,
            format="yuv420p",
            src_colorspace=source_space(frame),
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
        )

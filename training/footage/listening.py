"""The samples of a file's audio streams on the picture's clock, in the decode child.

Runs only behind the fence (training.footage.fence).
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream

from training.footage.facts import Limits
from training.footage.packets import Beat, demux, open_container
from training.sound.blocks import HIGHEST_RATE, MOST_CHANNELS, Samples, SoundBlock

#: A block is sent when it holds this many samples of each channel.
BLOCK = 1 << 15
#: Sound whose times differ by less from its count of samples goes on without a gap: times are often rounded.
JOINT = Fraction(1, 20)


def listen(path: Path, limits: Limits, start: Fraction, only: int | None, beat: Beat) -> Iterator[SoundBlock]:
    """All streams, or the one with index `only`, in the file's order; `start`: time of the first frame.

    The priming of AAC and what edit lists hide is gone: libav takes it off and moves the times.
    """
    container, _ = open_container(path, limits)
    with container:
        tracks = {
            stream.index: _Track(stream, start)
            for stream in container.streams.audio
            if only in (None, stream.index) and _is_readable(stream)
        }
        for track in tracks.values():
            track.stream.discard = av.stream.Discard.default
        if not tracks:
            return
        for packet in demux(container, *(track.stream for track in tracks.values()), beat=beat):
            if packet is not None:
                yield from tracks[packet.stream_index].take(packet)
        for track in tracks.values():
            yield from track.take(None)
            yield from track.rest()


def _is_readable(stream: AudioStream) -> bool:
    context = stream.codec_context
    return (
        context is not None
        and 0 < context.sample_rate <= HIGHEST_RATE
        and 0 < context.channels <= MOST_CHANNELS
    )


class _Track:
    """Gathers one stream's decoded frames into blocks."""

    def __init__(self, stream: AudioStream, start: Fraction) -> None:
        self.stream, self._start = stream, start
        self._rate, self._channels = stream.codec_context.sample_rate, stream.codec_context.channels
        self._held: list[Samples] = []
        self._first = 0  # of the held samples
        self._next: int | None = None  # None: nothing was decoded yet

    def take(self, packet: av.Packet[AudioStream] | None) -> Iterator[SoundBlock]:
        try:
            frames = self.stream.codec_context.decode(packet)
        except (av.error.InvalidDataError, av.error.ArgumentError, av.error.EOFError):
            return  # a damaged packet is a gap
        for frame in frames:
            if frame.sample_rate == self._rate and frame.layout.nb_channels == self._channels:
                yield from self._add(frame)

    def rest(self) -> Iterator[SoundBlock]:
        if self._held:
            samples = np.concatenate(self._held, axis=1)
            yield SoundBlock(self.stream.index, self._rate, self._first, samples)
        self._held = []

    def _add(self, frame: AudioFrame) -> Iterator[SoundBlock]:
        samples = planes(frame)
        at = self._place(frame)
        if self._next is not None and at < self._next:  # sound that was already there
            samples, at = samples[:, self._next - at :], self._next
        if not samples.shape[1]:
            return
        if self._next != at:
            yield from self.rest()
        if not self._held:
            self._first = at
        self._held.append(samples)
        self._next = at + samples.shape[1]
        if self._next - self._first >= BLOCK:
            yield from self.rest()

    def _place(self, frame: AudioFrame) -> int:
        """The frame's first sample on the clip's clock."""
        if frame.pts is None or frame.time_base is None:
            return self._next or 0
        at = round((frame.pts * frame.time_base - self._start) * self._rate)
        if self._next is not None and abs(at - self._next) < JOINT * self._rate:
            return self._next
        return at


def planes(frame: AudioFrame) -> Samples:
    """A decoded frame as float32 [channels, n], whatever its sample format."""
    values = frame.to_ndarray()
    if frame.format.is_packed:
        values = values.reshape(-1, frame.layout.nb_channels).T
    if values.dtype.kind == "u":
        values = values.astype(np.float32) - 128
        return np.ascontiguousarray(values / 128, np.float32)
    if values.dtype.kind == "i":
        full = float(1 << (values.dtype.itemsize * 8 - 1))
        return np.ascontiguousarray(values / full, np.float32)
    return np.ascontiguousarray(np.nan_to_num(values, posinf=0.0, neginf=0.0), np.float32)

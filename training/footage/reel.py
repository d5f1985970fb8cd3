"""Any frame of an opened video file by its number, in the decode child.

Runs only behind the fence (training.footage.fence).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import inf
from pathlib import Path
from typing import TypeAlias

import av
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from training.footage.complaints import Complaints
from training.footage.facts import FootageError, Limits
from training.footage.packets import Beat, demux, open_container, read_packets

#: Reading on is cheaper than a seek up to about this many packets.
_NEAR = 8
#: How far behind a frame's packet to look for it in a damaged file.
_FAR = 64

VideoPacket: TypeAlias = "av.Packet[VideoStream]"


@dataclass(frozen=True, slots=True)
class Shot:
    """A decoded frame. Damaged: it or one it builds on could not be decoded properly."""

    number: int
    frame: VideoFrame
    damaged: bool


class Reel:
    """Delivers frames by number, decoding as little as it can."""

    def __init__(self, path: Path, limits: Limits, beat: Beat) -> None:
        self._path, self._limits, self._beat = path, limits, beat
        self.container, self.stream = open_container(path, limits)
        self.packets = read_packets(self.container, self.stream, limits, beat)
        if not self.packets.times:
            raise FootageError("broken", "The file holds no picture that can be read.")
        self.time_base = Fraction(self.stream.time_base or Fraction(1, 1000))
        self._numbers = {pts: n for n, pts in enumerate(self.packets.times)}
        self._tape: Iterator[VideoPacket | None] = iter(())
        self._complaints = Complaints()
        self._at: int | None = None  # position of the packet that the tape gives next
        self._spoiled_until = -inf  # PTS of the keyframe that ends the effect of damage
        # In interlaced files half a frame may come as a packet of its own that must not be skipped.
        self._may_skip = self.stream.codec_context.field_order in (0, 1)

    def seconds(self, number: int) -> Fraction:
        return (self.packets.times[number] - self.packets.times[0]) * self.time_base

    def deliver(self, numbers: Sequence[int]) -> Iterator[Shot]:
        """The frames with these rising numbers, in order; those that cannot be decoded are left out."""
        for run in self._runs(numbers):
            start = self.packets.times[run[0]]
            key, before = self.packets.key_before(start), self.packets.key_before(start, 1)
            found = self._decode(run, key)
            first = next(found, None)
            if (first is None or first.number != run[0]) and before != key:
                # That keyframe was none to start from (an open GOP, damage): try from the one before.
                found = self._decode(run, before)
                first = next(found, None)
            if first is not None:
                yield first
                yield from found

    def _runs(self, numbers: Iterable[int]) -> Iterator[list[int]]:
        """Cut into stretches that are decoded without a jump."""
        run: list[int] = []
        key = None
        for number in numbers:
            needed = self.packets.key_before(self.packets.times[number])
            if run and needed != key and number != run[-1] + 1:
                yield run
                run = []
            run.append(number)
            key = needed
        if run:
            yield run

    def _decode(self, run: Sequence[int], key: int) -> Iterator[Shot]:
        wanted_numbers = set(run)
        wanted = {self.packets.times[number] for number in run}
        end = max(self.packets.place[pts] for pts in wanted)
        self.stream.codec_context.flush_buffers()
        self._spoiled_until = -inf
        counted = last = -1
        for frame in self._frames(key, wanted, end):
            counted += 1
            number = self.number_of(frame, counted)
            if number is not None and number > last and self.packets.times[number] in wanted:
                if last + 1 in wanted_numbers and number > last + 1:
                    self._spoil(self.packets.times[last + 1])
                last = number
                yield Shot(number, frame, self._is_damaged(number, frame))
                if number == run[-1]:
                    return

    def number_of(self, frame: VideoFrame, counted: int) -> int | None:
        if not self.packets.timed:
            return counted if counted < len(self.packets.times) else None
        pts = frame.dts if frame.pts is None else frame.pts
        return None if pts is None else self._numbers.get(pts)

    def _frames(self, key: int, wanted: set[int], end: int) -> Iterator[VideoFrame]:
        """Decode from a keyframe until the packets of all wanted frames are in, and drain."""
        packet = self._wind_to(key)
        unfed = set(wanted)
        context = self.stream.codec_context
        while packet is not None:
            skippable = self.packets.timed and self._may_skip and packet.pts not in wanted
            context.skip_frame = "NONREF" if skippable else "DEFAULT"
            yield from self._fed(packet)
            if self.packets.timed and packet.pts is not None:
                unfed.discard(packet.pts)
            if not unfed or (self._at is not None and self._at > end + _FAR):
                break
            packet = self._next()
        yield from self._fed(None)

    def _fed(self, packet: VideoPacket | None) -> Iterator[VideoFrame]:
        before = self._complaints.count
        frames: list[VideoFrame] = []
        failed = False
        try:
            frames = self.stream.codec_context.decode(packet)
        except av.error.FFmpegError as error:
            if isinstance(error, MemoryError):
                raise
            failed = True
        if packet is not None and packet.pts is not None and (failed or self._complaints.count > before):
            self._spoil(packet.pts)
        yield from frames

    def _spoil(self, pts: int) -> None:
        """Damage at `pts`: what is decoded from here to the next keyframe may build on it."""
        after = self.packets.key_after(pts)
        self._spoiled_until = max(self._spoiled_until, inf if after is None else after)

    def _is_damaged(self, number: int, frame: VideoFrame) -> bool:
        pts = self.packets.times[number]
        if frame.is_corrupt:
            self._spoil(pts)
        return pts < self._spoiled_until

    def _next(self) -> VideoPacket | None:
        """The next packet of the tape; None at its end. Places that cannot be read are stepped over."""
        for packet in self._tape:
            if packet is not None:
                self._at = self._behind(packet)
                return packet
        self._at = None
        return None

    def _behind(self, packet: VideoPacket) -> int | None:
        if packet.pts is None or not self.packets.timed:
            return None
        place = self.packets.place.get(packet.pts)
        return None if place is None else place + 1

    def _wind_to(self, key: int) -> VideoPacket | None:
        """The packet of the keyframe at `key`, with the tape right behind it."""
        place = self.packets.place[key]
        if self._at is not None and place - _NEAR <= self._at <= place and (packet := self._find(key)):
            return packet
        for earlier in (0, 1, 4, 16, 64):
            self._seek(self.packets.key_before(key, earlier))
            if packet := self._find(key):
                return packet
        self.container.close()
        self.container, self.stream = open_container(self._path, self._limits)
        self._tape = demux(self.container, self.stream, beat=self._beat)
        return self._find(key)

    def _seek(self, key: int) -> None:
        # MPEG transport streams are searched by DTS, the others by PTS.
        goal = self.packets.dts[key] if self.container.format.name == "mpegts" else key
        self._at = None
        self._tape = iter(())
        try:
            self.container.seek(goal, stream=self.stream)
        except av.error.FFmpegError:
            return
        self._tape = demux(self.container, self.stream, beat=self._beat)

    def _find(self, key: int) -> VideoPacket | None:
        place = self.packets.place[key]
        first_of_untimed = not self.packets.timed
        while (packet := self._next()) is not None:
            if packet.pts == key or first_of_untimed:
                return packet
            if self._at is not None and self._at > place + 1:
                return None
        return None

"""The facts of an opened video file, in the decode child: runs only behind the fence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from fractions import Fraction
from itertools import islice
from pathlib import Path

from av.video.frame import VideoFrame
from av.video.reformatter import ColorPrimaries, ColorTrc

from training.footage.facts import AudioStream, ClipFacts, FootageError
from training.footage.packets import Beat
from training.footage.rates import nominal_rate
from training.footage.reel import Reel
from training.timecode import TimecodeError, frame_count_of

_CLOCK = re.compile(r"(\d+):(\d+):(\d+\.\d+)", re.ASCII)
_LATE_END_SECONDS = 0.5  # longer than any frame lasts
_TRIED_FRAMES = 48
_TRIED_KEYFRAMES = 12


@dataclass(frozen=True, slots=True)
class Shape:
    """How a stored picture becomes the picture as shown."""

    width: int
    height: int
    quarter_turns: int  # counter-clockwise

    @classmethod
    def of(cls, frame: VideoFrame, pixel_aspect: Fraction | None) -> Shape:
        """Square pixels the way browsers make them: the picture only ever grows."""
        width, height = frame.width, frame.height
        if pixel_aspect and pixel_aspect > 1:
            width = round(width * pixel_aspect)
        elif pixel_aspect and pixel_aspect > 0:
            height = round(height / pixel_aspect)
        turns = round(frame.rotation / 90) % 4
        return cls(height, width, turns) if turns % 2 else cls(width, height, turns)

    def fitting(self, longest_side: int | None, *, even: bool = False) -> tuple[int, int]:
        """Width and height as shown, scaled down so that no side is over `longest_side`."""
        longest = max(self.width, self.height)
        scale = Fraction(min(longest, longest_side or longest), longest)
        width, height = (max(1, round(side * scale)) for side in (self.width, self.height))
        return (max(2, width // 2 * 2), max(2, height // 2 * 2)) if even else (width, height)


def facts_of(reel: Reel, path: Path, beat: Beat) -> tuple[ClipFacts, Shape]:
    frame = _first_picture(reel, beat)
    shape = Shape.of(frame, reel.stream.sample_aspect_ratio)
    stream, packets = reel.stream, reel.packets
    hints = (stream.guessed_rate, stream.average_rate, stream.base_rate)
    rate, variable = nominal_rate(packets.times, reel.time_base, hints)
    last = len(packets.times) - 1
    timecode, drop_frame, timecode_warning = _start_timecode(reel, rate)
    audio = _audio(reel)
    offset = _start_offset(reel)
    warnings = [
        *_packet_warnings(reel),
        *(["The frame rate varies: times come from the file, not from counting frames."] if variable else []),
        *([f"The picture starts {float(offset):.3f} s after the start of the file."] if offset else []),
        *(["The clip is interlaced."] if frame.interlaced_frame else []),
        *([timecode_warning] if timecode_warning else []),
        *([] if audio else ["The clip has no sound."]),
    ]
    facts = ClipFacts(
        container=_container(reel, path),
        codec=stream.codec_context.codec.canonical_name,
        pixel_format=frame.format.name,
        width=shape.width,
        height=shape.height,
        rotation=-shape.quarter_turns % 4 * 90,
        rate=rate,
        frames=last + 1,
        duration=reel.seconds(last) + 1 / rate,
        start_timecode=timecode,
        drop_frame=drop_frame,
        variable_rate=variable,
        color=_color(frame),
        audio=audio,
        warnings=tuple(warnings),
        edited=bool(reel.packets.hidden),
        start_offset=offset,
    )
    return facts, shape


def _first_picture(reel: Reel, beat: Beat) -> VideoFrame:
    """The first frame that decodes: at the start, else from some keyframe further on."""
    for numbers in _places_to_try(reel):
        for shot in reel.deliver(numbers):
            return shot.frame
        beat()
    raise FootageError("broken", "No picture in this file can be decoded.")


def _places_to_try(reel: Reel) -> Iterator[list[int]]:
    count = len(reel.packets.times)
    yield [0]
    yield list(range(min(count, _TRIED_FRAMES)))
    shown = set(reel.packets.times)
    keys = [pts for pts in reel.packets.keys if pts in shown]
    numbers = {pts: n for n, pts in enumerate(reel.packets.times)}
    for pts in islice(keys, 1, None, max(1, len(keys) // _TRIED_KEYFRAMES)):
        yield [numbers[pts]]


def _packet_warnings(reel: Reel) -> Iterator[str]:
    packets, readable = reel.packets, len(reel.packets.times)
    if readable < packets.declared:
        yield f"The file ends early: {readable} of {packets.declared} frames could be read."
    elif missing := _missing_seconds(reel):
        yield f"The file ends early: its last {missing:.1f} s could not be read."
    if packets.unreadable:
        yield "Parts of the file are damaged and were skipped."
    if packets.hidden:
        yield f"An edit list in the file hides {packets.hidden} frames; they are not counted."
    if not packets.timed:
        yield "The file holds no times: frames are counted from its start."


def _missing_seconds(reel: Reel) -> float:
    """For Matroska, which counts no frames but notes each track's end: what is missing before it."""
    noted = _CLOCK.fullmatch(reel.stream.metadata.get("DURATION", ""))
    if not noted:
        return 0
    hours, minutes, seconds = noted.groups()
    missing = int(hours) * 3600 + int(minutes) * 60 + float(seconds) - reel.packets.times[-1] * reel.time_base
    return missing if missing > _LATE_END_SECONDS else 0


def _start_offset(reel: Reel) -> Fraction:
    """Seconds from the start of the file, as a player counts, to the first frame."""
    start = Fraction(reel.container.start_time or 0, 1_000_000)
    offset = reel.packets.times[0] * reel.time_base - start
    # The container's start is rounded to its own clock; a millisecond is no offset.
    return offset if abs(offset) > Fraction(1, 500) and reel.packets.timed else Fraction(0)


def _start_timecode(reel: Reel, rate: Fraction) -> tuple[str | None, bool, str | None]:
    """The file's start timecode (mov tmcd, MXF), drop-frame, and a warning about a senseless one."""
    places = (reel.stream.metadata, reel.container.metadata, *(s.metadata for s in reel.container.streams))
    found = next((text for place in places for key, text in place.items() if key.lower() == "timecode"), None)
    if found is None:
        return None, False, None
    drop_frame = any(mark in found for mark in ";.")
    try:
        frame_count_of(found, rate, drop_frame)
    except TimecodeError:
        return None, False, f"The file's start timecode {found[:32]!r} makes no sense and is ignored."
    text = found.strip().replace(";", ":").replace(".", ":")
    return (text[:8] + ";" + text[9:] if drop_frame else text), drop_frame, None


def _audio(reel: Reel) -> tuple[AudioStream, ...]:
    return tuple(
        AudioStream(
            index=stream.index,
            codec=stream.codec_context.codec.canonical_name,
            sample_rate=stream.codec_context.sample_rate,
            channels=stream.codec_context.channels,
        )
        for stream in reel.container.streams.audio
        if stream.codec_context is not None
    )


def _container(reel: Reel, path: Path) -> str:
    """The one name of several that libav gives: mov or mp4, matroska or webm."""
    name = reel.container.format.name
    if "mov" in name.split(","):
        brand = reel.container.metadata.get("major_brand", "qt").strip()
        return "mov" if brand == "qt" else "mp4"
    if "matroska" in name.split(","):
        with path.open("rb") as file:
            return "webm" if b"webm" in file.read(64) else "matroska"
    return name


def _color(frame: VideoFrame) -> dict[str, str]:
    """What the file says of its colour; unsaid things are left out."""
    said = {
        "primaries": _color_name(frame.color_primaries, ColorPrimaries),
        "transfer": _color_name(frame.color_trc, ColorTrc),
        "space": _COLOR_SPACES.get(frame.colorspace),
        "range": {1: "limited", 2: "full"}.get(frame.color_range),
    }
    return {what: name for what, name in said.items() if name and name != "unspecified"}


def _color_name(number: int, names: type[IntEnum]) -> str | None:
    try:
        return names(number).name.lower()
    except ValueError:
        return None


#: AVColorSpace, which PyAV does not name (its Colorspace is libswscale's).
_COLOR_SPACES = {
    0: "rgb",
    1: "bt709",
    5: "bt470bg",
    6: "smpte170m",
    7: "smpte240m",
    9: "bt2020nc",
    10: "bt2020c",
}

"""What is known about a clip before a picture is looked at, what is allowed, what can be wrong."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from fractions import Fraction
from typing import Any

#: Why a file was refused. The sentence in the error is for the user, the kind for the program.
FOOTAGE_ERRORS = (
    "missing",
    "empty",
    "not_video",
    "no_picture",
    "refused_format",
    "too_large",
    "too_long",
    "broken",
    "timeout",
    "memory",
    "no_space",
)


class FootageError(Exception):
    """A file that cannot be used: `kind` is one of FOOTAGE_ERRORS, `str(error)` one plain sentence."""

    def __init__(self, kind: str, sentence: str) -> None:
        if kind not in FOOTAGE_ERRORS:
            raise ValueError(f"unknown kind of footage error: {kind}")
        super().__init__(sentence)
        self.kind = kind

    def __reduce__(self) -> tuple[type[FootageError], tuple[str, str]]:
        return type(self), (self.kind, str(self))


@dataclass(frozen=True, slots=True)
class Limits:
    """What a file may ask of us. Header limits are checked before a picture is decoded."""

    longest_side: int = 8192
    pixels: int = 36_000_000
    seconds: int = 4 * 3600
    frames: int = 500_000
    memory_bytes: int = 2 << 30  # address space of the decode child
    cpu_seconds: int = 6 * 3600  # of one decode child, over its whole life
    answer_seconds: float = 30.0  # silence after which the decode child is killed
    written_bytes: int = 20 << 30  # a proxy; every other child may write nothing at all


@dataclass(frozen=True, slots=True)
class AudioStream:
    index: int  # of the stream in its file
    codec: str
    sample_rate: int
    channels: int


@dataclass(frozen=True, slots=True)
class ClipFacts:
    """A probed clip. Widths and heights are of the picture as shown: rotated, with square pixels."""

    container: str
    codec: str
    pixel_format: str
    width: int
    height: int
    rotation: int  # clockwise degrees the stored picture is turned by to be shown: 0, 90, 180, 270
    rate: Fraction  # nominal frames per second
    frames: int
    duration: Fraction  # seconds, from PTS
    start_timecode: str | None = None
    drop_frame: bool = False
    variable_rate: bool = False
    color: dict[str, str] = field(default_factory=dict)
    audio: tuple[AudioStream, ...] = ()
    warnings: tuple[str, ...] = ()
    edited: bool = False  # an edit list hides frames, which not every player obeys
    start_offset: Fraction = Fraction(0)  # seconds from the start of the file to its first frame

    def to_json(self) -> dict[str, Any]:
        """Plain JSON types; fractions as "24000/1001"."""
        document = asdict(self)
        for name in _FRACTIONS:
            document[name] = str(document[name])
        document["audio"] = [asdict(stream) for stream in self.audio]
        document["warnings"] = list(self.warnings)
        return document

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> ClipFacts:
        known = {f.name: document[f.name] for f in fields(cls) if f.name in document}
        for name in _FRACTIONS:
            if name in known:
                known[name] = Fraction(known[name])
        known["audio"] = tuple(AudioStream(**stream) for stream in known.get("audio", ()))
        known["warnings"] = tuple(known.get("warnings", ()))
        return cls(**known)


_FRACTIONS = ("rate", "duration", "start_offset")

"""Sound recorders' files: WAV, Broadcast WAV (bext, iXML) and RF64. Read-only, and no decoder is needed.

The header is a list of chunks that the standard library reads safely, and PCM is numpy's own format. scipy's
and libsndfile's readers leave out the time reference or bring native code that would need the fence.
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from training.sound.blocks import HIGHEST_RATE, MOST_CHANNELS, SoundBlock

#: Chunks that are read into memory (bext, iXML) may be this large.
LARGEST_TEXT = 1 << 20
MOST_CHUNKS = 1000
#: Frames of samples in a block.
BLOCK = 1 << 15
_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_UNKNOWN = 0xFFFFFFFF


class SoundFileError(Exception):
    """A sound file that cannot be used: one plain sentence."""


@dataclass(frozen=True, slots=True)
class SoundFile:
    """The facts of a sound file. `samples` counts those of one channel.

    `time_reference`: samples from midnight to the file's first one, None where the file does not say.
    """

    path: Path
    sample_rate: int
    channels: int
    bits: int  # of a stored sample: 16, 24, 32, or 64
    floating: bool
    samples: int
    time_reference: int | None = None
    description: str = ""
    recorded_at: str = ""  # "2026-11-23 17:41:43", as the recorder wrote it
    scene: str = ""
    take: str = ""
    tape: str = ""
    timecode_rate: Fraction | None = None
    drop_frame: bool | None = None  # of the recorder's timecode; None where the file does not say
    starts_at: int = 0  # byte of the first sample

    @property
    def frame_bytes(self) -> int:
        return self.channels * self.bits // 8

    @property
    def duration(self) -> Fraction:
        return Fraction(self.samples, self.sample_rate)


def probe_sound(path: Path) -> SoundFile:
    """The facts of a WAV file; raises SoundFileError. The file is opened for reading only."""
    try:
        with path.open("rb") as file:
            return _Header(path, file).facts()
    except (FileNotFoundError, NotADirectoryError):
        raise SoundFileError("The file is not there.") from None
    except OSError:
        raise SoundFileError("The file could not be opened.") from None


def read_sound(sound: SoundFile) -> Iterator[SoundBlock]:
    """All samples, in blocks; counted from the file's first one."""
    with sound.path.open("rb") as file:
        file.seek(sound.starts_at)
        for first in range(0, sound.samples, BLOCK):
            count = min(BLOCK, sound.samples - first)
            raw = file.read(count * sound.frame_bytes)
            raw = raw[: len(raw) // sound.frame_bytes * sound.frame_bytes]
            if not raw:
                return
            values = _samples(raw, sound).reshape(-1, sound.channels).T
            yield SoundBlock(0, sound.sample_rate, first, np.ascontiguousarray(values))


def _samples(raw: bytes, sound: SoundFile) -> npt.NDArray[np.float32]:
    if sound.floating:
        values = np.frombuffer(raw, f"<f{sound.bits // 8}").astype(np.float32)
        return np.nan_to_num(values, posinf=0.0, neginf=0.0)
    if sound.bits == 24:
        wide = np.zeros((len(raw) // 3, 4), np.uint8)
        wide[:, 1:] = np.frombuffer(raw, np.uint8).reshape(-1, 3)
        return np.asarray(wide.view("<i4")[:, 0] / np.float32(1 << 31), np.float32)
    whole = np.frombuffer(raw, f"<i{sound.bits // 8}")
    return np.asarray(whole / np.float32(1 << (sound.bits - 1)), np.float32)


class _Header:
    """Walks the chunks up to the end of the file and gathers what they say."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path, self._file = path, file
        self._size = os.fstat(file.fileno()).st_size
        self._chunks: dict[bytes, tuple[int, int]] = {}  # name -> first byte and size

    def facts(self) -> SoundFile:
        head = self._file.read(12)
        if not head:
            raise SoundFileError("The file is empty.")
        if head[:4] not in (b"RIFF", b"RF64", b"BW64") or head[8:12] != b"WAVE":
            raise SoundFileError("This is not a WAV file.")
        self._walk()
        if b"fmt " not in self._chunks or b"data" not in self._chunks:
            raise SoundFileError("The file is damaged or was not written to its end.")
        kind, channels, rate, bits = self._format()
        first, size = self._chunks[b"data"]
        reference, description, recorded_at = self._broadcast()
        ixml = self._text(b"iXML").decode("utf-8", "replace")
        return SoundFile(
            path=self._path,
            sample_rate=rate,
            channels=channels,
            bits=bits,
            floating=kind == _FLOAT,
            samples=size // (channels * bits // 8),
            time_reference=reference,
            description=description,
            recorded_at=recorded_at,
            scene=_tag(ixml, "SCENE"),
            take=_tag(ixml, "TAKE"),
            tape=_tag(ixml, "TAPE"),
            timecode_rate=_rate(_tag(ixml, "TIMECODE_RATE")),
            drop_frame={"DF": True, "NDF": False}.get(_tag(ixml, "TIMECODE_FLAG").upper()),
            starts_at=first,
        )

    def _walk(self) -> None:
        at, data_size = 12, 0
        for _ in range(MOST_CHUNKS):
            self._file.seek(at)
            head = self._file.read(8)
            if len(head) < 8:
                return
            name, size = head[:4], struct.unpack("<I", head[4:])[0]
            if name == b"ds64":  # RF64: the sizes that do not fit in 32 bits
                data_size = struct.unpack("<Q", self._file.read(16)[8:].ljust(8, b"\0"))[0]
            elif name == b"data" and (size == _UNKNOWN or (size == 0 and at + 8 < self._size)):
                # Without ds64, or with size 0, the recorder was cut off: what was written is all there is.
                size = data_size or self._size - at - 8
            held = min(size, self._size - at - 8)
            self._chunks.setdefault(name, (at + 8, held))
            at += 8 + size + size % 2

    def _text(self, name: bytes) -> bytes:
        first, size = self._chunks.get(name, (0, 0))
        self._file.seek(first)
        return self._file.read(min(size, LARGEST_TEXT))

    def _format(self) -> tuple[int, int, int, int]:
        head = self._text(b"fmt ")
        if len(head) < 16:
            raise SoundFileError("The file is damaged or was not written to its end.")
        kind, channels, rate, _, block, bits = struct.unpack("<HHIIHH", head[:16])
        if kind == _EXTENSIBLE and len(head) >= 26:
            kind = struct.unpack("<H", head[24:26])[0]
        if kind == _PCM and channels:
            bits = block // channels * 8  # 20 bits lie in 24
        if (kind, bits) not in {(_PCM, 16), (_PCM, 24), (_PCM, 32), (_FLOAT, 32), (_FLOAT, 64)}:
            raise SoundFileError("Only uncompressed WAV files of 16, 24 or 32 bits are read here.")
        if not 0 < rate <= HIGHEST_RATE or not 0 < channels <= MOST_CHANNELS:
            raise SoundFileError(f"The file claims {channels} channels at {rate} samples a second.")
        return kind, channels, rate, bits

    def _broadcast(self) -> tuple[int | None, str, str]:
        """EBU Tech 3285: time reference, description, date and time; nothing where there is no bext."""
        chunk = self._text(b"bext")
        if len(chunk) < 346:
            return None, "", ""
        date, time = _plain(chunk[320:330]), _plain(chunk[330:338]).replace("-", ":")
        return struct.unpack("<Q", chunk[338:346])[0], _plain(chunk[:256]), f"{date} {time}".strip()


def _plain(field: bytes) -> str:
    return field.split(b"\0")[0].decode("ascii", "replace").strip()


def _tag(ixml: str, name: str) -> str:
    """The text of the first such element. No XML parser: an unknown file's entities are not expanded."""
    found = re.search(rf"<{name}>([^<]{{0,200}})</{name}>", ixml)
    return found[1].strip() if found else ""


def _rate(text: str) -> Fraction | None:
    """iXML writes 24000/1001."""
    if not re.fullmatch(r"\d{1,6}/[1-9]\d{0,5}", text):
        return None
    return Fraction(text) or None

"""Writes pictures and sound into a QuickTime or MP4 file, frame by frame."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import cv2
import numpy as np

from training.render.geometry import Picture
from training.render.sound import Sound


class Recorder:
    """An H.264 file with exact frame times, a timecode track and a mono AAC track; memory stays flat.

    One encoder thread: the same pictures give the same bytes.
    """

    def __init__(
        self,
        path: Path,
        size: tuple[int, int],
        rate: Fraction,
        *,
        timecode: str | None = None,
        sound: Sound | None = None,
        gop: int | None = None,
        options: dict[str, str] | None = None,
    ) -> None:
        self._file = av.open(str(path), "w")
        self._rate, self._sound, self._written, self._seconds = rate, sound, 0, 0
        # slower presets look ahead by macroblock tree: at small sizes their bytes vary from run to run
        chosen = {"preset": "superfast", "crf": "20", "threads": "1", "g": str(gop or round(rate) * 2)}
        self._video = self._file.add_stream("libx264", rate=rate, options=chosen | (options or {}))
        self._video.width, self._video.height = size
        self._video.pix_fmt = "yuv420p"
        self._video.time_base = 1 / rate
        if timecode:
            self._video.metadata["timecode"] = timecode
        self._audio = self._file.add_stream("aac", rate=sound.sample_rate, layout="mono") if sound else None

    def __enter__(self) -> Self:
        return self

    def write(self, picture: Picture) -> None:
        """Append one picture (H x W x 3, RGB; or 3/2 H x W, YUV 4:2:0), and the sound up to its time."""
        planes: Picture = cv2.cvtColor(picture, cv2.COLOR_RGB2YUV_I420) if picture.ndim == 3 else picture
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.pts, frame.time_base = self._written, 1 / self._rate
        self._file.mux(self._video.encode(frame))
        self._written += 1
        while self._sound and self._seconds < self._written / self._rate:
            self._write_sound(self._sound.sample_rate)

    def _write_sound(self, length: int) -> None:
        assert self._sound and self._audio
        samples = self._sound.second(self._seconds)[None, :length]
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout="mono")
        frame.sample_rate = self._sound.sample_rate
        frame.pts, frame.time_base = (
            self._seconds * self._sound.sample_rate,
            Fraction(1, self._sound.sample_rate),
        )
        self._file.mux(self._audio.encode(frame))
        self._seconds += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            for stream in (self._video, self._audio):
                if stream:
                    self._file.mux(stream.encode(None))
        self._file.close()

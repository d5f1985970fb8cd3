"""The sound of a proxy: the first audio stream as AAC stereo, on the picture's clock."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import numpy.typing as npt
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer

_RATES = (48_000, 44_100, 32_000)
#: A gap in the sound below this is a rounding of its times and left alone.
_GAP_SECONDS = Fraction(1, 20)
_SILENCE_SAMPLES = 1 << 16


class Soundtrack:
    """Decodes, mixes down and writes; sound before the first frame is cut, gaps are filled."""

    def __init__(self, source: AudioStream, sink: OutputContainer, start: Fraction) -> None:
        self.source, self._sink, self._start = source, sink, start
        rate = source.codec_context.sample_rate
        self._rate = rate if rate in _RATES else _RATES[0]
        self._stream = sink.add_stream("aac", rate=self._rate, layout="stereo")
        self._stream.bit_rate = 160_000
        self._resampler = AudioResampler(format="fltp", layout="stereo", rate=self._rate)
        self._written: int | None = None  # samples, from the first frame of the clip; None: none yet
        source.discard = av.stream.Discard.default

    @classmethod
    def beside(cls, source: InputContainer, sink: OutputContainer, start: Fraction) -> Soundtrack | None:
        """For the first audio stream that can be decoded; `start` is the first frame's time there."""
        for stream in source.streams.audio:
            if stream.codec_context is not None and stream.codec_context.sample_rate:
                return cls(stream, sink, start)
        return None

    def write(self, packet: av.Packet[AudioStream]) -> None:
        try:
            frames = self.source.codec_context.decode(packet)
        except (av.error.InvalidDataError, av.error.ArgumentError):
            return
        for frame in frames:
            self._place(frame)
            for resampled in self._resampler.resample(frame):
                self._write(np.asarray(resampled.to_ndarray(), np.float32))

    def finish(self) -> None:
        for resampled in self._resampler.resample(None):
            self._write(np.asarray(resampled.to_ndarray(), np.float32))
        self._sink.mux(self._stream.encode(None))

    def _place(self, frame: AudioFrame) -> None:
        """Where this frame's samples go: after silence, if it comes later than it should."""
        if frame.pts is None or frame.time_base is None:
            return
        at = frame.pts * frame.time_base - self._start
        frame.pts = None  # the resampler must not stretch the sound to fit its times
        position = round(at * self._rate)
        if self._written is None:
            self._written = min(0, position)
            gap = max(0, position)
        else:
            gap = position - self._written
            if gap < _GAP_SECONDS * self._rate:
                return
        for first in range(0, gap, _SILENCE_SAMPLES):
            self._write(np.zeros((2, min(_SILENCE_SAMPLES, gap - first)), np.float32))

    def _write(self, samples: npt.NDArray[np.float32]) -> None:
        at = self._written or 0
        self._written = at + samples.shape[1]
        samples = np.ascontiguousarray(samples[:, max(0, -at) :])
        if not samples.shape[1]:
            return
        frame = AudioFrame.from_ndarray(samples, format="fltp", layout="stereo")
        frame.sample_rate = self._rate
        frame.time_base = Fraction(1, self._rate)
        frame.pts = max(0, at)
        self._sink.mux(self._stream.encode(frame))

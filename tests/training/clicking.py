"""Small clips whose sound clicks at known samples: any codec, rate, channels, streams."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

_LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1"}
_FORMATS = {"aac": "fltp", "pcm_s16le": "s16", "pcm_s24le": "s32", "pcm_f32le": "flt", "flac": "s16"}


@dataclass(frozen=True)
class Track:
    """One audio stream: clicks (at samples of this stream, from its own start) in one of its channels."""

    clicks: Sequence[int] = (24_000,)
    codec: str = "aac"
    rate: int = 48_000
    channels: int = 1
    channel: int = 0
    seconds: float = 2.0
    level: float = 0.8
    noise: float = 0.001


def click(length: int, level: float) -> npt.NDArray[np.float32]:
    """Noise that starts at once and dies in a few milliseconds; always the same."""
    time = np.arange(length)
    noise = np.random.default_rng(1).choice([-1.0, 1.0], length) * np.exp(-time / (length / 5))
    return (level * noise).astype(np.float32)


def samples_of(track: Track) -> npt.NDArray[np.float32]:
    samples = np.zeros((track.channels, int(track.seconds * track.rate)), np.float32)
    samples += np.random.default_rng(2).standard_normal(samples.shape).astype(np.float32) * track.noise
    sound = click(track.rate // 30, track.level)
    for at in track.clicks:
        end = min(samples.shape[1], at + len(sound))
        samples[track.channel, at:end] += sound[: end - at]
    return samples


def make_clip(path: Path, *tracks: Track, frames: int = 48, first_frame: int = 0) -> Path:
    """24 frames a second, the first one `first_frame` frames after the sound's start."""
    with av.open(str(path), "w") as sink:
        picture = sink.add_stream("libx264", rate=24, options={"preset": "ultrafast"})
        picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
        picture.codec_context.time_base = Fraction(1, 24)
        streams = [sink.add_stream(t.codec, rate=t.rate, layout=_LAYOUTS[t.channels]) for t in tracks]
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 90, np.uint8), format="rgb24")
            frame.pts, frame.time_base = number + first_frame, Fraction(1, 24)
            sink.mux(picture.encode(frame))
        sink.mux(picture.encode(None))
        for stream, track in zip(streams, tracks, strict=True):
            _write(sink, stream, track)
    return path


def _write(sink: av.container.OutputContainer, stream: av.audio.stream.AudioStream, track: Track) -> None:
    samples, step = samples_of(track), 1024
    for start in range(0, samples.shape[1], step):
        frame = _frame(samples[:, start : start + step], track)
        frame.pts, frame.time_base = start, Fraction(1, track.rate)
        sink.mux(stream.encode(frame))
    sink.mux(stream.encode(None))


def _frame(samples: npt.NDArray[np.float32], track: Track) -> av.AudioFrame:
    layout, kind = _LAYOUTS[track.channels], _FORMATS[track.codec]
    values = samples if kind.endswith("p") else np.ascontiguousarray(samples.T).reshape(1, -1)
    if kind in ("s16", "s32"):
        full = 1 << (15 if kind == "s16" else 31)
        values = np.clip(values.astype(np.float64) * full, -full, full - 1).astype(
            np.int16 if kind == "s16" else np.int32
        )
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(values), format=kind, layout=layout)
    frame.sample_rate = track.rate
    return frame

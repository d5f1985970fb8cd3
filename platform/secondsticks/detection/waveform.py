"""How loud a clip is from moment to moment: what is drawn under the filmstrip, frame below frame."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from tempfile import NamedTemporaryFile

import numpy as np
import numpy.typing as npt

from training.footage.footage import Footage
from training.sound.blocks import SoundBlock

FILE = "sound.npy"
#: Columns per frame.
COLUMNS = 8
#: The waveform shows one channel, chosen among so many.
CHANNELS = 8
#: Seconds of work between two calls of `still_ours`.
ASK_EVERY = 2.0

Peaks = npt.NDArray[np.uint8]


def save(folder: Path, footage: Footage, *, still_ours: Callable[[], None]) -> None:
    """Write the peaks of the whole clip; nothing for a clip without sound.

    Columns follow the nominal rate, so they are only right under the frames of a constant rate.
    """
    facts = footage.facts
    if not facts.audio or facts.variable_rate:
        return
    channels = min(sum(stream.channels for stream in facts.audio), CHANNELS)
    peaks = np.zeros((channels, facts.frames * COLUMNS), np.uint8)
    rows, taken = {}, 0
    for stream in facts.audio:
        rows[stream.index] = taken
        taken += stream.channels
    asked = time.monotonic()
    for block in footage.sound():
        add(peaks, block, row=rows[block.stream], per_second=facts.rate * COLUMNS)
        if time.monotonic() - asked > ASK_EVERY:
            still_ours()
            asked = time.monotonic()
    with NamedTemporaryFile(dir=folder, suffix=".part", delete=False) as file:
        np.save(file, peaks)
    Path(file.name).replace(folder / FILE)


def add(peaks: Peaks, block: SoundBlock, *, row: int, per_second) -> None:
    """Raise the peaks to those of a block whose first channel has this row."""
    numbers = np.arange(block.first, block.end, dtype=np.int64)
    columns = numbers * per_second.numerator // (per_second.denominator * block.sample_rate)
    inside = (columns >= 0) & (columns < peaks.shape[1])
    columns = columns[inside]
    if not columns.size:
        return
    starts = np.flatnonzero(np.diff(columns, prepend=-1))
    for channel, samples in enumerate(block.samples[: max(len(peaks) - row, 0)], start=row):
        loudest = np.maximum.reduceat(np.abs(samples[inside]), starts)
        # The root keeps quiet sound apart in eight bits.
        small = np.round(np.sqrt(np.clip(loudest, 0, 1)) * 255).astype(np.uint8)
        peaks[channel, columns[starts]] = np.maximum(peaks[channel, columns[starts]], small)


def read(folder: Path, first: int, last: int) -> list[int] | None:
    """The columns of frames `first` to `last`, both included, each 0 to 255; None without a waveform.

    Of several channels, the one with the plainest peak: timecode on a track is loud, but never peaks.
    """
    try:
        peaks = np.load(folder / FILE, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError):
        return None
    part = np.asarray(peaks[:, first * COLUMNS : (last + 1) * COLUMNS], np.float32)
    if not part.size:
        return None
    plainness = (part.max(axis=1) + 1) / (part.mean(axis=1) + 1)
    return [int(value) for value in part[int(np.argmax(plainness))]]

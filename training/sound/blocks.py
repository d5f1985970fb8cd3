"""Samples on the clip's clock: how sound is handed around, from a camera or a recorder."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

#: What a header may claim.
MOST_CHANNELS = 64
HIGHEST_RATE = 768_000
Samples = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class SoundBlock:
    """A stretch of one stream: float32 [channels, n], full scale at -1 and 1.

    `first` counts samples from the start of the clip's first frame and is negative for sound before it; in a
    sound file it counts from the file's first sample. `stream` is the stream's index in its file.
    """

    stream: int
    sample_rate: int
    first: int
    samples: Samples

    @property
    def end(self) -> int:
        """The first sample after the block."""
        return self.first + int(self.samples.shape[1])

    @property
    def seconds(self) -> Fraction:
        return Fraction(self.first, self.sample_rate)

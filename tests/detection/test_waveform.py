"""The waveform lies under the frames it is heard in."""

from fractions import Fraction

import numpy as np
import pytest

from secondsticks.detection import waveform
from training.sound.blocks import SoundBlock

RATE = 48000


def block(first: int, *channels) -> SoundBlock:
    return SoundBlock(1, RATE, first, np.array(channels, np.float32))


def click_at(sample: int, length: int = RATE, *, loud: float = 1.0) -> np.ndarray:
    samples = np.zeros(length, np.float32)
    samples[sample] = -loud
    return samples


@pytest.mark.parametrize("rate", [Fraction(24000, 1001), Fraction(25), Fraction(60000, 1001)])
def test_a_click_is_in_the_column_of_its_sample(rate):
    sample = 31_415
    peaks = np.zeros((1, 60 * waveform.COLUMNS), np.uint8)
    for first in range(0, RATE, 9_600):
        part = click_at(sample)[first : first + 9_600]
        waveform.add(peaks, block(first, part), row=0, per_second=rate * waveform.COLUMNS)
    loud = np.flatnonzero(peaks[0])
    assert list(loud) == [int(Fraction(sample, RATE) * rate * waveform.COLUMNS)]
    assert peaks[0, loud[0]] == 255


def test_sound_before_the_first_frame_and_after_the_last_is_left_out():
    peaks = np.zeros((1, waveform.COLUMNS), np.uint8)
    waveform.add(peaks, block(-RATE, np.ones(RATE)), row=0, per_second=Fraction(25 * waveform.COLUMNS))
    waveform.add(peaks, block(RATE, np.ones(RATE)), row=0, per_second=Fraction(25 * waveform.COLUMNS))
    assert not peaks.any()


def test_channels_beyond_those_kept_are_left_out():
    peaks = np.zeros((2, 25 * waveform.COLUMNS), np.uint8)
    three = [click_at(n * 4_000) for n in (1, 2, 3)]
    waveform.add(peaks, block(0, *three), row=1, per_second=Fraction(25 * waveform.COLUMNS))
    assert not peaks[0].any() and np.count_nonzero(peaks[1]) == 1


def test_the_channel_with_the_plainest_peak_is_shown(tmp_path):
    timecode = np.full(10 * waveform.COLUMNS, 200, np.uint8)
    clap = np.full(10 * waveform.COLUMNS, 5, np.uint8)
    clap[37] = 180
    np.save(tmp_path / waveform.FILE, np.stack([timecode, clap]))
    assert waveform.read(tmp_path, 4, 5) == [5] * 5 + [180] + [5] * 10
    assert waveform.read(tmp_path, 10, 12) is None


def test_no_sound_or_a_broken_file_is_no_waveform(tmp_path):
    assert waveform.read(tmp_path, 0, 8) is None
    (tmp_path / waveform.FILE).write_bytes(b"junk")
    assert waveform.read(tmp_path, 0, 8) is None

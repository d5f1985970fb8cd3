"""Rendered clips of every kind, from file to claps: with a detector that knows the truth and the real one."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from fractions import Fraction
from hashlib import sha256
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from training.checkpoints import SHIPPED
from training.claps.claps import Verdict
from training.footage.footage import Footage
from training.render.clips import KINDS, ClipSpec, ClipTruth, render_clip
from training.scan import LONGEST_SIDE, Progress, ScanResult, scan
from training.slates import Detection, State

VERDICTS = {"mos": Verdict.MOS, "no_slate": Verdict.NO_SLATE, "cut_off": Verdict.LOOK}
SIZE = (160, 90)
Picture = npt.NDArray[np.uint8]


class Oracle:
    """Knows every picture of one clip and says its truth; unsure where nobody could be sure of the state."""

    architecture = name = "oracle"
    sha256 = "0" * 64

    def __init__(self, path: Path, truth: ClipTruth) -> None:
        with Footage(path, longest_side=LONGEST_SIDE) as footage:
            frames = footage.frames(0, footage.facts.frames - 1)
            self.answers = {_print_of(frame.picture): self._answer(truth, frame.number) for frame in frames}

    def detect(self, pictures: Sequence[Picture]) -> list[list[Detection]]:
        return [self.answers[_print_of(picture)] for picture in pictures]

    @staticmethod
    def _answer(truth: ClipTruth, frame: int) -> list[Detection]:
        slate = truth.slates[frame]
        if slate is None:
            return []
        right, wrong = (0.5, 0.45) if slate.ignore else (0.9, 0.05)
        return [Detection(slate.box, state, right if state is slate.state else wrong) for state in State]


def _print_of(picture: Picture) -> bytes:
    return sha256(picture.tobytes()).digest()


def ignore(progress: Progress) -> None:
    """A listener without interest."""


def hard_to_tell(truth: ClipTruth) -> bool:
    """Whether the renderer itself says that nobody could know the state in a frame next to a clap."""
    beside = [truth.slates[frame] for clap in truth.claps for frame in (clap - 1, clap)]
    return any(slate is None or slate.ignore for slate in beside)


def scanned(spec: ClipSpec, path: Path) -> tuple[ClipTruth, ScanResult]:
    truth = render_clip(spec, path)
    return truth, scan(path, Oracle(path, truth), on_progress=ignore)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_slating_is_read_right(tmp_path: Path, kind: str) -> None:
    spec = ClipSpec(kind=kind, size=SIZE, seconds=4, rate=Fraction(24000, 1001), seed=3, audio=False)
    truth, result = scanned(spec, tmp_path / "clip.mov")
    assert [clap.frame for clap in result.reading.claps] == truth.claps
    expected = Verdict.LOOK if hard_to_tell(truth) else VERDICTS.get(kind, Verdict.SURE)
    assert result.reading.verdict is expected, result.reading.reason


def test_another_rate_is_read_right(tmp_path: Path) -> None:
    rate = Fraction(60000, 1001)
    spec = ClipSpec(size=SIZE, seconds=2.5, rate=rate, seed=5, audio=False)
    truth, result = scanned(spec, tmp_path / "clip.mov")
    assert [clap.frame for clap in result.reading.claps] == truth.claps
    assert (result.facts.rate, result.reading.verdict) == (rate, Verdict.SURE)


@pytest.mark.skipif(not SHIPPED.exists(), reason="no checkpoint is shipped in this checkout")
def test_the_shipped_checkpoint_finds_a_clap_from_the_command_line(tmp_path: Path) -> None:
    path = tmp_path / "clip.mov"
    spec = ClipSpec(
        size=(480, 270), seconds=3, rate=Fraction(24), seed=11, audio=False, start_timecode="01:00:00:00"
    )
    truth = render_clip(spec, path)
    ended = subprocess.run(
        [sys.executable, "-m", "secondsticks.cli", "scan", "--json", str(path)],
        capture_output=True,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},  # more would fight with other tests for the processors
    )
    assert ended.returncode == 0, ended.stderr
    (clip,) = json.loads(ended.stdout)["clips"]
    (expected,), (clap,) = truth.claps, clip["claps"]
    assert abs(clap["frame"] - expected) <= 1
    assert clap["timecode"].startswith("01:00:0")

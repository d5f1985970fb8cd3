"""A clip and a recorder's file linked from the command line."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.training.sound.test_files import facts, write
from training.render.sound import Sound
from training.scanner import ScannerFailed
from training.sound.link import main

RATE = 48_000
CLAP = {
    "frame": 50, "timecode": "01:00:02:02", "seconds": 2.083, "confidence": 0.9, "last_open": 49,
    "box": [1.0, 2.0, 3.0, 4.0], "sample": 98_000, "sample_rate": RATE, "sound_confidence": 0.9,
    "picture_confidence": 0.8, "disagreement_ms": 0.0, "a key of a later version": 1,
}  # fmt: skip


class Scans:
    def scan(self, path: Path, *, on_progress: Any) -> dict[str, Any]:
        if path.name == "broken.mov":
            raise ScannerFailed("broken", "The file is damaged.")
        return {"facts": facts(Fraction(24), "01:00:00:00").to_json(), "claps": [CLAP]}


def test_a_clip_is_linked_by_its_clap_and_compared_with_its_timecode(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sound = Sound((3 * RATE,), 1)
    samples = np.concatenate([sound.second(n) for n in range(5)])[None]
    wav = write(tmp_path / "day.wav", samples, reference=3599 * RATE)
    assert main([str(wav), "a.mov", "broken.mov"], Scans()) == 1
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert err == "broken.mov: The file is damaged.\n"
    assert (found["clip"], found["sound"]) == ("a.mov", str(wav))
    assert found["link"] == {
        "offset_samples": 46_000,
        "offset_frames": 23.0,
        "how": "clap",
        "by_timecode": RATE,
        "by_clap": 46_000,
        "disagreement_ms": -41.67,
    }


def test_what_is_no_sound_file_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.wav").write_text("hello there, no sound")
    assert main([str(tmp_path / "a.wav"), "a.mov"], Scans()) == 1
    assert capsys.readouterr().err == f"{tmp_path / 'a.wav'}: This is not a WAV file.\n"

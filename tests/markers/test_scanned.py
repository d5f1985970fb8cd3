"""From the result of a scan to a marked clip."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from secondsticks.markers import marked_clip
from tests.markers.takes import CHECKPOINT


def make_result(*frames: int, verdict: str = "sure", **heard: object) -> dict[str, Any]:
    facts = {
        "rate": "24000/1001", "frames": 240, "duration": "1001/100", "variable_rate": False,
        "start_timecode": "01:00:00:00", "drop_frame": False, "width": 1920, "height": 1080,
        "audio": [{"codec": "pcm", "sample_rate": 48_000, "channels": channels} for channels in (2, 1)],
    }  # fmt: skip
    claps = [
        {
            "frame": frame,
            "timecode": "",
            "seconds": frame / 24,
            "confidence": 0.9,
            "last_open": 0,
            "box": None,
        }
        | heard
        for frame in frames
    ]
    checkpoint = {"sha256": CHECKPOINT, "architecture": "fake", "name": "day 0"}
    return {"facts": facts, "checkpoint": checkpoint, "verdict": verdict, "reason": "why", "claps": claps}


def test_a_clip_keeps_its_facts_exactly() -> None:
    clip = marked_clip(Path("/footage/A001.mov"), make_result(12))
    assert (clip.name, clip.path, clip.rate) == ("A001.mov", Path("/footage/A001.mov"), Fraction(24000, 1001))
    assert (clip.frames, clip.channels, clip.sample_rate) == (240, 3, 48_000)
    assert (clip.verdict, clip.reason, clip.checkpoint) == ("sure", "why", CHECKPOINT)
    (marker,) = clip.claps
    assert (marker.frame, marker.confidence, marker.sure, marker.kind) == (12, 0.9, True, "clap")
    assert (marker.sample, marker.confirmed_by) == (None, None)


@pytest.mark.parametrize("verdict", ["look", "mos"])
def test_no_clap_of_a_doubted_clip_is_sure(verdict: str) -> None:
    assert [
        marker.sure for marker in marked_clip(Path("a.mov"), make_result(1, 2, verdict=verdict)).claps
    ] == [
        False,
        False,
    ]


def test_what_was_heard_comes_along() -> None:
    result = make_result(12, sample=24_024, sample_rate=48_000, disagreement_ms=0.0)
    (marker,) = marked_clip(Path("a.mov"), result).claps
    assert (marker.sample, marker.sample_rate, marker.disagreement_ms) == (24_024, 48_000, 0.0)


@pytest.mark.parametrize(
    ("frames", "kind"), [((230,), "tail"), ((200, 230), "tail"), ((20, 230), "clap"), ((179,), "clap")]
)
def test_claps_near_the_end_are_of_a_tail_slate(frames: tuple[int, ...], kind: str) -> None:
    assert {marker.kind for marker in marked_clip(Path("a.mov"), make_result(*frames)).claps} == {kind}

"""Scans of rendered clips with sound: picture and sound together, from the file to the JSON."""

import json
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from tests.training.clicking import Track, make_clip
from tests.training.coloured import ColourDetector
from tests.training.test_scan_rendered import Oracle, Picture, hard_to_tell, ignore
from training.claps.claps import Verdict
from training.documents import scan_document
from training.render.clips import ClipSpec, ClipTruth, render_clip, render_two_cameras
from training.scan import Progress, ScanResult, scan
from training.slates import Detection

RATE = Fraction(24000, 1001)
SIZE = (160, 90)


class Blind:
    """Sees no slate anywhere."""

    architecture = name = "blind"
    sha256 = "0" * 64

    def detect(self, pictures: Sequence[Picture]) -> list[list[Detection]]:
        return [[] for _ in pictures]


def scanned(path: Path, truth: ClipTruth) -> ScanResult:
    return scan(path, Oracle(path, truth), on_progress=ignore)


def check(result: ScanResult, truth: ClipTruth) -> None:
    """Every clap on its frame, and to two milliseconds in its sound, which AAC smears by as much."""
    assert [clap.frame for clap in result.reading.claps] == truth.claps
    expected = Verdict.LOOK if hard_to_tell(truth) else Verdict.SURE
    assert result.reading.verdict is expected, result.reading.reason
    assert abs(result.av_offset_ms or 0) < 2
    for clap, sample in zip(result.reading.claps, truth.clap_samples, strict=True):
        assert clap.sample is not None and clap.sample_rate == truth.sample_rate
        assert abs(clap.sample - sample) < truth.sample_rate / 500
        assert clap.disagreement_ms == pytest.approx(0, abs=2)


SPECS = [
    ClipSpec("head", RATE, SIZE, 3, seed=3),
    ClipSpec("second_sticks", Fraction(25), SIZE, 4, seed=3, sample_rate=44_100),
    ClipSpec("soft_sticks", RATE, SIZE, 3, seed=5),
    ClipSpec("tail_turned", Fraction(30000, 1001), SIZE, 4, seed=3, sample_rate=96_000),
]


@pytest.mark.parametrize("spec", SPECS, ids=[spec.kind for spec in SPECS])
def test_claps_are_found_to_the_sample(tmp_path: Path, spec: ClipSpec) -> None:
    path = tmp_path / "clip.mov"
    truth = render_clip(spec, path)
    check(scanned(path, truth), truth)


def test_two_cameras_hear_and_see_one_clap_at_the_same_time(tmp_path: Path) -> None:
    paths = tmp_path / "a.mov", tmp_path / "b.mov"
    truths = render_two_cameras(ClipSpec("head", RATE, SIZE, 3, seed=4), *paths)
    assert truths[0].claps == truths[1].claps
    assert truths[0].slates != truths[1].slates
    samples = []
    for path, truth in zip(paths, truths, strict=True):
        result = scanned(path, truth)
        check(result, truth)
        samples += [clap.sample for clap in result.reading.claps]
    assert samples[0] == pytest.approx(samples[1], abs=150)


def test_a_clap_that_is_heard_and_not_seen_needs_a_look(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mov", Track(clicks=(50_000,)))
    result = scan(clip, Blind(), on_progress=ignore)
    assert result.reading.verdict is Verdict.LOOK
    assert "a clap is heard at 0:01.0" in result.reading.reason
    assert [one.sample for one in result.heard] == [pytest.approx(50_000, abs=100)]


def test_a_clip_with_silent_sound_says_so_and_is_read_from_its_picture(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mov", Track(clicks=(), codec="pcm_s16le", noise=0.0))
    result = scan(clip, Blind(), on_progress=ignore)
    assert (result.reading.verdict, result.hearing.audible) == (Verdict.NO_SLATE, False)
    assert "The clip's sound is silent." in result.facts.warnings


def test_progress_covers_the_sound(tmp_path: Path) -> None:
    told: list[Progress] = []
    scan(make_clip(tmp_path / "a.mov", Track()), ColourDetector(), on_progress=told.append)
    assert [one.done for one in told] == sorted(one.done for one in told)
    assert list(dict.fromkeys(one.stage for one in told)) == ["coarse", "dense", "sound"]
    assert told[-1] == Progress(1000, 1000, "sound")


def test_the_json_carries_the_sound(tmp_path: Path) -> None:
    path = tmp_path / "clip.mov"
    truth = render_clip(replace(SPECS[0], seed=7), path)
    oracle = Oracle(path, truth)
    document = json.loads(json.dumps(scan_document(scan(path, oracle, on_progress=ignore), oracle)))
    (clap,) = document["claps"]
    assert abs(clap["sample"] - truth.clap_samples[0]) < 96
    assert clap["sample_rate"] == 48_000
    assert 0 <= clap["picture_confidence"] <= clap["confidence"] <= 1
    assert clap["sound_confidence"] > 0.5
    assert document["sound"] == {
        "audible": True,
        "av_offset_ms": clap["disagreement_ms"],
        "heard": [],
    }

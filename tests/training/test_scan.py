"""From a file to its claps, through the real decoder, with a detector that knows colours."""

from fractions import Fraction
from pathlib import Path

import pytest

from tests.training.coloured import ColourDetector, box_in, make_clip
from training.claps.claps import Verdict
from training.footage.footage import FootageError
from training.scan import Progress, ScanResult, scan

RATE = Fraction(24000, 1001)


def ignore(progress: Progress) -> None:
    """A listener without interest."""


def scan_line(tmp_path: Path, line: str, *, rate: Fraction = RATE) -> ScanResult:
    return scan(make_clip(tmp_path / "clip.mov", line, rate=rate), ColourDetector(), on_progress=ignore)


@pytest.mark.parametrize(
    ("line", "claps", "verdict"),
    [
        ("-" * 30 + "o" * 40 + "c" * 30 + "-" * 50, [70], Verdict.SURE),
        ("o" * 10 + "c" * 10, [10], Verdict.SURE),
        ("-" * 100 + "o" * 20 + "c" * 9, [120], Verdict.SURE),
        ("-" * 120 + "o" * 7 + "c" * 7 + "-" * 60, [127], Verdict.SURE),
        ("-" * 20 + "o" * 30 + "c" * 30 + "o" * 14 + "c" * 20 + "-" * 20, [50, 94], Verdict.SURE),
        ("-" * 20 + "c" * 60 + "-" * 20, [], Verdict.MOS),
        ("-" * 20 + "o" * 60 + "-" * 20, [], Verdict.LOOK),
        ("-" * 60 + "o" * 60, [], Verdict.LOOK),
        ("-" * 90, [], Verdict.NO_SLATE),
        ("-", [], Verdict.NO_SLATE),
        ("oc", [1], Verdict.LOOK),
    ],
)
def test_a_clip_gives_its_claps(tmp_path: Path, line: str, claps: list[int], verdict: Verdict) -> None:
    result = scan_line(tmp_path, line)
    assert ([clap.frame for clap in result.reading.claps], result.reading.verdict) == (claps, verdict)


def test_boxes_are_in_pixels_of_the_clip(tmp_path: Path) -> None:
    (clap,) = scan_line(tmp_path, "-" * 9 + "o" * 20 + "c" * 20).reading.claps
    assert clap.box is not None
    assert (clap.box.x, clap.box.y, clap.box.w, clap.box.h) == pytest.approx(box_in(clap.frame), abs=3)


def test_frames_are_looked_at_once_and_carry_their_times(tmp_path: Path) -> None:
    result = scan_line(tmp_path, "-" * 60 + "o" * 30 + "c" * 30 + "-" * 60)
    frames = [look.frame for look in result.detections]
    assert frames == sorted(set(frames))
    assert frames[0] == 0 and frames[-1] == 179
    assert [one.frame for one in result.sightings] == frames
    assert all(abs(look.seconds - look.frame / RATE) < Fraction(1, 1000) for look in result.detections)


def test_the_same_clip_gives_the_same_result(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "clip.mov", "-" * 30 + "o" * 30 + "c" * 30 + "-" * 30)
    assert scan(path, ColourDetector(), on_progress=ignore) == scan(
        path, ColourDetector(), on_progress=ignore
    )


def test_few_frames_are_looked_at_where_nothing_happens(tmp_path: Path) -> None:
    detector = ColourDetector()
    path = make_clip(tmp_path / "clip.mov", "-" * 480)
    scan(path, detector, on_progress=ignore)
    assert detector.shown <= 480 / 8


def test_two_slates_at_once_need_a_look(tmp_path: Path) -> None:
    reading = scan_line(tmp_path, "-" * 20 + "2" * 30 + "-" * 20).reading
    assert reading.verdict is Verdict.LOOK
    assert "second slate" in reading.reason


def test_progress_never_falls_and_ends_whole(tmp_path: Path) -> None:
    heard: list[Progress] = []
    path = make_clip(tmp_path / "clip.mov", "-" * 90 + "o" * 30 + "c" * 30 + "-" * 90 + "o" * 9 + "c" * 9)
    scan(path, ColourDetector(), on_progress=heard.append)
    assert [one.done for one in heard] == sorted(one.done for one in heard)
    assert (heard[-1].done, heard[-1].stage) == (heard[-1].total, "dense")
    assert list(dict.fromkeys(one.stage for one in heard)) == ["coarse", "dense"]
    assert len(heard) > 4


def test_what_is_no_video_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.mov"
    path.write_text("no video at all\n" * 40)
    with pytest.raises(FootageError) as refused:
        scan(path, ColourDetector(), on_progress=ignore)
    assert refused.value.kind == "not_video"


def test_the_clip_is_not_written_to(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "clip.mov", "ooooooccccc")
    path.chmod(0o444)
    before = path.read_bytes(), path.stat().st_mtime_ns
    scan(path, ColourDetector(), on_progress=ignore)
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before

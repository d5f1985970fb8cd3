"""People, clips and a scanner for the tests of detection."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

FAKE_SCANNER = Path(__file__).with_name("fake_scanner.py")


@pytest.fixture
def checkpoint(db, tmp_path):
    """A global champion that the fake scanner knows."""
    from secondsticks.detection.models import Checkpoint

    sha256 = "ab" * 32
    weights = tmp_path / "weights"
    weights.write_text(sha256)
    Checkpoint.objects.filter(is_champion=True).update(is_champion=False)
    return Checkpoint.objects.create(
        name="day 0", architecture="fake", sha256=sha256, path=str(weights), is_champion=True
    )


@pytest.fixture
def scanner(checkpoint, settings) -> Iterator:
    """A scanner of our own, with the fake process behind it."""
    from secondsticks.detection.scanner import Scanner

    settings.SCANNER_COMMAND = [sys.executable, str(FAKE_SCANNER)]
    scanner = Scanner()
    yield scanner
    scanner.stop()


@pytest.fixture
def make_scan(checkpoint) -> Callable:
    """Make a scan of a clip; one that is done has claps at the given frames."""
    from secondsticks.detection.models import Clap, Scan
    from secondsticks.detection.moves import ScanState

    def make(clip, *, claps=(), state=ScanState.DONE, verdict="sure", reason="it closes", **fields):
        done = state == ScanState.DONE
        scan = Scan.objects.create(
            clip=clip,
            state=state,
            checkpoint=checkpoint if done else None,
            verdict=verdict if done else "",
            reason=reason if done else "",
            **fields,
        )
        for frame in claps:
            Clap.objects.create(
                scan=scan,
                frame=frame,
                last_open=frame - 1,
                timecode=clip.timecode_at(frame),
                seconds=float(frame / clip.rate),
                confidence=0.9,
            )
        return scan

    return make

"""The worker and the real scanner process together: decoder, search, claps and protocol, less the network."""

import sys
from fractions import Fraction
from pathlib import Path

import pytest
from PIL import Image

from secondsticks.detection import pictures, scanning, scans
from secondsticks.detection.models import Checkpoint, Scan
from secondsticks.detection.scanner import Scanner
from tests.training.coloured import ColourDetector, box_in, make_clip

pytestmark = pytest.mark.django_db
COLOUR_SCANNER = Path(__file__).parents[1] / "training" / "colour_scanner.py"


@pytest.fixture
def scanner(settings, tmp_path):
    settings.SCANNER_COMMAND = [sys.executable, str(COLOUR_SCANNER), "--serve"]
    Checkpoint.objects.filter(is_champion=True).update(is_champion=False)
    sha256 = ColourDetector.sha256
    Checkpoint.objects.create(name="colours", sha256=sha256, path=str(tmp_path / "weights"), is_champion=True)
    scanner = Scanner()
    yield scanner
    scanner.stop()


@pytest.fixture
def read_clip(home, make_clip):
    """A clip as ingest leaves it: the columns hold what the probe says."""
    from secondsticks.footage.models import columns_of
    from training.footage.footage import probe

    def read(line: str):
        clip = make_clip(content=b"")
        drawn = home / "drawn.mov"
        make_coloured(drawn, line)
        drawn.replace(clip.path)
        type(clip).objects.filter(pk=clip.pk).update(**columns_of(probe(clip.path)))
        clip.refresh_from_db()
        return clip

    return read


def make_coloured(path: Path, line: str) -> None:
    make_clip(path, line, rate=Fraction(24000, 1001), start_timecode="01:00:00:00")


def test_a_clip_is_scanned_for_real(read_clip, scanner):
    clip = read_clip("-" * 10 + "o" * 20 + "c" * 10 + "-" * 20)
    scan = Scan.objects.create(clip=clip)
    scanning.perform(scans.claim(str(scan.uuid)), scanner)

    scan.refresh_from_db()
    assert (scan.state, scan.error, scan.verdict) == ("done", "", "sure")
    clap = scan.claps.get()
    assert (clap.frame, clap.last_open, clap.timecode) == (30, 29, "01:00:01:06")
    assert clap.seconds == pytest.approx(30 * 1001 / 24000)
    assert (clap.x, clap.y, clap.w, clap.h) == pytest.approx(box_in(30), abs=4)
    assert {"state": "closed", "first": 30, "last": 39} in scan.slate_spans
    red, green, _ = middle_of(pictures.folder_of(scan) / clap.picture)
    assert red > 150 > green
    red, green, _ = middle_of(pictures.folder_of(scan) / clap.open_picture)
    assert green > 150 > red


def middle_of(path: Path) -> tuple[int, int, int]:
    picture = Image.open(path)
    return picture.getpixel((picture.width // 2, picture.height // 2))


def test_a_file_that_vanished_is_refused_with_a_sentence(read_clip, scanner):
    clip = read_clip("--------")
    clip.path.unlink()
    scan = Scan.objects.create(clip=clip)
    scanning.perform(scans.claim(str(scan.uuid)), scanner)

    scan.refresh_from_db()
    assert scan.state == "failed"
    assert scan.error

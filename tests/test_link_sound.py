"""`secondsticks link-sound`, with the real decoder and a scanner with a detector that knows colours."""

import functools
import json
import sys
from pathlib import Path

import jsonschema
import pytest

from secondsticks import cli
from tests.markers import readers
from tests.training.clicking import Track, samples_of
from tests.training.coloured import make_clip
from tests.training.sound.test_files import IXML, write
from training.scanner import Scanner

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = [sys.executable, str(ROOT / "tests/training/colour_scanner.py"), "--serve"]
CLAP = "-" * 9 + "o" * 12 + "c" * 12 + "-" * 9
RATE = 48_000
HOUR = 3603.6  # of 01:00:00:00 at 23.976
#: When the sticks of these clips meet: in the middle between frames 20 and 21.
MEET = (20.5 + 0.25) * 1001 / 24000


@pytest.fixture(autouse=True)
def _colour_scanner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "Scanner", functools.partial(Scanner, command=PROGRAM))


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two clips, one with timecode; three sound files: of the first clip, of another time, and broken."""
    folder = tmp_path_factory.mktemp("card")
    make_clip(folder / "A001.mov", CLAP, start_timecode="01:00:00:00")
    make_clip(folder / "B001.mov", CLAP.replace("c", "-"))
    clap = samples_of(Track(clicks=(round((2 + MEET) * RATE),), seconds=5))
    write(folder / "T01.wav", clap, reference=round((HOUR - 2) * RATE), ixml=IXML)
    write(folder / "T02.WAV", samples_of(Track(clicks=(), seconds=2)), reference=round(9 * 3600 * RATE))
    (folder / "T03.wav").write_text("no sound at all")
    return folder


def test_each_clip_gets_its_file_or_an_honest_no(card: Path, capfd: pytest.CaptureFixture[str]) -> None:
    before = {path: path.read_bytes() for path in card.iterdir()}
    assert cli.main(["link-sound", str(card), "--json"]) == 1
    out, err = capfd.readouterr()
    found = json.loads(out)
    jsonschema.validate(found, json.loads((ROOT / "docs/schemas/link-sound-1.json").read_text()))

    assert err == f"{card / 'T03.wav'}: This is not a WAV file.\n"
    assert found["failed"] == [{"path": str(card / "T03.wav"), "error": "This is not a WAV file."}]
    assert [(Path(one["path"]).name, one["time_reference"], one["take"]) for one in found["sounds"]] == [
        ("T01.wav", round((HOUR - 2) * RATE), "3"),
        ("T02.WAV", 9 * 3600 * RATE, ""),
    ]
    first, second = found["clips"]
    sound = first["sound"]
    assert (sound["file"], sound["certainty"], sound["how"]) == (str(card / "T01.wav"), "sure", "claps")
    assert sound["by_timecode"] == 2 * RATE
    assert sound["offset_samples"] == pytest.approx(2 * RATE, abs=RATE // 500)
    assert sound["offset_frames"] == pytest.approx(2 * 24000 / 1001, abs=0.05)
    assert [clap["frame"] for clap in first["claps"]] == [21]
    assert (second["sound"]["file"], second["sound"]["certainty"]) == (None, "no match")
    assert {path: path.read_bytes() for path in card.iterdir()} == before


def test_the_table_for_people(card: Path, capfd: pytest.CaptureFixture[str]) -> None:
    names = [str(card / name) for name in ("T01.wav", "A001.mov", "B001.mov")]
    assert cli.main(["link-sound", *names]) == 0
    heading, first, second = capfd.readouterr().out.splitlines()
    assert heading.split() == [
        "CLIP",
        "SOUND",
        "FILE",
        "BEGINS",
        "AT",
        "SAMPLE",
        "FRAME",
        "SECONDS",
        "BY",
        "WHY",
    ]
    assert "T01.wav" in first and "2.00" in first and "sure" in first and "timecode and sound agree" in first
    assert "no match" in second and "no timecode says where" in second


def test_what_is_linked_goes_into_the_exports(card: Path, tmp_path: Path) -> None:
    names = [str(card / name) for name in ("T01.wav", "A001.mov", "B001.mov")]
    assert cli.main(["link-sound", *names, "--export", "csv,ale,otio,json", "--out", str(tmp_path)]) == 0
    first, second = readers.read_csv((tmp_path / "claps.csv").read_text())
    assert (first["sound_file"], first["sound_how"], first["sound_sure"]) == ("T01.wav", "claps", "yes")
    assert int(first["sound_offset_samples"]) == pytest.approx(2 * RATE, abs=RATE // 500)
    assert (second["sound_file"], second["sound_sure"]) == ("", "")
    rows = (tmp_path / "claps.ale").read_text().split("Data\n")[-1].splitlines()
    assert "DAY04" in rows[0] and "01:00:00:00" in rows[0] and "T01.wav" in rows[0]
    exported = json.loads((tmp_path / "claps.json").read_text())["clips"]
    assert exported[0]["sound"]["file"] == "T01.wav" and "sound" not in exported[1]


def test_only_clips_or_only_sound_is_said(card: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["link-sound", str(card / "B001.mov")]) == 0
    out, err = capfd.readouterr()
    assert err == "No sound files were found: their names end in .wav or .bwf.\n"
    assert "there is no sound file" in out
    assert cli.main(["link-sound", str(card / "T02.WAV")]) == 0
    assert capfd.readouterr().err == "No video files were found.\n"


def test_a_clip_that_cannot_be_read(card: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "notes.mov").write_text("no video\n")
    assert cli.main(["link-sound", str(tmp_path / "notes.mov"), str(card / "T01.wav")]) == 1
    assert "notes.mov" in capfd.readouterr().err

"""Scene, take, roll and camera in files: what a person accepted, and what a machine only suggests."""

import csv
import functools
import io
import json
import sys
from fractions import Fraction
from pathlib import Path

import jsonschema
import pytest

from secondsticks import cli
from secondsticks.markers import FORMATS, MarkedClip, marked_clip
from tests.markers.takes import RATES, make_clip
from tests.training import coloured
from training import slate_text
from training.footage.facts import FootageError
from training.scanner import Scanner
from training.slate_text.failures import SlateTextFailed
from training.slate_text.reader import SlateReader, SlateText

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = [sys.executable, str(ROOT / "tests/training/colour_scanner.py"), "--serve"]
READ = {
    "scene": {"text": "12A", "confidence": 0.97},
    "take": {"text": "3", "confidence": 0.91},
    "roll": {"text": "B00", "confidence": 0.41},
}
SUGGESTED = {"scene": "12A", "take": "3"}


def clip(**fields) -> MarkedClip:
    return make_clip(RATES[1], RATES[1].starts[0], **fields)


def text_of(name: str, *clips: MarkedClip) -> str:
    return FORMATS[name].write(clips).decode()


def ale(*clips: MarkedClip) -> list[dict[str, str]]:
    lines = text_of("ale", *clips).split("\r\n")
    columns = lines[lines.index("Column") + 1].split("\t")
    rows = [line for line in lines[lines.index("Data") + 1 :] if line]
    return [dict(zip(columns, row.split("\t"), strict=True)) for row in rows]


def test_tables_say_whether_a_person_has_accepted():
    accepted, suggested, neither = clip(scene="7", take="1"), clip(suggested=SUGGESTED), clip()
    rows = list(csv.DictReader(io.StringIO(text_of("csv", accepted, suggested, neither))))
    said = [(row["scene"], row["take"], row["slate_text"]) for row in rows if row["clap"] in ("1", "")]
    assert said == [("7", "1", "accepted"), ("12A", "3", "suggested"), ("", "", "")]
    entries = json.loads(text_of("json", accepted, suggested, neither))["clips"]
    assert [entry.get("slate_text") for entry in entries] == ["accepted", "suggested", None]
    assert entries[1]["scene"] == "12A"


def test_an_avid_bin_never_has_a_suggestion_for_its_scene():
    both = ale(clip(scene="7", take="1"), clip(suggested=SUGGESTED))
    assert (both[0]["Scene"], both[0]["Take"], both[0]["Slate not checked"]) == ("7", "1", "")
    assert (both[1]["Scene"], both[1]["Take"]) == ("", "")
    assert both[1]["Slate not checked"] == "scene 12A, take 3 (read by machine)"
    assert "Slate not checked" not in ale(clip(scene="7"))[0]


@pytest.mark.parametrize("name", ["edl", "avid", "fcpxml", "fcp7", "otio"])
def test_names_of_markers_have_what_was_accepted_alone(name):
    assert "scene 7 take 1" in text_of(name, clip(scene="7", take="1"))
    assert "12A" not in text_of(name, clip(suggested=SUGGESTED))


@pytest.fixture
def footage(tmp_path, monkeypatch) -> Path:
    monkeypatch.setattr(cli, "Scanner", functools.partial(Scanner, command=PROGRAM))
    states = "-" * 9 + "o" * 12 + "c" * 12 + "-" * 9
    return coloured.make_clip(tmp_path / "A001.mov", states, rate=Fraction(24))


@pytest.fixture
def reads(monkeypatch) -> list:
    """A reader that says READ; the frames that it was offered."""
    offered = []

    def read_sharpest(self, path, shown):
        offered.append(sorted(shown))
        return (25, SlateText(READ, [], upside_down=False))

    monkeypatch.setattr(SlateReader, "read_sharpest", read_sharpest)
    return offered


def scan(capfd, *arguments: object) -> tuple[int, str, str]:
    status = cli.main(["scan", *map(str, arguments)])
    out, err = capfd.readouterr()
    return status, out, err


def test_the_command_line_reads_slates_when_asked(footage, reads, capfd):
    status, out, _ = scan(capfd, footage, "--slate-text", "--json")
    document = json.loads(out)
    jsonschema.validate(document, json.loads((ROOT / "docs/schemas/scan-1.json").read_text()))
    (one,) = document["clips"]
    assert (status, one["scene"], one["take"], one["slate_text"]) == (0, "12A", "3", "suggested")
    assert "roll" not in one and one["slate_read"] == READ and one["slate_frame"] == 25
    assert reads[0][0] == 21 and set(reads[0]) <= set(range(21, 33))  # closed frames, from the clap on


def test_people_see_what_was_read_in_the_table(footage, reads, capfd):
    _, out, _ = scan(capfd, footage, "--slate-text")
    assert "SLATE" in out and "scene 12A take 3 roll B00?" in out
    assert "SLATE" not in scan(capfd, footage)[1]


def test_the_exports_of_the_command_line_have_suggestions(footage, reads, capfd, tmp_path):
    scan(capfd, footage, "--slate-text", "--export", "csv,ale", "--out", tmp_path / "out")
    (row,) = csv.DictReader((tmp_path / "out/A001-claps.csv").open())
    assert (row["scene"], row["slate_text"]) == ("12A", "suggested")
    assert "(read by machine)" in (tmp_path / "out/A001-claps.ale").read_text()


@pytest.mark.parametrize(
    "error",
    [SlateTextFailed("Reading the slate took too long."), FootageError("broken", "The file is damaged.")],
)
def test_a_slate_that_cannot_be_read_fails_no_clip(footage, capfd, monkeypatch, error):
    def fail(self, path, shown):
        raise error

    monkeypatch.setattr(SlateReader, "read_sharpest", fail)
    status, out, err = scan(capfd, footage, "--slate-text", "--json")
    assert status == 0 and json.loads(out)["clips"][0]["slate_read"] == {}
    assert f"A001.mov: its slate was not read. {error}" in err


def test_without_the_extra_it_says_how_to_install_it_and_scans_nothing(footage, capfd, monkeypatch):
    monkeypatch.setattr("secondsticks.cli.slates.is_installed", lambda: False)
    status, out, err = scan(capfd, footage, "--slate-text")
    assert (status, out) == (2, "") and slate_text.HOW_TO_INSTALL in err
    assert scan(capfd, footage)[0] == 0  # everything else is as ever


def test_a_scan_without_slates_suggests_nothing():
    facts = {"frames": 9, "variable_rate": False, "start_timecode": None, "drop_frame": False, "width": 16}
    facts |= {"height": 9, "rate": "24", "duration": "3/8", "audio": []}
    result = {
        "facts": facts,
        "checkpoint": {"sha256": "ab"},
        "verdict": "no slate",
        "reason": "",
        "claps": [],
    }
    assert marked_clip(Path("a.mov"), result).suggested == {}

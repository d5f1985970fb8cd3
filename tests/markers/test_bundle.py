"""Which files there are, what is in the zip, and how they get onto a disk."""

import io
import json
import zipfile
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest

from secondsticks.markers import FORMATS, MarkedClip, bundle, place, written
from tests.markers import readers
from tests.markers.takes import FRAMES, RATES, Rate, make_clip, make_marker, make_quiet

PAL, FILM, DROP = RATES[2], RATES[0], RATES[3]
NOT_READ = MarkedClip(name="notes.mov", reason="This is not a video file.")


@pytest.fixture
def clips() -> list[MarkedClip]:
    """Two rates, two of one name, one MOS, one without a slate, one that could not be read."""
    return [
        make_clip(PAL, "01:00:00:00"),
        make_clip(PAL, "02:00:00:00", name="a001c001.mxf"),
        make_clip(DROP, "10:00:00;00", name="A002C001.mov"),
        make_quiet("A003C001.mov", "mos"),
        make_quiet("A004C001.mov", "no slate"),
        NOT_READ,
    ]


def files_of(packed: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name).decode() for name in archive.namelist()}


def test_the_zip_holds_every_format_and_a_text_about_it(clips: list[MarkedClip]) -> None:
    files = files_of(bundle(clips))
    assert list(files) == [
        "claps.csv",
        "claps.json",
        "resolve/A001C001-claps.edl",
        "resolve/a001c001-claps-2.edl",
        "resolve/A002C001-claps.edl",
        "avid/A001C001-claps.txt",
        "avid/a001c001-claps-2.txt",
        "avid/A002C001-claps.txt",
        "claps-25.ale",
        "claps-29.97.ale",
        "claps.fcpxml",
        "claps.xml",
        "claps.otio",
        "READ ME.txt",
    ]
    about = files["READ ME.txt"]
    assert "Clips: 6. Claps: 12." in about and "3 of the claps should be looked at" in about
    assert "a001c001.mxf: 02:00:00:00" in about and "notes.mov: This is not a video file." in about


def test_each_clip_is_in_the_files_that_hold_many(clips: list[MarkedClip]) -> None:
    files = files_of(bundle(clips))
    frames = [list(FRAMES)] * 3 + [[], []]
    assert [[one.frame for one in found] for found in readers.read_fcpxml(files["claps.fcpxml"])] == frames
    assert [[one.frame for one in found] for found in readers.read_otio(files["claps.otio"])] == frames
    sequences = readers.read_fcp7(files["claps.xml"])
    assert {name: len(clips) for name, clips in sequences.items()} == {"Claps 25": 4, "A002C001.mov": 1}
    for _, found in (pair for clips in sequences.values() for pair in clips):
        assert [one.frame for one in found] in (list(FRAMES), [])
    starts = ElementTree.fromstring(files["claps.xml"].encode()).iterfind(".//sequence[1]//clipitem/start")
    assert [start.text for start in starts] == ["0", "1500", "3000", "4500"]


def test_clips_without_a_clap_are_in_ale_and_csv(clips: list[MarkedClip]) -> None:
    files = files_of(bundle(clips))
    rows = {row["Name"]: row for row in readers.read_ale(files["claps-25.ale"])[1]}
    assert (rows["A003C001"]["Verdict"], rows["A003C001"]["Clap TC"]) == ("MOS", "")
    assert (rows["A004C001"]["Verdict"], rows["A004C001"]["Comments"]) == ("no slate", "it is no slate")
    said = {
        row["clip"]: (row["verdict"], row["frame"], row["reason"])
        for row in readers.read_csv(files["claps.csv"])
    }
    assert said["A003C001.mov"] == ("mos", "", "it is mos")
    assert said["notes.mov"] == ("", "", "This is not a video file.")


def test_the_json_is_the_document_of_the_command_line(clips: list[MarkedClip]) -> None:
    by_hand = make_marker(7, PAL.fps, confidence=None, confirmed_by="Ann", checkpoint="")
    told = json.loads(files_of(bundle([*clips, make_clip(PAL, claps=(by_hand,))]))["claps.json"])
    schema = Path(__file__).resolve().parents[2] / "docs/schemas/scan-1.json"
    jsonschema.validate(told, json.loads(schema.read_text()))
    assert told["failed"] == [{"path": "notes.mov", "error": "This is not a video file."}]


def test_unsure_claps_can_be_left_out_of_all(clips: list[MarkedClip]) -> None:
    files = files_of(bundle(clips, include_unsure=False))
    sure = [frame for number, frame in enumerate(FRAMES) if number != 1]
    assert [one.frame for one in readers.read_fcpxml(files["claps.fcpxml"])[0]] == sure
    assert [one.frame for one in readers.read_otio(files["claps.otio"])[0]] == sure
    assert [one.frame for one in readers.read_edl(files["resolve/A001C001-claps.edl"], clips[0])] == sure
    assert all(row["sure"] in ("yes", "") for row in readers.read_csv(files["claps.csv"]))
    named = [text for name, text in files.items() if name != "READ ME.txt" and "LOOK" in text]
    assert named == []


def test_the_same_clips_give_the_same_bytes(clips: list[MarkedClip]) -> None:
    assert bundle(clips) == bundle(list(clips))


def test_one_clip_gives_files_of_its_name() -> None:
    names = list(written([make_clip(FILM)], FORMATS.values()))
    assert names == [
        *(
            "A001C001-claps.csv",
            "A001C001-claps.json",
            "resolve/A001C001-claps.edl",
            "avid/A001C001-claps.txt",
        ),
        *("A001C001-claps.ale", "A001C001-claps.fcpxml", "A001C001-claps.xml", "A001C001-claps.otio"),
    ]


def test_one_clip_without_a_clap_still_has_its_file() -> None:
    clip = make_quiet("A.mov", "mos")
    ((name, content),) = written([clip], [FORMATS["edl"]]).items()
    assert (name, readers.read_edl(content.decode(), clip)) == ("resolve/A-claps.edl", [])


@pytest.mark.parametrize("clips", [[], [NOT_READ]], ids=["none", "none read"])
def test_nothing_to_mark_is_no_error(clips: list[MarkedClip]) -> None:
    files = files_of(bundle(clips))
    assert [Path(name).suffix for name in files] == [".csv", ".json", ".txt"]


@pytest.mark.parametrize("fps", [Fraction(1, 3), Fraction(1000)])
def test_a_rate_without_timecode_is_left_out_where_timecode_is_all_there_is(fps: Fraction) -> None:
    clip = replace(make_clip(PAL), rate=fps, claps=(make_marker(7, fps),))
    files = files_of(bundle([clip]))
    assert not any(name.endswith((".edl", ".ale", "claps.txt")) for name in files)
    assert "A001C001.mov" in files["READ ME.txt"]
    assert [one.frame for one in readers.read_fcpxml(files["A001C001-claps.fcpxml"])[0]] == [7]
    assert [one.frame for one in readers.read_otio(files["A001C001-claps.otio"])[0]] == [7]


@pytest.mark.parametrize("fps", [Fraction(25, 2), Fraction(100), Fraction(120_000, 1001), Fraction(120)])
def test_rates_that_the_adapters_refuse(fps: Fraction) -> None:
    clip = make_clip(Rate("odd", fps), claps=(make_marker(7, fps), make_marker(1400, fps)))
    files = files_of(bundle([clip]))
    assert [one.frame for one in readers.read_edl(files["resolve/A001C001-claps.edl"], clip)] == [7, 1400]
    assert [one.frame for one in readers.read_fcpxml(files["A001C001-claps.fcpxml"])[0]] == [7, 1400]
    assert "<in>1400</in>" in files["A001C001-claps.xml"]


def test_variable_rate_footage_is_marked_by_its_time() -> None:
    """As every editing program plays it: frame 40 shown at 2 s is frame 50 at a nominal 25."""
    marker = make_marker(40, PAL.fps, seconds=2.0)
    clip = make_clip(PAL, claps=(marker,), variable_rate=True, frames=90, duration=Fraction(4))
    files = files_of(bundle([clip]))
    assert readers.read_edl(files["resolve/A001C001-claps.edl"], clip)[0].frame == 50
    assert readers.read_fcpxml(files["A001C001-claps.fcpxml"])[0][0].frame == 50
    assert readers.read_csv(files["A001C001-claps.csv"])[0]["frame"] == "40"
    late = replace(clip, claps=(replace(marker, seconds=4.2),))
    assert readers.read_edl(FORMATS["edl"].write([late]).decode(), late)[0].frame == 99


def test_files_land_in_a_folder_whole(tmp_path: Path, clips: list[MarkedClip]) -> None:
    files = written(clips, FORMATS.values())
    old = tmp_path / "out" / "claps.csv"
    old.parent.mkdir()
    old.write_text("old")
    paths = place(files, tmp_path / "out")
    assert {str(path.relative_to(tmp_path / "out")): path.read_bytes() for path in paths} == files
    assert sorted(path for path in (tmp_path / "out").rglob("*") if path.is_file()) == sorted(paths)
    assert paths[0].stat().st_mode & 0o044 == 0o044

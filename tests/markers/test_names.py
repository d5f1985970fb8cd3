"""Names, notes and reasons that could break a file, its reader or a spreadsheet."""

import json
from dataclasses import replace
from pathlib import Path

import opentimelineio as otio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secondsticks.markers import FORMATS, MarkedClip, Marker, written
from secondsticks.markers.bundle import file_name
from secondsticks.markers.tables import disarmed
from secondsticks.markers.words import one_line
from tests.markers import readers
from tests.markers.takes import RATES, frame_of, make_clip, make_marker

RATE = RATES[2]
NASTY = [
    "tab\tnew line\r\nreturn\rform\fvertical\v",
    "<&>\"']]>&amp;<!--",
    "bars | C:ResolveColorBlue |M:no |D:9",
    "سينما ١٢.mov",
    "turned \u202emov.exe\u202c",
    "line\u2028paragraph\u2029next\x85unit\x1f",
    "nul\x00 esc\x1b[31m none\ufffe half\udcff",
    "x" * 3000,
    "../../etc/passwd",
    "=cmd|'/C calc'!A0",
    " ",
]


def nasty_clip(text: str) -> MarkedClip:
    """A clip that says the same text everywhere."""
    fps = RATE.fps
    claps = (
        make_marker(7, fps, note=text, confirmed_by=text),
        make_marker(9, fps, sure=False, note=text, kind="tail"),
    )
    slate = dict.fromkeys(("scene", "take", "roll", "camera"), text)
    return make_clip(RATE, "01:00:00:00", name=text, reason=text, claps=claps, **slate)


def found_in(clip: MarkedClip) -> dict[str, list[int]]:
    """Format -> the frames of its markers, each file read by its reader."""
    text = {name: format.write([clip]).decode() for name, format in FORMATS.items()}
    (fcpxml,), (otio_found,) = readers.read_fcpxml(text["fcpxml"]), readers.read_otio(text["otio"])
    (((_, fcp7),),) = readers.read_fcp7(text["fcp7"]).values()
    (row,) = readers.read_ale(text["ale"])[1]
    return {
        "edl": [one.frame for one in readers.read_edl(text["edl"], clip)],
        "avid": [one.frame for one in readers.read_avid(text["avid"], clip)],
        "ale": [frame_of(row[f"{label} TC"], clip) for label in ("Clap", "Clap 2") if row[f"{label} TC"]],
        "fcpxml": [one.frame for one in fcpxml],
        "fcp7": [one.frame for one in fcp7],
        "otio": [one.frame for one in otio_found],
        "csv": [int(row["frame"]) for row in readers.read_csv(text["csv"])],
        "json": [clap["frame"] for clap in json.loads(text["json"])["clips"][0]["claps"]],
    }


@pytest.mark.parametrize("text", NASTY, ids=lambda text: ascii(text)[:20])
def test_no_text_breaks_a_file(text: str) -> None:
    assert found_in(nasty_clip(text)) == {name: [7, 9] for name in FORMATS}


@settings(max_examples=30, deadline=None)
@given(text=st.text(max_size=60), frames=st.lists(st.integers(0, 1499), unique=True, min_size=1, max_size=2))
def test_any_text_and_any_frames_come_back(text: str, frames: list[int]) -> None:
    clip = nasty_clip(text)
    claps = tuple(replace(clip.claps[0], frame=frame) for frame in sorted(frames))
    assert found_in(replace(clip, claps=claps)) == dict.fromkeys(FORMATS, sorted(frames))


@given(text=st.text(st.characters(codec=None, categories=None)))
def test_one_line_is_one_line_and_fits_everywhere(text: str) -> None:
    plain = one_line(text, longest=40)
    assert len(plain.splitlines()) <= 1 and "\t" not in plain and len(plain) <= 40
    assert plain == one_line(plain, longest=40)
    plain.encode()


def test_text_of_any_script_stays_as_it_is() -> None:
    assert one_line("سينما ١٢ – Ĉapo 映画 👍🏽") == "سينما ١٢ – Ĉapo 映画 👍🏽"


def test_long_addresses_stay_whole() -> None:
    path = Path("/", *["a long folder name"] * 60, "clip.mov")
    clip = make_clip(RATE, path=path)
    ((read, _),) = readers.read_fcp7(FORMATS["fcp7"].write([clip]).decode())["A001C001.mov"]
    assert read.media_reference.target_url == f"file://localhost{str(path).replace(' ', '%20')}"


def test_a_path_of_any_bytes_becomes_an_address() -> None:
    clip = make_clip(RATE, path=Path("/footage/caf\udce9 #1?.mov"))
    timeline = otio.adapters.read_from_string(FORMATS["otio"].write([clip]).decode(), "otio_json")
    (read,) = timeline.find_clips()
    assert read.media_reference.target_url == "file:///footage/caf%E9%20%231%3F.mov"


@pytest.mark.parametrize(
    "name", ["=cmd|'/C calc'!A0.mov", "+1.mov", "-2.mov", "@SUM(A1).mov", " =1.mov", "\t=1"]
)
def test_a_name_is_never_a_formula(name: str) -> None:
    (*_, row) = readers.read_csv(FORMATS["csv"].write([nasty_clip(name)]).decode())
    for column in ("clip", "reason", "note", "scene", "take", "roll", "camera"):
        assert row[column] == f"'{name}"


def test_numbers_and_plain_text_stay_as_they_are() -> None:
    assert [disarmed(value) for value in (-1, 0.5, "A-1.mov", "")] == [-1, 0.5, "A-1.mov", ""]


def test_names_with_commas_quotes_and_new_lines_survive_in_csv() -> None:
    (*_, row) = readers.read_csv(FORMATS["csv"].write([nasty_clip('a,"b"\nc.mov')]).decode())
    assert row["clip"] == 'a,"b"\nc.mov'


def test_markers_on_one_frame_are_one_for_resolve_and_red_if_one_is_unsure() -> None:
    clip = make_clip(RATE, claps=(make_marker(5, RATE.fps), make_marker(5, RATE.fps, sure=False)))
    (found,) = readers.read_edl(FORMATS["edl"].write([clip]).decode(), clip)
    assert (found.frame, found.red, found.name) == (5, True, "LOOK: clap 2 of 2? + Clap 1 of 2")
    assert found_in(clip)["avid"] == found_in(clip)["fcp7"] == [5, 5]


def test_scene_and_take_are_in_the_name() -> None:
    clip = make_clip(RATE, claps=(make_marker(5, RATE.fps),), scene="12A", take="3")
    (found,) = readers.read_edl(FORMATS["edl"].write([clip]).decode(), clip)
    assert found.name == "Clap, scene 12A take 3"


def test_a_marker_that_a_person_set_has_no_confidence() -> None:
    clip = make_clip(
        RATE, claps=(make_marker(5, RATE.fps, confidence=None, confirmed_by="Ann", checkpoint=""),)
    )
    (found,) = readers.read_edl(FORMATS["edl"].write([clip]).decode(), clip)
    assert found.note.startswith("confirmed by Ann, checkpoint")
    assert found_in(clip) == {name: [5] for name in FORMATS}


@pytest.mark.parametrize(
    ("name", "on_disk"),
    [
        ("A001C001", "A001C001"),
        ("con", "_con"),
        ("NUL.mov", "_NUL.mov"),
        ("../x", "_x"),
        ("..", "clip"),
        (".hidden", "hidden"),
        ('a:b*c?"<>|', "a_b_c_____"),
        ("dots...", "dots"),
        ("e\u0301", "é"),
        ("映" * 100, "映" * 40),
        ("", "clip"),
    ],
)
def test_a_file_name_is_one_that_every_disk_takes(name: str, on_disk: str) -> None:
    assert file_name(name) == on_disk


@given(text=st.text(st.characters(codec=None, categories=None)))
def test_a_file_name_never_leaves_its_folder(text: str) -> None:
    name = file_name(text)
    assert name and Path(name).name == name and name not in (".", "..") and len(name.encode()) <= 121


def test_the_files_of_a_nasty_clip_lie_where_they_should() -> None:
    for text in NASTY:
        for path in written([nasty_clip(text)], FORMATS.values()):
            assert (
                not Path(path).is_absolute() and ".." not in Path(path).parts and len(Path(path).parts) <= 2
            )


def test_equal_markers_are_told_apart() -> None:
    marker = Marker(frame=5, timecode="", seconds=0.2)
    clip = make_clip(RATE, claps=(marker, replace(marker, frame=6)))
    names = [one.name for one in readers.read_edl(FORMATS["edl"].write([clip]).decode(), clip)]
    assert names == ["Clap 1 of 2", "Clap 2 of 2"]

"""Every marker on its frame, in every format, at every rate, from every start, past midnight too."""

import json
from fractions import Fraction
from pathlib import Path

import opentimelineio as otio
import pytest

from secondsticks.markers import FORMATS, MarkedClip, written
from tests.markers import readers
from tests.markers.readers import Found
from tests.markers.takes import (
    FRAMES,
    LENGTH,
    RATES,
    TAKES,
    Rate,
    count_of,
    frame_of,
    frames_of_a_day,
    make_clip,
    start_of,
)

GOLDEN = Path(__file__).with_name("golden")
NAMES = ["Clap 1 of 4", "LOOK: clap 2 of 4?", "Clap 3 of 4", "Tail slate clap 4 of 4"]
each_take = pytest.mark.parametrize("take", TAKES, ids=lambda take: f"{take[0].name} from {take[1]}")


@pytest.fixture
def clip(take: tuple[Rate, str | None]) -> MarkedClip:
    return make_clip(*take)


def text_of(name: str, *clips: MarkedClip) -> str:
    return FORMATS[name].write(clips).decode()


def are_right(found: list[Found]) -> bool:
    assert [(one.frame, one.name, one.red) for one in found] == [
        (frame, name, name.startswith("LOOK")) for frame, name in zip(FRAMES, NAMES, strict=True)
    ]
    assert all("abababababab" in one.note for one in found)
    assert ["confirmed by Ann Editor on 2026-11-23" in one.note for one in found] == [
        False,
        False,
        True,
        False,
    ]
    assert ["not confirmed" in one.note for one in found] == [True, True, False, True]
    assert "41 % confident" in found[1].note and "one of four claps is faint" in found[1].note
    assert "sound at sample 240000 at 48000 Hz" in found[3].note and "-3.2 ms" in found[3].note
    return True


@each_take
def test_resolve_edl(clip: MarkedClip) -> None:
    assert are_right(readers.read_edl(text_of("edl", clip), clip))


@each_take
def test_avid_markers(clip: MarkedClip) -> None:
    assert are_right(readers.read_avid(text_of("avid", clip), clip))


@each_take
def test_ale(clip: MarkedClip) -> None:
    heading, (row,), (read,) = readers.read_ale(text_of("ale", clip))
    assert Fraction(heading["FPS"]) == pytest.approx(clip.fps, abs=0.001)
    assert [frame_of(row[name], clip) for name in ("Clap TC", "Clap 2 TC")] == list(FRAMES[:2])
    assert [int(row[name]) for name in ("Clap frame", "Clap 2 frame")] == list(FRAMES[:2])
    assert (row["Start"], frame_of(row["End"], clip)) == (clip.timecode_at(0), LENGTH)
    assert (row["Verdict"], row["Confidence"], row["Clap 2 confidence"]) == ("look", "0.94", "0.41")
    assert (row["Tracks"], row["Claps"]) == ("VA1A2", "4")
    if start_of(clip) + LENGTH < frames_of_a_day(clip):  # the adapter counts no further
        assert read.source_range.duration.value == LENGTH


@each_take
def test_fcpxml(clip: MarkedClip) -> None:
    text = text_of("fcpxml", clip)
    (found,) = readers.read_fcpxml(text)
    assert are_right(found)
    assert f'tcFormat="{"DF" if clip.drop_frame else "NDF"}"' in text


@pytest.mark.parametrize(
    "rate", [rate for rate in RATES if rate.fps.denominator == 1], ids=lambda rate: rate.name
)
def test_fcpxml_as_the_adapter_reads_it_where_it_can_count(rate: Rate) -> None:
    """It takes frame rates for whole numbers, and looks for clips outside of events."""
    clip = make_clip(rate, rate.starts[1])
    text = text_of("fcpxml", clip).replace('<event name="Claps">', "").replace("</event>", "")
    (read,) = otio.adapters.read_from_string(text, "fcpx_xml")
    start = count_of(clip.start_timecode or "", clip.fps, False)
    assert [marker.marked_range.start_time.value - start for marker in read.markers] == list(FRAMES)
    assert [marker.name for marker in read.markers] == NAMES
    assert [marker.color == "RED" for marker in read.markers] == [False, True, False, False]


@each_take
def test_fcp7(clip: MarkedClip) -> None:
    ((read, found),) = readers.read_fcp7(text_of("fcp7", clip))["A001C001.mov"]
    assert are_right(found)
    media = read.media_reference.available_range
    assert media.start_time.value == start_of(clip) and media.duration.value == LENGTH
    assert media.start_time.rate == pytest.approx(float(clip.fps), abs=0.001)
    said = read.media_reference.metadata["fcp_xml"]["timecode"]
    assert said["displayformat"] == ("DF" if clip.drop_frame else "NDF")


@each_take
def test_otio(clip: MarkedClip) -> None:
    text = text_of("otio", clip)
    (found,) = readers.read_otio(text)
    assert are_right(found)
    timeline = otio.adapters.read_from_string(text, "otio_json")
    (read,) = timeline.find_clips()
    assert timeline.global_start_time.value == read.source_range.start_time.value == start_of(clip)
    assert all(read.available_range().contains(marker.marked_range.start_time) for marker in read.markers)
    assert Fraction(read.metadata["secondsticks"]["fps"]) == clip.fps


@each_take
def test_csv_and_json(clip: MarkedClip) -> None:
    rows = readers.read_csv(text_of("csv", clip))
    (told,) = json.loads(text_of("json", clip))["clips"]
    assert [int(row["frame"]) for row in rows] == [clap["frame"] for clap in told["claps"]] == list(FRAMES)
    assert [frame_of(row["timecode"], clip) for row in rows] == list(FRAMES)
    assert [row["sure"] for row in rows] == ["yes", "no", "yes", "yes"]
    assert {Fraction(row["fps"]) for row in rows} == {Fraction(told["fps"])} == {clip.fps}
    assert [row["confirmed_by"] for row in rows] == [
        "not confirmed",
        "not confirmed",
        "Ann Editor",
        "not confirmed",
    ]


@pytest.mark.parametrize("rate", RATES, ids=lambda rate: rate.name)
def test_the_files_are_those_we_know(rate: Rate) -> None:
    """After a change that is meant: `python -m tests.markers.write_golden`, and look at what git shows."""
    files = written([make_clip(rate, rate.starts[2])], FORMATS.values())
    known = {
        str(path.relative_to(GOLDEN / rate.name)): path.read_bytes()
        for path in (GOLDEN / rate.name).rglob("*.*")
    }
    assert files == known

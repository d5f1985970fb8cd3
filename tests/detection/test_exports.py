"""Downloads of claps in every format: of a clip, of a project, of chosen clips."""

import io
import json
import zipfile

import pytest
from django.urls import reverse

from secondsticks.detection.decisions import Wanted, decide
from secondsticks.detection.exports import ALL, CHOICES
from secondsticks.detection.models import DecisionKind
from secondsticks.detection.moves import ScanState
from secondsticks.markers import FORMATS
from secondsticks.markers.tables import COLUMNS
from tests.markers import readers


@pytest.fixture
def download(client, annotator, project):
    client.force_login(annotator)

    def download(format: str, clip=None, query: str = "", status: int = 200):
        name, thing = ("project", project) if clip is None else ("clip", clip)
        response = client.get(reverse(f"detection:{name}-export", args=[thing.uuid, format]) + query)
        assert response.status_code == status
        assert status != 200 or response["Content-Disposition"].startswith("attachment")
        return response

    return download


@pytest.fixture
def lines(download):
    def lines(clip=None, query: str = ""):
        return readers.read_csv(download("csv", clip, query).content.decode())

    return lines


def unpacked(response) -> dict[str, str]:
    assert response["Content-Type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def test_a_line_for_each_clap(lines, make_clip, make_scan, checkpoint):
    make_scan(make_clip(), claps=[100, 200], reason="2 claps")
    first, second = lines()

    assert tuple(first) == COLUMNS
    assert {name: text for name, text in first.items() if text} == {
        "clip": "A001C001.mov",
        "clap": "1",
        "timecode": "01:00:04:04",
        "frame": "100",
        "seconds": str(100 * 1001 / 24000),
        "fps": "24000/1001",
        "start_timecode": "01:00:00:00",
        "drop_frame": "no",
        "confidence": "0.9",
        "verdict": "sure",
        "reason": "2 claps",
        "checkpoint": checkpoint.sha256[:12],
        "sure": "yes",
        "kind": "clap",
        "confirmed_by": "not confirmed",
    }
    assert (second["clap"], second["timecode"]) == ("2", "01:00:08:08")


def test_drop_frame_timecode_has_its_semicolon(lines, make_clip, make_scan):
    clip = make_clip(rate_num=30000, rate_den=1001, start_timecode="00:00:59;28", drop_frame=True)
    make_scan(clip, claps=[2])
    (line,) = lines()
    assert (line["timecode"], line["drop_frame"]) == ("00:01:00;02", "yes")


def test_clips_without_claps_have_a_line_too(lines, make_clip, make_scan):
    make_scan(make_clip("a.mov"), verdict="mos", reason="closed throughout")
    make_clip("b.mov", state="refused", message="This is a text file.", frames=None, rate_num=None)
    make_scan(make_clip("c.mov"), state=ScanState.FAILED, error="It broke.")
    make_clip("d.mov")

    found = {line["clip"]: (line["timecode"], line["verdict"], line["reason"]) for line in lines()}
    assert found == {
        "a.mov": ("", "mos", "closed throughout"),
        "b.mov": ("", "", "This is a text file."),
        "c.mov": ("", "", "It broke."),
        "d.mov": ("", "", "This clip has not been scanned yet."),
    }


def test_json_is_the_command_lines_document(download, make_clip, make_scan, checkpoint):
    make_scan(make_clip("a.mov"), claps=[100], reason="it closes")
    make_clip("b.mov", state="refused", message="This is a text file.", frames=None, rate_num=None)

    document = json.loads(download("json").content)
    (clip,) = document["clips"]
    assert (clip["path"], clip["fps"], clip["frames"]) == ("a.mov", "24000/1001", 240)
    assert (clip["verdict"], clip["reason"], clip["checkpoint"]) == ("sure", "it closes", checkpoint.sha256)
    assert [clap["timecode"] for clap in clip["claps"]] == ["01:00:04:04"]
    assert document["failed"] == [{"path": "b.mov", "error": "This is a text file."}]


@pytest.mark.parametrize("format", FORMATS)
def test_one_clips_claps_alone_are_one_file(download, make_clip, make_scan, format):
    one, other = make_clip("one.mov"), make_clip("other.mov")
    make_scan(one, claps=[1])
    make_scan(other, claps=[2])
    response = download(format, one)
    assert "other" not in response.content.decode()
    assert response["Content-Disposition"] == f'attachment; filename="one-claps.{FORMATS[format].suffix}"'
    assert response["Content-Type"].split(";")[0] == FORMATS[format].media_type


def test_formats_of_one_file_a_clip_come_in_a_zip(download, make_clip, make_scan):
    make_scan(make_clip("one.mov"), claps=[1])
    make_scan(make_clip("other.mov"), claps=[2])
    response = download("edl")
    assert sorted(unpacked(response)) == ["READ ME.txt", "resolve/one-claps.edl", "resolve/other-claps.edl"]
    assert response["Content-Disposition"].endswith('-claps.edl.zip"')


def test_everything_is_one_zip(download, make_clip, make_scan):
    make_scan(make_clip("one.mov"), claps=[1])
    make_scan(make_clip("still.mov"), verdict="mos")
    files = unpacked(download(ALL))
    assert {name.rpartition(".")[2] for name in files} >= {format.suffix for format in FORMATS.values()}
    assert [[one.frame for one in found] for found in readers.read_fcpxml(files["claps.fcpxml"])] == [[1], []]


def test_a_doubted_clip_has_red_claps_that_can_be_left_out(download, lines, make_clip, make_scan):
    clip = make_clip()
    make_scan(clip, claps=[100], verdict="look", reason="it closes, but only for a frame")
    edl = download("edl", clip).content.decode()
    assert "ResolveColorRed |M:LOOK: clap?" in edl and "but only for a frame" in edl
    assert "LOOK" not in download("edl", clip, "?unsure=0").content.decode()
    assert [(line["frame"], line["verdict"]) for line in lines(query="?unsure=0")] == [("", "look")]


def test_what_people_decided_is_what_is_exported(lines, download, make_clip, make_scan, annotator):
    clip = make_clip(frames=2400)
    scan = make_scan(clip, claps=[100, 200, 300], verdict="look", reason="three claps")
    scan.claps.update(sample=4804, sample_rate=48000, disagreement_ms=1.5)
    moved, accepted, rejected = (clap.uuid for clap in scan.claps.all())
    for number, (kind, said) in enumerate(
        [
            ("move", {"clap": moved, "frame": 101, "seconds": 101 * 1001 / 24000}),
            ("accept", {"clap": accepted}),
            ("reject", {"clap": rejected}),
            ("add", {"frame": 400, "seconds": 400 * 1001 / 24000}),
        ]
    ):
        decide(clip, annotator, Wanted(DecisionKind(kind), number, f"key {number}", **said))

    first, second, third = lines()
    assert [line["frame"] for line in (first, second, third)] == ["101", "200", "400"]
    assert {(line["sure"], line["verdict"], line["confirmed_by"]) for line in lines()} == {
        ("yes", "sure", "ann")
    }
    assert all(line["confirmed_at"] for line in lines())
    assert [line["note"] for line in lines()] == ["moved from frame 100 by ann", "", "added by ann"]
    assert [line["confidence"] for line in lines()] == ["", "0.9", ""]
    assert [(line["sample"], line["disagreement_ms"]) for line in lines()] == [
        ("4804", ""),
        ("4804", "1.5"),
        ("", ""),
    ]
    edl = download("edl", clip).content.decode()
    assert edl.count("confirmed by ann") == 3 and "LOOK" not in edl
    assert [line.split()[4] for line in edl.splitlines() if line[:1] == "0"] == [
        *("01:00:04:05", "01:00:08:08", "01:00:16:16")
    ]


def test_a_person_can_say_mos(lines, make_clip, make_scan, annotator):
    clip = make_clip()
    make_scan(clip, claps=[100], verdict="look")
    decide(clip, annotator, Wanted(DecisionKind.MOS, 0, "key"))
    (line,) = lines()
    assert (line["verdict"], line["frame"], line["reason"]) == ("mos", "", "ann said: MOS, no clap")


def test_claps_near_the_end_are_tail_slate_claps(lines, make_clip, make_scan):
    make_scan(make_clip(), claps=[230])
    assert lines()[0]["kind"] == "tail"


def test_chosen_clips_alone(lines, download, make_clip, make_project):
    one, two, _ = (make_clip(name) for name in ("1.mov", "2.mov", "3.mov"))
    assert [line["clip"] for line in lines(query=f"?clip={two.uuid}&clip={one.uuid}")] == ["1.mov", "2.mov"]
    foreign = make_clip("4.mov", project=make_project("Another"))
    download("csv", query=f"?clip={one.uuid}&clip={foreign.uuid}", status=404)
    download("csv", query="?clip=nonsense", status=404)


def test_a_format_that_is_none(download, make_clip):
    download("avi", status=404)
    download("avi", make_clip(), status=404)


def test_a_project_without_clips_is_no_error(download):
    assert "Clips: 0" in unpacked(download(ALL))["READ ME.txt"]
    assert "READ ME.txt" in unpacked(download("fcpxml"))


def test_only_the_paths_of_server_folders_are_told(download, make_clip, make_scan):
    ours = make_clip("ours.mov")
    theirs = make_clip("theirs.mov", origin="folder", location="/footage/day 1/theirs.mov")
    for clip in (ours, theirs):
        make_scan(clip, claps=[1])
    text = download("fcp7").content.decode()
    assert "file://localhost/ours.mov" in text and "file://localhost/footage/day%201/theirs.mov" in text


def test_a_file_name_cannot_break_out_of_the_header(download, make_clip, make_scan):
    clip = make_clip('x"; filename=evil\r\nSet-Cookie: a=b.mov')
    make_scan(clip)
    assert download("csv", clip)["Content-Disposition"].count('"') == 2


def test_names_of_other_scripts_stay(download, make_clip, make_scan):
    clip = make_clip("映画.mov")
    make_scan(clip)
    assert "filename*=utf-8''%E6%98%A0%E7%94%BB-claps.csv" in download("csv", clip)["Content-Disposition"]


@pytest.mark.parametrize("format", [*FORMATS, ALL])
def test_many_clips_take_no_more_queries(
    download, make_clip, make_scan, django_assert_max_num_queries, format
):
    for number in range(5):
        make_scan(make_clip(f"{number}.mov"), claps=[1, 2])
    with django_assert_max_num_queries(10):
        download(format)


def test_the_menus_offer_every_format(client, annotator, project, make_clip, make_scan):
    clip = make_clip()
    make_scan(clip, claps=[1])
    client.force_login(annotator)
    for kind, thing in (("project", project), ("clip", clip)):
        page = client.get(thing.get_absolute_url()).content.decode()
        for format, title in CHOICES:
            assert f'formaction="{reverse(f"detection:{kind}-export", args=[thing.uuid, format])}"' in page
            assert title in page

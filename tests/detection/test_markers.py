"""The claps as CSV and JSON."""

import csv
import io

import pytest
from django.urls import reverse

from secondsticks.detection.markers import COLUMNS, disarmed
from secondsticks.detection.moves import ScanState


@pytest.fixture
def download(client, annotator, project):
    client.force_login(annotator)

    def download(ending: str, clip=None):
        name, thing = ("project", project) if clip is None else ("clip", clip)
        response = client.get(reverse(f"detection:{name}-{ending}", args=[thing.uuid]))
        assert response["Content-Disposition"].startswith("attachment")
        return response

    return download


@pytest.fixture
def lines(download):
    def lines(clip=None):
        return list(csv.DictReader(io.StringIO(download("csv", clip).content.decode())))

    return lines


def test_a_line_for_each_clap(lines, make_clip, make_scan, checkpoint):
    make_scan(make_clip(), claps=[100, 200], reason="2 claps")
    first, second = lines()

    assert tuple(first) == COLUMNS
    assert first == {
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


@pytest.mark.parametrize("name", ["=cmd|'/C calc'!A0.mov", "+1.mov", "-2.mov", "@SUM(A1).mov", " =1.mov"])
def test_a_name_is_never_a_formula(lines, make_clip, make_scan, name):
    make_scan(make_clip(name), claps=[1])
    assert lines()[0]["clip"] == f"'{name}"


def test_numbers_and_plain_text_stay_as_they_are():
    assert [disarmed(value) for value in (-1, 0.5, "A-1.mov", "")] == [-1, 0.5, "A-1.mov", ""]


def test_names_with_commas_quotes_and_new_lines_survive(lines, make_clip, make_scan):
    make_scan(make_clip('a,"b"\nc.mov'), claps=[1])
    assert lines()[0]["clip"] == 'a,"b"\nc.mov'


def test_json_is_the_command_lines_document(download, make_clip, make_scan, checkpoint):
    make_scan(make_clip("a.mov"), claps=[100], reason="it closes")
    make_clip("b.mov", state="refused", message="This is a text file.", frames=None, rate_num=None)

    assert download("json").json() == {
        "version": 1,
        "clips": [
            {
                "path": "a.mov",
                "fps": "24000/1001",
                "frames": 240,
                "start_timecode": "01:00:00:00",
                "drop_frame": False,
                "verdict": "sure",
                "reason": "it closes",
                "claps": [
                    {
                        "frame": 100,
                        "timecode": "01:00:04:04",
                        "seconds": 100 * 1001 / 24000,
                        "confidence": 0.9,
                    }
                ],
                "checkpoint": checkpoint.sha256,
            }
        ],
        "failed": [{"path": "b.mov", "error": "This is a text file."}],
    }


@pytest.mark.parametrize("ending", ["csv", "json"])
def test_one_clips_claps_alone(download, make_clip, make_scan, ending):
    one, other = make_clip("one.mov"), make_clip("other.mov")
    make_scan(one, claps=[1])
    make_scan(other, claps=[2])
    text = download(ending, one).content.decode()
    assert "one.mov" in text and "other.mov" not in text


def test_a_file_name_cannot_break_out_of_the_header(download, make_clip, make_scan):
    clip = make_clip('x"; filename=evil\r\nSet-Cookie: a=b.mov')
    make_scan(clip)
    assert download("csv", clip)["Content-Disposition"].count('"') == 2

"""What we write, read again: the same boxes, states, sizes and ids, through every format."""

from __future__ import annotations

import csv
import json
import zipfile
from io import BytesIO, StringIO
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from training.coco import read_coco
from training.exchange.foreign import Wishes
from training.exchange.labelled import COLUMNS, Labelled, write_table
from training.exchange.reading import read_foreign
from training.exchange.writing import IMAGES, WRITERS
from training.slates import Box, State


@st.composite
def labelled(draw, id: int) -> Labelled:
    width, height = draw(st.integers(16, 400)), draw(st.integers(16, 400))
    boxes = []
    for number in range(draw(st.integers(0, 3))):
        x, y = draw(st.floats(0, width - 4)), draw(st.floats(0, height - 4))
        w, h = draw(st.floats(2, width - x)), draw(st.floats(2, height - y))
        sides = (round(side, 2) for side in (x, y, w, h))
        boxes.append((id * 16 + number, Box(*sides), draw(st.sampled_from(State))))
    key = f"{UUID(int=id)}/{draw(st.integers(0, 10**6))}"
    return Labelled(
        id=id, frame_key=key, file_name=f"{key}.jpg", width=width, height=height, boxes=tuple(boxes),
        clip=draw(st.text(st.characters(codec="utf-8"), max_size=20)), clip_uuid=key.split("/")[0], frame=7,
        timecode="01:00:00:07", picture_sha256="ab" * 32, origin="drawn", author="ann", version=3,
        at="2026-11-23T21:00:00+00:00", group=key.split("/")[0],
    )  # fmt: skip


sets = st.integers(1, 4).flatmap(lambda count: st.tuples(*(labelled(id + 1) for id in range(count))))


def archive_of(tmp, frames, form: str, *, pictures: bool = True):
    path = tmp / "set.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in WRITERS[form](frames):
            archive.writestr(name, content)
        for one in frames if pictures else ():
            written = BytesIO()
            Image.new("L", (one.width, one.height)).save(written, "JPEG")
            archive.writestr(f"{IMAGES}/{one.file_name}", written.getvalue())
    return path


def sides(box: Box):
    return (box.x, box.y, box.w, box.h)


@settings(deadline=None, max_examples=40)
@given(sets)
def test_coco_comes_back_equal(tmp_path_factory, frames):
    path = archive_of(tmp_path_factory.mktemp("coco"), frames, "coco")
    found = read_foreign(path, Wishes())
    assert (found.format, found.problems, found.unsaid) == ("COCO", [], 0)
    for ours, theirs in zip(frames, found.frames, strict=True):
        assert (theirs.id, theirs.frame_key, theirs.author) == (str(ours.id), ours.frame_key, "ann")
        assert (theirs.width, theirs.height) == (ours.width, ours.height)
        assert theirs.picture == f"{IMAGES}/{ours.file_name}"
        got = [(int(one.id), one.box, one.state) for one in theirs.boxes]
        assert [(id, sides(box), state) for id, box, state in got] == [
            (id, pytest.approx(sides(box), abs=0.011), state) for id, box, state in ours.boxes
        ]


@settings(deadline=None, max_examples=25)
@given(sets, st.sampled_from(["yolo", "label-studio"]))
def test_other_formats_come_back_within_rounding(tmp_path_factory, frames, form):
    path = archive_of(tmp_path_factory.mktemp("set"), frames, form)
    found = read_foreign(path, Wishes(empty=True))
    assert found.problems == []
    by_picture = {frame.picture: frame for frame in found.frames}
    for ours in frames:
        theirs = by_picture[f"{IMAGES}/{ours.file_name}"]
        assert (theirs.width, theirs.height) == (ours.width, ours.height)
        assert [one.state for one in theirs.boxes] == [state for _, _, state in ours.boxes]
        for one, (_, box, _) in zip(theirs.boxes, ours.boxes, strict=True):
            assert sides(one.box) == pytest.approx(sides(box), abs=0.011)
        if form == "label-studio":
            assert theirs.frame_key == ours.frame_key


@settings(deadline=None, max_examples=10)
@given(sets)
def test_our_coco_is_what_training_reads(tmp_path_factory, frames):
    folder = tmp_path_factory.mktemp("coco")
    with zipfile.ZipFile(archive_of(folder, frames, "coco")) as archive:
        archive.extractall(folder)
    found = read_coco(folder / "annotations.json", images=folder / IMAGES)
    assert [image.id for image in found.images] == [one.id for one in frames]
    assert {box.id: box.state for box in found.boxes} == {
        id: state for one in frames for id, _, state in one.boxes
    }
    document = json.loads((folder / "annotations.json").read_text())
    assert [(one["id"], one["name"]) for one in document["categories"]] == [(1, "open"), (2, "closed")]


@settings(deadline=None, max_examples=20)
@given(sets)
def test_the_table_says_where_each_frame_is_from(frames):
    table = StringIO()
    write_table(frames, table)
    table.seek(0)
    rows = list(csv.DictReader(table))
    assert tuple(rows[0]) == COLUMNS
    for row, one in zip(rows, frames, strict=True):
        assert (row["frame_key"], row["picture_sha256"], row["version"]) == (one.frame_key, "ab" * 32, "3")
        shown = "".join(letter if letter.isprintable() else " " for letter in one.clip)
        assert row["clip"] in (shown, f"'{shown}")


def test_a_spreadsheet_takes_no_name_for_a_formula():
    table = StringIO()
    key = f"{UUID(int=1)}/1"
    nasty = {"clip": "=HYPERLINK(1)", "clip_uuid": "u", "author": " @ann", "origin": "drawn", "group": "u"}
    known = {"frame": 1, "timecode": "", "picture_sha256": "", "version": 1, "at": ""}
    write_table([Labelled(1, key, f"{key}.jpg", 16, 16, (), **nasty, **known)], table)
    assert "'=HYPERLINK(1)" in table.getvalue() and "' @ann" in table.getvalue()

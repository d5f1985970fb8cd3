"""Files from outside: what is wrong with them is said, picture by picture, and nothing is guessed."""

from __future__ import annotations

import json
import stat
import struct
import zipfile
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from training.exchange import archive, foreign
from training.exchange.foreign import ExchangeError, PictureProblem, Wishes
from training.exchange.pictures import as_jpeg, size_of
from training.exchange.reading import read_foreign
from training.label_studio import region
from training.slates import Box, State

W, H = 64, 48
KEY = "5ecd5ecd-0000-4000-8000-000000000001/7"


def picture(form="JPEG", size=(W, H), **options) -> bytes:
    written = BytesIO()
    Image.new("RGB", size, (90, 20, 30)).save(written, form, **options)
    return written.getvalue()


@pytest.fixture
def read(tmp_path):
    def make(files, wishes=Wishes(), **options):  # noqa: B008 - frozen
        path = tmp_path / "given.zip"
        if isinstance(files, bytes):
            path.write_bytes(files)
        elif not isinstance(files, dict):
            path.write_text(json.dumps(files))
        else:
            with zipfile.ZipFile(path, "w") as into:
                for name, content in files.items():
                    into.writestr(name, content if isinstance(content, bytes | str) else json.dumps(content))
        return read_foreign(path, wishes)

    return make


def coco(images=None, boxes=None, **more):
    image = {"id": 1, "file_name": "a.jpg", "width": W, "height": H}
    box = {"id": 5, "image_id": 1, "category_id": 1, "bbox": [4, 4, 20, 20], "iscrowd": 0}
    return {
        "images": [image] if images is None else [image | one for one in images],
        "annotations": [box] if boxes is None else [box | one for one in boxes],
        "categories": [{"id": 1, "name": "open"}, {"id": 2, "name": "closed"}, {"id": 3, "name": "chart"}],
    } | more


def refused(found) -> list[str]:
    return [problem.sentence for problem in found.problems]


def test_a_good_one(read):
    found = read({"annotations.json": coco(), "images/a.jpg": picture()})
    assert refused(found) == []
    (frame,) = found.frames
    assert (frame.id, frame.file_name, frame.picture) == ("1", "a.jpg", "images/a.jpg")
    assert [(one.id, one.box, one.state) for one in frame.boxes] == [("5", Box(4, 4, 20, 20), State.OPEN)]


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (coco(boxes=[{"category_id": 3}]), "The label 'chart' is unknown"),
        (coco(boxes=[{"category_id": 9}]), "a category that is not there"),
        (coco(boxes=[{"bbox": [50, 4, 20, 20]}]), "outside"),
        (coco(boxes=[{"bbox": [4, 4, 0, 20]}]), "empty"),
        (coco(boxes=[{"bbox": [4, 4, float("nan"), 20]}]), "not a number"),
        (coco(boxes=[{"bbox": [4, 4, 20]}]), "not four numbers"),
        (coco(boxes=[{"bbox": None}]), "not four numbers"),
        (coco(boxes=[{"bbox": [4, 4, "20", 20]}]), "not four numbers"),
        (coco(boxes=[{"bbox": [4, 4, 10**400, 20]}]), "The box 5"),
        (coco(boxes=[{"iscrowd": 1}]), "crowd"),
        (coco(boxes=[{"attributes": {"rotation": 30}}]), "rotated"),
        (coco(boxes=[{}, {"bbox": [1, 1, 9, 9]}]), "annotation id '5' is there twice"),
        (coco(boxes=[{"id": n} for n in range(17)]), "17 boxes"),
        (coco(boxes=[{"image_id": 8}, {"id": 6}]), "not the image"),
        (coco(images=[{}, {"file_name": "b.jpg"}]), "image id '1' is there 2 times"),
        (coco(images=[{}, {"id": 2}], boxes=[{}, {"id": 6, "image_id": 2}]), "2 images have this file name"),
        (coco(images=[{"width": 65}]), "labelled as 65 × 48 pixels, but its picture has 64 × 48"),
        (coco(images=[{"width": None}]), "picture's size"),
        (coco(images=[{"width": True}]), "picture's size"),
    ],
)
def test_coco_that_cannot_be_taken(read, document, why):
    found = read({"annotations.json": document, "a.jpg": picture()})
    assert any(why in sentence for sentence in refused(found)), refused(found)


@pytest.mark.parametrize(
    "document",
    [
        {"images": 1, "annotations": [], "categories": []},
        {"images": [1], "annotations": [], "categories": []},
        coco(categories=[{"id": 1, "name": "open"}, {"id": 1, "name": "closed"}]),
        {"a": 1},
        [1],
        "text",
        [],
    ],
)
def test_what_is_no_file_of_labels(read, document):
    with pytest.raises(ExchangeError):
        read(document)


def test_pictures_nobody_said_anything_about_are_left_out_unless_asked_for(read):
    files = {"annotations.json": coco(boxes=[]), "a.jpg": picture()}
    assert (read(files).unsaid, read(files).frames) == (1, [])
    (frame,) = read(files, Wishes(empty=True)).frames
    assert frame.boxes == ()


def test_their_names_for_the_states(read):
    named = Wishes({"chart": State.CLOSED})
    (frame,) = read({"a.json": coco(boxes=[{"category_id": 3}]), "a.jpg": picture()}, named).frames
    assert frame.boxes[0].state is State.CLOSED


def test_two_pictures_of_one_name_in_different_folders(read):
    files = {"a.json": coco(), "x/a.jpg": picture(), "y/a.jpg": picture()}
    assert "2 pictures in the file have this name" in refused(read(files))[0]
    files = {"x/a.json": coco(), "x/a.jpg": picture(), "y/a.jpg": picture()}
    assert read(files).frames[0].picture == "x/a.jpg"


def test_a_folder_that_a_name_says_is_believed(read):
    files = {"a.json": coco(images=[{"file_name": "train/a.jpg"}]), "val/a.jpg": picture()}
    assert read(files).frames[0].picture == ""


def task(**changes):
    said = region(Box(6.4, 4.8, 12.8, 9.6), State.CLOSED, width=W, height=H, id="r1")
    answer = {"id": 3, "result": [said], "was_cancelled": False, "completed_by": {"email": "ann@example.org"}}
    answers = changes.pop("annotations", None)
    data = {"image": "/data/upload/1/a.jpg", "frame_key": KEY} | changes.pop("data", {})
    return {"id": 9, "data": data, "annotations": answers if answers is not None else [answer]} | changes


def test_label_studio(read):
    (frame,) = read({"export.json": [task()], "images/a.jpg": picture()}).frames
    assert (frame.id, frame.frame_key, frame.author, frame.picture) == (
        "9",
        KEY,
        "ann@example.org",
        "images/a.jpg",
    )
    assert [(one.id, one.state) for one in frame.boxes] == [("r1", State.CLOSED)]
    box = frame.boxes[0].box
    assert (box.x, box.y, box.w, box.h) == pytest.approx((6.4, 4.8, 12.8, 9.6))


@pytest.mark.parametrize(
    "address",
    [
        "/data/local-files/?d=films/a.jpg",
        "https://example.org/films/a.jpg?sig=1",
        "s3://bucket/films/a.jpg",
        "a%2Ejpg",
        "films\\a.jpg",
    ],
)
def test_the_file_name_of_a_task(read, address):
    (frame,) = read({"e.json": [task(data={"image": address})], "images/a.jpg": picture()}).frames
    assert frame.picture == "images/a.jpg"


ROTATED = region(Box(6, 5, 12, 9), State.OPEN, width=W, height=H, id="r")
ROTATED["value"]["rotation"] = 10
BIG = region(Box(6, 5, 12, 9), State.OPEN, width=2 * W, height=2 * H, id="r")


@pytest.mark.parametrize(
    ("tasks", "why"),
    [
        ([task(annotations=[{"result": []}, {"result": []}])], "2 annotations"),
        ([task(annotations=[{"result": [ROTATED]}])], "rotated"),
        ([task(annotations=[{"result": [BIG]}])], "labelled as 128 × 96 pixels"),
        ([task(annotations=[{"result": None}])], "not a list of regions"),
        ([task(), task()], "task id '9' is there twice"),
        ([task(), task(id=10)], "Another entry is about the same picture"),
        ([task(data={"image": "gone.jpg"}, annotations=[{"result": []}])], "its size is not known"),
    ],
)
def test_tasks_that_cannot_be_taken(read, tasks, why):
    found = read({"export.json": tasks, "images/a.jpg": picture()})
    assert found.frames == [] and any(why in sentence for sentence in refused(found)), refused(found)


def test_skipped_and_unlabelled_tasks_say_nothing(read):
    skipped = {"result": [ROTATED], "was_cancelled": True}
    found = read([task(annotations=[skipped]), task(id=2, annotations=[]), task(id=3, annotations="x")])
    assert (found.unsaid, found.frames, found.problems) == (3, [], [])


def yolo(labels="0 0.5 0.5 0.2 0.2\n", **more):
    return {"data.yaml": "names: [open, closed]\n", "images/a.jpg": picture(), "labels/a.txt": labels} | more


def test_yolo(read):
    (frame,) = read(yolo()).frames
    box = frame.boxes[0].box
    assert (box.x, box.y, box.w, box.h) == pytest.approx((25.6, 19.2, 12.8, 9.6))
    (frame,) = read(
        {"obj.names": "closed\nopen\n", "obj/a.jpg": picture(), "obj/a.txt": "0 .5 .5 .2 .2"}
    ).frames
    assert frame.boxes[0].state is State.CLOSED


@pytest.mark.parametrize(
    ("files", "why"),
    [
        (yolo("0 0.5 0.5 0.2 0.2 0.9"), "a score"),
        (yolo("0 0.1 0.1 0.2 0.1 0.2 0.2 0.1 0.2"), "not a class and four numbers"),
        (yolo("7 0.5 0.5 0.2 0.2"), "unknown class '7'"),
        (yolo("-1 0.5 0.5 0.2 0.2"), "unknown class"),
        (yolo("٣ 0.5 0.5 0.2 0.2"), "unknown class"),
        (yolo("open 0.5 0.5 0.2 0.2"), "unknown class"),
        (yolo("0 nan 0.5 0.2 0.2"), "not between 0 and 1"),
        (yolo("0 320 240 64 48"), "not between 0 and 1"),
        (yolo("0 0.98 0.5 0.2 0.2"), "outside"),
        (yolo("0 0.5 0.5 0 0.2"), "empty"),
        (yolo("0 a b c d"), "four numbers"),
        (yolo(b"\xff\xfe0"), "not a text"),
        (yolo(**{"labels/b.txt": "0 .5 .5 .1 .1"}), "no picture for this label file"),
        (yolo(**{"images/a.txt": "0 .5 .5 .1 .1"}), "two label files"),
        (yolo(**{"images/a.png": picture("PNG")}), "share one label file"),
        (yolo(**{"images/a.jpg": b"no picture"}), "not a JPEG, PNG or WebP"),
    ],
)
def test_yolo_that_cannot_be_taken(read, files, why):
    assert any(why in sentence for sentence in refused(read(files))), refused(read(files))


@pytest.mark.parametrize(
    "classes",
    [
        "names: [no, yes]\n  bad",
        "nothing: 1",
        "names: {0: open, 2: closed}",
        "names: [no, off]",
        "names: []",
        "names: 5",
        "- a",
        "!!python/object/apply:os.system ['true']",
        "a: &a [x]\nb: *a",
    ],
)
def test_classes_that_are_not_plain(read, classes):
    with pytest.raises(ExchangeError, match=r"data\.yaml"):
        read(yolo(**{"data.yaml": classes}))


def test_two_lists_of_classes_that_differ(read):
    with pytest.raises(ExchangeError, match="different classes"):
        read(yolo(**{"classes.txt": "closed\nopen\n"}))


@pytest.mark.parametrize(
    "name", ["../a.jpg", "/etc/a.jpg", "x/../../a.jpg", "c:/a.jpg", "x\\a.jpg", "a\x07.jpg"]
)
def test_names_that_lead_out_are_not_read(read, name):
    found = read({"a.json": coco(), name: picture()})
    assert "Its name is not one of a file inside of the zip file." in refused(found)
    assert all(frame.picture == "" for frame in found.frames)


def test_links_and_encrypted_files_are_not_read(read, tmp_path):
    link = zipfile.ZipInfo("a.jpg")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    made = BytesIO()
    with zipfile.ZipFile(made, "w") as into:
        into.writestr("a.json", json.dumps(coco()))
        into.writestr(link, "/etc/passwd")
    found = read(made.getvalue())
    assert refused(found) == ["It is a link."] and found.frames[0].picture == ""


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_is_in_the_zip_twice(read):
    made = BytesIO()
    with zipfile.ZipFile(made, "w") as into:
        into.writestr("a.json", json.dumps(coco()))
        for _ in range(2):
            into.writestr("a.jpg", picture())
    assert refused(read(made.getvalue())) == ["It is in the zip file twice."]


def test_bombs(read, monkeypatch):
    made = BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as into:
        into.writestr("a.json", json.dumps(coco()))
        into.writestr("b.json", b" " * ((64 << 20) + 1))
    assert refused(read(made.getvalue())) == ["It is too large."]
    monkeypatch.setattr(archive, "MOST_UNPACKED", 1 << 20)
    with pytest.raises(ExchangeError, match="Unpacked"):
        read(made.getvalue())
    monkeypatch.setattr(archive, "MOST_FILES", 1)
    with pytest.raises(ExchangeError, match="more than 1 files"):
        read({"a.json": coco(), "a.jpg": picture()})
    monkeypatch.setattr(archive, "MOST_DIRECTORY", 10)
    with pytest.raises(ExchangeError, match="far too many"):
        read({"a.json": coco(), "a.jpg": picture()})


def test_a_size_that_the_zip_lies_about(read):
    """The list says one byte, the stream holds 64 MB and more: no more than the limit is ever read."""
    made = BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as into:
        into.writestr("a.json", b" " * ((64 << 20) + 1))
    content = bytearray(made.getvalue())
    at = content.rindex(b"PK\x01\x02")
    content[at + 24 : at + 28] = struct.pack("<L", 1)
    with pytest.raises(ExchangeError):
        read(bytes(content))


def test_deep_json(read):
    with pytest.raises(ExchangeError):
        read({"a.json": "[" * 200_000})


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_in_a_sentence(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("any") / "file"
    for given_bytes in (content, b"PK\x03\x04" + content, b"PK\x05\x06" + content):
        path.write_bytes(given_bytes)
        with pytest.raises(ExchangeError, match=r"\.$"):
            read_foreign(path, Wishes())


@given(st.data())
def test_a_zip_with_any_damage(tmp_path_factory, data):
    made = BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as into:
        into.writestr("a.json", json.dumps(coco()))
        into.writestr("a.jpg", picture())
    content = bytearray(made.getvalue())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("damaged") / "file.zip"
    path.write_bytes(content)
    try:
        read_foreign(path, Wishes())
    except ExchangeError as error:
        assert str(error).endswith(".")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "not a JPEG"),
        (b"GIF89a", "not a JPEG"),
        (picture(size=(8, 8)), "8 × 8"),
        (picture("PNG", (9000, 9000)), "9000 × 9000"),
        (
            picture(exif=bytes.fromhex("45786966000049492a0008000000010012010300010000000600000000000000")),
            "EXIF",
        ),
    ],
)
def test_pictures_that_are_not_taken(content, why):
    with pytest.raises(PictureProblem, match=why):
        as_jpeg(content)


def test_half_a_picture_is_damaged():
    content = picture(size=(640, 480), quality=100)
    assert size_of(BytesIO(content[:1200])) == (640, 480)
    with pytest.raises(PictureProblem, match="damaged"):
        as_jpeg(content[: len(content) // 2])


def test_a_jpeg_stays_as_it_is_and_others_become_one():
    content = picture()
    assert as_jpeg(content) == (content, W, H)
    see_through = BytesIO()
    Image.new("RGBA", (W, H), (255, 0, 0, 0)).save(see_through, "PNG")
    jpeg, *size = as_jpeg(see_through.getvalue())
    assert jpeg[:2] == b"\xff\xd8" and size == [W, H]


def test_frame_keys_are_only_ours():
    assert foreign.frame_key_in(KEY) == KEY
    for other in (
        f"../{KEY}",
        f"{KEY}\n",
        KEY.replace("a", "A").replace("5e", "5E"),
        "a/1",
        f"{KEY}0000000000",
        None,
        7,
    ):
        assert foreign.frame_key_in(other) == ""

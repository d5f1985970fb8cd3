"""Annotations out of the database and into it: looked at first, taken over once, and back."""

from __future__ import annotations

import csv
import json
import zipfile
from io import BytesIO, StringIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse
from PIL import Image

from secondsticks.footage.models import Project
from secondsticks.labeling import history, tasks, work
from secondsticks.labeling.exchange import receiving, taking
from secondsticks.labeling.exchange.labelled import labelled_in
from secondsticks.labeling.exchange.rows import Import, ImportedLabel, Step, Still
from secondsticks.labeling.history import Word
from secondsticks.labeling.models import Annotation, FrameState, Origin, QueuedFrame
from secondsticks.labeling.work import WorkState
from secondsticks.store import store
from tests.labeling.conftest import BOX, OTHER
from tests.labeling.test_filling import make_scanned  # noqa: F401 - a fixture
from training.store import StoreError, Trouble

pytestmark = pytest.mark.django_db
SIZE = (64, 48)


def picture(shade: int = 90, size=SIZE, form="JPEG") -> bytes:
    written = BytesIO()
    Image.new("RGB", size, (shade, 20, 30)).save(written, form)
    return written.getvalue()


def zipped(files: dict[str, bytes | str | dict | list]) -> bytes:
    made = BytesIO()
    with zipfile.ZipFile(made, "w") as into:
        for name, content in files.items():
            into.writestr(name, content if isinstance(content, bytes | str) else json.dumps(content))
    return made.getvalue()


def coco(*images: dict, category: str = "open") -> dict:
    known = [{"id": n, "width": SIZE[0], "height": SIZE[1]} | image for n, image in enumerate(images, 1)]
    boxes = [
        {"id": 100 + one["id"], "image_id": one["id"], "category_id": 4, "bbox": [4, 4, 20, 20]}
        for one in known
    ]
    return {"images": known, "annotations": boxes, "categories": [{"id": 4, "name": category}]}


def bring(project: Project, content: bytes, by=None, name="theirs.zip", **said) -> Import:
    """What happens when somebody gives a file, up to the report."""
    batch = receiving.receive(project, by, name=name, chunks=[content], **said)
    return work_off(batch)


def work_off(batch: Import) -> Import:
    tasks.work_on_import(batch.pk)
    return Import.objects.select_related("project").get(pk=batch.pk)


def take(batch: Import) -> Import:
    assert batch.go_on(Step.TAKE, after=Step.READ)
    return work_off(batch)


@pytest.fixture
def labelled(home, make_frame, annotator):
    """Three frames: with a slate, without one, and one that still waits."""
    frames = [make_frame() for _ in range(3)]
    for frame, boxes in zip(frames, ([BOX, OTHER], []), strict=False):
        history.add(frame, Word(by=annotator, key="a key", made_on=0, origin=Origin.DRAWN, boxes=boxes))
        store().put(frame.picture_key, picture(size=(1920, 1080)))
    return frames


# --- out


def exported(client: Client, project, **query) -> zipfile.ZipFile:
    response = client.get(reverse("labeling:annotations-zip", args=[project.uuid]), query)
    assert response.status_code == 200, response.content
    assert response["Content-Type"] == "application/zip"
    return zipfile.ZipFile(BytesIO(b"".join(response.streaming_content)))


def test_an_export_has_what_holds_and_where_it_is_from(client, project, lead, labelled):
    client.force_login(lead)
    found = exported(client, project)
    document = json.loads(found.read("annotations.json"))
    assert [(one["id"], one["frame_key"]) for one in document["images"]] == [
        (frame.pk, frame.frame_key) for frame in labelled[:2]
    ]
    first = Annotation.objects.get(frame=labelled[0])
    assert [one["id"] for one in document["annotations"]] == [first.pk * 16, first.pk * 16 + 1]
    assert [one["category_id"] for one in document["annotations"]] == [1, 2]
    rows = list(csv.DictReader(StringIO(found.read("frames.csv").decode())))
    assert [(row["author"], row["origin"], row["version"], row["slates"]) for row in rows] == [
        ("ann", "drawn", "1", "2"),
        ("ann", "drawn", "1", "0"),
    ]
    assert (rows[0]["clip"], rows[0]["timecode"]) == ("A001C001.mov", labelled[0].timecode)
    assert rows[0]["picture_sha256"] == labelled[0].picture_sha256


@pytest.mark.parametrize("form", ["coco", "yolo", "label-studio"])
def test_an_export_with_pictures_says_what_is_lost(client, project, lead, labelled, form):
    store().delete(labelled[1].picture_key)
    client.force_login(lead)
    names = exported(client, project, format=form, pictures=1).namelist()
    assert f"images/{labelled[0].frame_key}.jpg" in names
    assert f"images/{labelled[1].frame_key}.jpg" not in names and "missing-pictures.txt" in names


def test_a_format_that_is_not_there(client, project, lead):
    client.force_login(lead)
    address = reverse("labeling:annotations-zip", args=[project.uuid])
    assert client.get(address, {"format": "voc"}).status_code == 400


# --- in


def test_a_file_is_looked_at_and_then_taken_over(home, project, lead):
    content = zipped({"a.json": coco({"file_name": "a.jpg"}, {"file_name": "gone.jpg"}), "a.jpg": picture()})
    batch = bring(project, content, lead, source="Night Train, day 2")
    assert (batch.step, batch.state, batch.format) == (Step.READ, WorkState.DONE, "COCO")
    report = batch.report
    assert (report["stills"], report["frames"], report["open"], report["refused"]) == (1, 0, 1, 1)
    assert report["problems"] == [["gone.jpg", "Its picture is not in the file."]]
    assert not Still.objects.exists() and batch.can_be_taken

    batch = take(batch)
    still = Still.objects.get()
    assert (still.source, still.file_name, still.image_id, still.box_ids) == (
        "Night Train, day 2", "a.jpg", "1", ["101"],
    )  # fmt: skip
    assert still.boxes == [{"x": 4, "y": 4, "w": 20, "h": 20, "state": "open"}]
    assert store().get(f"frames/{still.frame_key}.jpg") == picture()
    assert not batch.file.exists()
    (one,) = labelled_in(project)
    assert (one.clip, one.group) == ("Night Train, day 2", "stills: Night Train, day 2")


def test_our_own_export_comes_back_as_nothing_new(client, project, lead, labelled):
    client.force_login(lead)
    for form in ("coco", "label-studio"):
        address = reverse("labeling:annotations-zip", args=[project.uuid])
        content = b"".join(client.get(address, {"format": form, "pictures": 1}).streaming_content)
        batch = bring(project, content, lead, name=f"{form}.zip")
        assert not batch.can_be_taken
        assert {why for _, why in batch.report["problems"]} == {"This frame is labelled already, by ann."}


def test_an_export_goes_into_another_project_as_stills(client, project, lead, labelled, make_project):
    client.force_login(lead)
    other = make_project("Other", lead=lead)
    address = reverse("labeling:annotations-zip", args=[project.uuid])
    bare = b"".join(client.get(address).streaming_content)
    batch = bring(other, bare, lead)
    assert [why for _, why in batch.report["problems"]] == [
        "Its picture is not in the file. It names a frame, but of no clip of this project."
    ] * 2
    whole = b"".join(client.get(address, {"pictures": 1}).streaming_content)
    batch = bring(other, whole, lead)
    assert [why for _, why in batch.report["problems"]] == ["The same picture is in the file 2 times."] * 2


def label_of(clip, number: int, state="open", size=(320, 180)) -> dict:
    document = coco({"file_name": f"{number}.jpg", "frame_key": f"{clip.uuid}/{number}"}, category=state)
    document["images"][0] |= {"width": size[0], "height": size[1], "author": "eve"}
    return document


def test_a_label_of_a_frame_of_ours_becomes_a_version(make_scanned, project, lead):  # noqa: F811
    clip, _ = make_scanned()
    batch = take(bring(project, json.dumps(label_of(clip, 7)).encode(), lead, name="labels.json"))
    assert (batch.state, batch.report["frames"]) == (WorkState.DONE, 1)
    frame = QueuedFrame.objects.get(clip=clip, frame=7)
    assert (frame.state, frame.why, frame.batch) == (FrameState.LABELLED, "imported", None)
    said = frame.standing
    assert (said.origin, said.by, said.by_name) == (Origin.IMPORTED, None, "eve")
    assert said.boxes == [{"x": 4, "y": 4, "w": 20, "h": 20, "state": "open"}]
    assert Image.open(BytesIO(store().get(frame.picture_key))).size == (320, 180)
    kept = ImportedLabel.objects.get()
    assert (kept.annotation, kept.batch, kept.image_id, kept.box_ids, kept.author) == (
        said,
        batch,
        "1",
        ["101"],
        "eve",
    )


@pytest.mark.parametrize(
    ("number", "size", "why"),
    [(48, (320, 180), "no frame 48"), (7, (640, 360), "labelled as 640 × 360 pixels, ours has 320 × 180")],
)
def test_a_label_that_does_not_fit_its_frame(make_scanned, project, lead, number, size, why):  # noqa: F811
    clip, _ = make_scanned()
    batch = bring(project, json.dumps(label_of(clip, number, size=size)).encode(), lead)
    assert why in batch.report["problems"][0][1] and not batch.can_be_taken


def test_what_somebody_labels_meanwhile_is_theirs(make_scanned, make_frame, project, lead, annotator):  # noqa: F811
    clip, _ = make_scanned()
    batch = bring(project, json.dumps(label_of(clip, 7)).encode(), lead)
    frame = make_frame(clip, frame=7, width=320, height=180)
    history.add(frame, Word(by=annotator, key="own", made_on=0, origin=Origin.DRAWN, boxes=[]))
    batch = take(batch)
    assert batch.report["frames"] == 0
    assert batch.report["problems"] == [["7.jpg", "This frame is labelled already, by ann."]]
    assert QueuedFrame.objects.get(pk=frame.pk).standing.boxes == []


def test_a_frame_that_somebody_has_open_is_left_to_them(make_scanned, make_frame, project, lead, annotator):  # noqa: F811
    clip, _ = make_scanned()
    frame = make_frame(clip, frame=7, width=320, height=180)
    QueuedFrame.objects.filter(pk=frame.pk).update(leased_to=annotator, leased_until=Now() + work.LEASE)
    batch = bring(project, json.dumps(label_of(clip, 7)).encode(), lead)
    assert batch.report["problems"][0][1] == "Somebody has this frame open just now."


def test_over_a_derived_label_an_imported_one_holds(make_scanned, make_frame, project, lead, annotator):  # noqa: F811
    clip, _ = make_scanned()
    frame = make_frame(clip, frame=7, width=320, height=180, batch=None)
    history.add(frame, Word(by=annotator, key="d", made_on=0, origin=Origin.DERIVED, boxes=[]))
    take(bring(project, json.dumps(label_of(clip, 7)).encode(), lead))
    frame.refresh_from_db()
    assert (frame.standing.origin, frame.version) == (Origin.IMPORTED, 2)


def test_a_picture_comes_once(home, project, lead):
    content = zipped({"a.json": coco({"file_name": "a.jpg"}), "a.jpg": picture()})
    take(bring(project, content, lead))
    batch = bring(project, content, lead, name="again.zip")
    assert batch.report["problems"] == [["a.jpg", "This picture is here already, imported with theirs.zip."]]


def test_a_picture_that_cannot_be_decoded_is_said_when_it_is_taken(home, project, lead):
    half = picture(size=(640, 480))
    half = half[: len(half) // 2]
    document = coco({"file_name": "a.jpg"}, {"file_name": "b.jpg", "width": 640, "height": 480})
    batch = take(bring(project, zipped({"a.json": document, "a.jpg": picture(), "b.jpg": half}), lead))
    assert batch.report["problems"] == [["b.jpg", "Its picture is damaged."]]
    assert Still.objects.get().file_name == "a.jpg"


def test_taking_an_import_back(make_scanned, project, lead):  # noqa: F811
    clip, _ = make_scanned()
    both = label_of(clip, 7)
    other = coco({"file_name": "a.jpg", "id": 9})
    both["images"] += other["images"]
    both["annotations"] += other["annotations"]
    batch = take(bring(project, zipped({"a.json": both, "a.jpg": picture()}), lead))
    assert (batch.report["frames"], batch.report["stills"]) == (1, 1)
    assert batch.go_on(Step.BACK, after=Step.TAKE)
    batch = work_off(batch)
    assert (batch.step, batch.state) == (Step.BACK, WorkState.DONE)
    frame = QueuedFrame.objects.get(clip=clip, frame=7)
    assert (frame.standing, frame.state, frame.version) == (None, FrameState.WITHDRAWN, 2)
    assert not Still.objects.exists() and not list(labelled_in(project))
    again = bring(project, zipped({"a.json": both, "a.jpg": picture()}), lead)
    assert again.report["refused"] == 0


@pytest.mark.parametrize("dies_in", ["plan", "write_stills"])
def test_a_worker_that_dies_leaves_nothing_and_another_does_it_once(
    home, project, lead, monkeypatch, dies_in
):
    content = zipped({"a.json": coco({"file_name": "a.jpg"}), "a.jpg": picture()})
    batch = bring(project, content, lead)
    assert batch.go_on(Step.TAKE, after=Step.READ)

    class Killed(BaseException):
        """As kill -9: no handler of ours sees it."""

    def die(*args):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(taking, dies_in, die)
        with pytest.raises(Killed):
            tasks.work_on_import(batch.pk)
    assert not Still.objects.exists()
    assert Import.objects.get().state == WorkState.RUNNING
    slow = Import.objects.get()
    Import.objects.update(leased_until=Now() - work.LEASE)
    batch = work_off(batch)
    assert (batch.state, batch.report["stills"], Still.objects.count()) == (WorkState.DONE, 1, 1)
    taking.work_on(slow)  # it was only asleep
    assert Still.objects.count() == 1 and Import.objects.get().state == WorkState.DONE


def test_a_step_that_failed_can_be_tried_again(home, client, project, lead, monkeypatch):
    content = zipped({"a.json": coco({"file_name": "a.jpg"}), "a.jpg": picture()})
    batch = bring(project, content, lead)
    assert batch.go_on(Step.TAKE, after=Step.READ)

    def full(*args):
        raise StoreError("There is no space.", Trouble.FULL)

    with monkeypatch.context() as patched:
        patched.setattr(taking, "still_of", full)
        for _ in range(work.MOST_FAILURES):
            batch = work_off(batch)
    assert (batch.state, batch.error) == (WorkState.FAILED, "There is no space.")
    client.force_login(lead)
    assert b"Try again" in client.get(reverse("labeling:import", args=[batch.uuid])).content
    client.post(reverse("labeling:import-take", args=[batch.uuid]))
    assert work_off(batch).state == WorkState.DONE and Still.objects.count() == 1


def test_what_was_lost_is_sent_again(home, project, lead, monkeypatch):
    sent = []
    monkeypatch.setattr(tasks, "send_import", sent.append)
    batch = receiving.receive(project, lead, name="a.json", chunks=[b"{}"])
    tasks.sweep()
    assert batch in sent


def test_a_file_that_cannot_be_read_says_why(home, project, lead):
    batch = bring(project, b"PK\x03\x04 no zip", lead)
    assert batch.state == WorkState.FAILED and "no file that we can read" in batch.error
    batch = bring(project, b"{}", lead)
    Import.objects.filter(pk=batch.pk).update(state=WorkState.WAITING)
    batch.file.unlink()
    assert "not there any more" in work_off(batch).error


# --- by hand


def post(client, project, content: bytes, **said):
    known = {"open_names": "open, sticks up", "closed_names": "closed", "source": "", **said}
    file = SimpleUploadedFile("their labels.zip", content)
    return client.post(
        reverse("labeling:import-file", args=[project.uuid]), known | {"file": file}, follow=True
    )


def test_the_pages_from_the_file_to_the_labels(home, client, project, lead):
    client.force_login(lead)
    document = coco({"file_name": "a.jpg"}, category="sticks up")
    page = post(client, project, zipped({"a.json": document, "a.jpg": picture()}))
    assert b"being read" in page.content
    batch = work_off(Import.objects.get())
    assert (batch.source, batch.by_name) == ("their labels", "lea")
    address = reverse("labeling:import", args=[batch.uuid])
    assert b"Import 1 picture" in client.get(address).content
    for _ in range(2):
        client.post(reverse("labeling:import-take", args=[batch.uuid]))
    work_off(batch)
    assert b"Imported by lea" in client.get(address).content and Still.objects.count() == 1
    assert b"their labels.zip" in client.get(reverse("labeling:annotations", args=[project.uuid])).content
    client.post(reverse("labeling:import-forget", args=[batch.uuid]))
    assert Import.objects.exists(), "its labels hold"
    client.post(reverse("labeling:import-take-back", args=[batch.uuid]))
    work_off(batch)
    assert b"was taken back" in client.get(address).content


def test_a_file_that_nobody_wants_is_removed(home, client, project, lead):
    client.force_login(lead)
    post(client, project, b"{}")
    batch = work_off(Import.objects.get())
    assert batch.file.exists()
    client.post(reverse("labeling:import-forget", args=[batch.uuid]))
    assert not Import.objects.exists()


def test_a_name_that_means_both_is_refused(home, client, project, lead):
    client.force_login(lead)
    page = post(client, project, b"{}", closed_names="closed, sticks up")
    assert page.status_code == 422 and b"cannot mean both" in page.content
    assert not Import.objects.exists()


def test_a_name_from_the_file_is_only_text(home, client, project, lead):
    client.force_login(lead)
    document = coco({"file_name": "<script>alert(1)</script>.jpg"})
    post(client, project, zipped({"a.json": document}))
    batch = work_off(Import.objects.get())
    content = client.get(reverse("labeling:import", args=[batch.uuid])).content
    assert b"<script>alert" not in content and b"&lt;script&gt;alert" in content


# --- on the command line


def test_the_commands(home, tmp_path, project, lead, labelled, capsys):
    out = tmp_path / "out.zip"
    call_command("export_annotations", str(out), project=project.name, pictures=True)
    assert "2 frames" in capsys.readouterr().out and zipfile.is_zipfile(out)
    file = tmp_path / "in.zip"
    file.write_bytes(zipped({"a.json": coco({"file_name": "a.jpg"}), "a.jpg": picture()}))
    call_command("import_annotations", str(file), project=str(project.uuid), by="lea")
    assert "1 stills would be imported" in capsys.readouterr().out
    assert not Import.objects.exists() and not list((project.folder / "imports").glob("*"))
    call_command("import_annotations", str(file), project=str(project.uuid), take=True)
    assert "1 stills imported" in capsys.readouterr().out and Still.objects.count() == 1


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"project": "Nowhere"}, "no project Nowhere"),
        ({"by": "nobody"}, "no account"),
        ({"file": "gone"}, "cannot be read"),
    ],
)
def test_what_the_command_line_refuses(home, tmp_path, project, changed, why):
    file = tmp_path / "in.json"
    file.write_text("{}")
    said = {"file": str(file), "project": project.name} | changed
    with pytest.raises(CommandError, match=why):
        call_command("import_annotations", said.pop("file"), **said)

"""Resumable uploads, spoken as a tus client speaks them."""

from __future__ import annotations

import base64
import errno
import hashlib
import os
from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.urls import reverse

from secondsticks.footage import lost, tus, uploads
from secondsticks.footage.models import Clip, Upload

LONG_AGO = timedelta(days=8)


@pytest.fixture(autouse=True)
def _home(home):
    """Uploads of each test lie in a home of their own."""


@pytest.fixture(autouse=True)
def sent(monkeypatch):
    """Note what would be sent to the workers."""
    sent = []
    monkeypatch.setattr(tus, "send_ingest", sent.append)
    return sent


@pytest.fixture
def browser(client, annotator):
    client.force_login(annotator)
    return client


def begin(browser, project, *, size, name="A001.mov"):
    encoded = base64.b64encode(name.encode()).decode()
    return browser.post(
        reverse("footage:project-upload", args=[project.uuid]),
        headers={
            "Tus-Resumable": "1.0.0",
            "Upload-Length": str(size),
            "Upload-Metadata": f"filename {encoded}",
        },
    )


def piece(browser, address, offset, content, **more):
    return browser.patch(
        address,
        content,
        content_type="application/offset+octet-stream",
        headers={"Tus-Resumable": "1.0.0", "Upload-Offset": str(offset), **more},
    )


def how_far(browser, address):
    response = browser.head(address, headers={"Tus-Resumable": "1.0.0"})
    return response.status_code, response.headers.get("Upload-Offset"), response.headers.get("Upload-Length")


def test_a_file_in_pieces_becomes_a_clip(browser, project, sent, django_capture_on_commit_callbacks):
    content = os.urandom(100_000)
    with django_capture_on_commit_callbacks(execute=True):
        begun = begin(browser, project, size=len(content), name="A001 C001.MOV")
        assert begun.status_code == 201
        address = begun["Location"]
        for start in range(0, len(content), 30_000):
            assert how_far(browser, address) == (200, str(start), str(len(content)))
            response = piece(browser, address, start, content[start : start + 30_000])
            assert response.status_code == 204
            assert not sent
    clip = Clip.objects.get()
    assert response["Upload-Offset"] == str(len(content))
    assert (clip.project, clip.name, clip.origin, clip.state) == (
        project,
        "A001 C001.MOV",
        "upload",
        "uploaded",
    )
    assert hashlib.sha256(clip.path.read_bytes()).digest() == hashlib.sha256(content).digest()
    assert clip.path.name == "source.mov"
    assert sent == [clip]
    assert not Upload.objects.get().part_path.exists()


def test_an_empty_file_becomes_a_clip_at_once(browser, project, django_capture_on_commit_callbacks, sent):
    with django_capture_on_commit_callbacks(execute=True):
        assert begin(browser, project, size=0).status_code == 201
    assert sent[0].path.read_bytes() == b""


def test_a_wrong_offset_is_409_and_writes_nothing(browser, project):
    address = begin(browser, project, size=10)["Location"]
    piece(browser, address, 0, b"0123")
    for offset in (0, 3, 5, 9):
        assert piece(browser, address, offset, b"x").status_code == 409
    assert how_far(browser, address) == (200, "4", "10")
    assert Upload.objects.get().part_path.read_bytes() == b"0123"


def test_a_connection_that_is_cut_keeps_what_came(browser, project, monkeypatch):
    """As the server sees it: fewer bytes than promised, then an error."""
    monkeypatch.setattr(uploads, "READ_BYTES", 4)

    class Cut:
        left = 3

        def read(self, size):
            self.left -= 1
            if self.left < 0:
                raise OSError("the connection was reset")
            return b"z" * size

    upload = Upload.objects.get(uuid=begin(browser, project, size=100)["Location"].split("/")[-2])
    assert uploads.append(upload, offset=0, length=100, source=Cut()) == 12
    upload.refresh_from_db()
    assert (upload.offset, upload.writer) == (12, None)
    assert upload.part_path.read_bytes() == b"z" * 12


def test_a_piece_beyond_the_end_is_413(browser, project):
    address = begin(browser, project, size=4)["Location"]
    assert piece(browser, address, 0, b"01234").status_code == 413
    assert how_far(browser, address)[1] == "0"


def test_a_last_answer_that_was_lost_is_asked_for_again(
    browser, project, django_capture_on_commit_callbacks, sent
):
    address = begin(browser, project, size=4)["Location"]
    with django_capture_on_commit_callbacks(execute=True):
        piece(browser, address, 0, b"0123")
        assert how_far(browser, address) == (200, "4", "4")
        assert piece(browser, address, 4, b"4").status_code == 413
    assert Clip.objects.count() == len(sent) == 1


def test_a_file_over_the_cap_is_413_before_anything_is_read(browser, project, settings):
    settings.SECONDSTICKS_MAX_UPLOAD = 1000
    response = begin(browser, project, size=1001)
    assert (response.status_code, response.content) == (
        413,
        b"This file is too large: at most 0.0 GB per file.\n",
    )
    assert not Upload.objects.exists()


def test_a_full_disk_is_507_with_a_sentence(browser, project, monkeypatch):
    monkeypatch.setattr(uploads, "SPARE_BYTES", 1 << 62)
    response = begin(browser, project, size=1)
    assert (response.status_code, response.content) == (507, b"The server's disk is full: 0.0 GB are left.\n")


def test_a_disk_that_fills_up_keeps_what_was_written(browser, project, monkeypatch):
    address = begin(browser, project, size=8)["Location"]
    piece(browser, address, 0, b"0123")
    write = os.pwrite

    def full(file, block, offset):
        write(file, block[:2], offset)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    assert piece(browser, address, 4, b"4567").status_code == 507
    monkeypatch.undo()
    assert Upload.objects.get().part_path.read_bytes() == b"0123"
    assert how_far(browser, address)[1] == "4"


def test_a_cancelled_upload_is_gone(browser, project):
    address = begin(browser, project, size=8)["Location"]
    piece(browser, address, 0, b"0123")
    path = Upload.objects.get().part_path
    assert browser.delete(address, headers={"Tus-Resumable": "1.0.0"}).status_code == 204
    assert not path.exists()
    assert how_far(browser, address)[0] == 404
    assert piece(browser, address, 4, b"4567").status_code == 404


def test_another_tab_waits_while_one_writes(browser, project):
    address = begin(browser, project, size=8)["Location"]
    upload = Upload.objects.get()
    writer = uploads._take(upload, 0)
    assert piece(browser, address, 0, b"0123").status_code == 423

    # After some silence the writer has gone; should it come back, it can no longer write.
    Upload.objects.update(written_at=Now() - LONG_AGO)
    assert piece(browser, address, 0, b"0123").status_code == 204
    with pytest.raises(uploads.UploadError, match="Another tab"):
        uploads._write(upload, writer, 0, b"____")
    assert upload.part_path.read_bytes() == b"0123"


@pytest.mark.django_db(transaction=True)
def test_two_tabs_at_once_make_one_clip_with_the_right_bytes(client, annotator, project, sent):
    client.force_login(annotator)
    content = os.urandom(40_000)
    address = begin(client, project, size=len(content))["Location"]
    barrier, answers = Barrier(2), []

    def send():
        tab = type(client)()
        tab.cookies.update(client.cookies)
        barrier.wait()
        answers.append(piece(tab, address, 0, content).status_code)
        connection.close()

    tabs = [Thread(target=send) for _ in range(2)]
    for tab in tabs:
        tab.start()
    for tab in tabs:
        tab.join()
    assert sorted(answers)[0] == 204
    assert sorted(answers)[1] in (409, 423)
    assert Clip.objects.get().path.read_bytes() == content
    assert len(sent) == 1


def test_a_crash_between_the_last_byte_and_the_clip_is_swept_up(browser, project, monkeypatch, sent):
    """Killed after the file was moved, before the row was written."""
    address = begin(browser, project, size=4)["Location"]

    def killed(**fields):
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(Clip.objects, "create", killed)
        with pytest.raises(SystemExit):
            piece(browser, address, 0, b"0123")
    assert not Clip.objects.exists()
    lost.finish_uploads(send_ingest=sent.append)
    assert not Clip.objects.exists(), "a request may still be at it"
    Upload.objects.update(written_at=Now() - timedelta(minutes=1))
    lost.finish_uploads(send_ingest=sent.append)
    assert Clip.objects.get().path.read_bytes() == b"0123"


def test_uploads_that_nobody_went_on_with_are_removed(browser, project):
    piece(browser, begin(browser, project, size=8)["Location"], 0, b"0123")
    path = Upload.objects.get().part_path
    lost.remove_abandoned_uploads()
    assert path.exists()
    Upload.objects.update(written_at=Now() - LONG_AGO)
    lost.remove_abandoned_uploads()
    assert not path.exists()
    assert not Upload.objects.exists()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 412),
        ({"Tus-Resumable": "0.2.2", "Upload-Length": "4"}, 412),
        ({"Tus-Resumable": "1.0.0"}, 400),
        ({"Tus-Resumable": "1.0.0", "Upload-Length": "-4"}, 400),
        ({"Tus-Resumable": "1.0.0", "Upload-Length": "٤"}, 400),
        ({"Tus-Resumable": "1.0.0", "Upload-Length": "9" * 40}, 400),
        ({"Tus-Resumable": "1.0.0", "Upload-Length": "4", "Upload-Metadata": "filename ?"}, 400),
        ({"Tus-Resumable": "1.0.0", "Upload-Length": "4", "Upload-Metadata": "filename gIA="}, 400),
        ({"Tus-Resumable": "1.0.0", "Upload-Length": "4", "Upload-Metadata": "x " + "a" * 5000}, 400),
        ({"Tus-Resumable": "1.0.0", "Upload-Length": "4", "Upload-Metadata": ""}, 201),
    ],
)
def test_what_is_no_tus_is_refused_with_a_sentence(browser, project, headers, status):
    response = browser.post(reverse("footage:project-upload", args=[project.uuid]), headers=headers)
    assert response.status_code == status
    assert response["Tus-Resumable"] == "1.0.0"


def test_a_client_can_ask_for_the_cap(browser, project, settings):
    response = browser.options(reverse("footage:project-upload", args=[project.uuid]))
    assert response["Tus-Max-Size"] == str(settings.SECONDSTICKS_MAX_UPLOAD)
    assert response["Tus-Extension"] == "creation,termination"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\clips\\A001.mov", "A001.mov"),
        ("-i.mp4", "-i.mp4"),
        ("$(touch x);`y`.mov", "$(touch x);`y`.mov"),
        ("a\x00b\r\n.mov", "ab.mov"),
        ("gpj\u202evom.mov", "gpjvom.mov"),
        ("", "unnamed"),
        ("..", ".."),
        ("é" * 300 + ".mov", "é" * 195 + "….mov"),
        ("<script>alert(1)</script>.mov", "script>.mov"),
    ],
)
def test_names_are_shown_and_never_used_as_a_path(browser, project, name, shown, home):
    begin(browser, project, size=0, name=name)
    clip = Clip.objects.get()
    assert clip.name == shown
    assert clip.path.parent == home / "footage" / str(project.uuid) / str(clip.uuid)
    assert clip.path.name in ("source.mov", "source.mp4", "source.bin")

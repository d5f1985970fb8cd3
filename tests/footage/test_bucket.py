"""Footage in a bucket: uploads in parts, what is read and shown from there, and faults of all of it."""

from __future__ import annotations

import json
import os
import threading
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit
from urllib.request import Request, urlopen

import pytest
from django.core.management import CommandError, call_command
from django.db.models.functions import Now
from django.urls import reverse

from secondsticks.footage import bucket, discarded, fetching, lost, multipart, multipart_views, reading, tasks
from secondsticks.footage.discarded import Discarded
from secondsticks.footage.fetching import OnItsWay, at_hand, patient
from secondsticks.footage.models import Clip, ClipState, ProxyState, SoundFile, Upload
from secondsticks.footage.uploads import SPARE_BYTES
from tests.s3_server import refused
from training.footage.footage import FootageError
from training.store import StoreError

LONG_AGO = timedelta(days=8)
PART = 5 << 20  # the smallest that S3 takes


@pytest.fixture(autouse=True)
def footage_store(home, settings, s3_server, monkeypatch):
    """An empty bucket, and small parts."""
    bucket._opened.cache_clear()
    settings.SECONDSTICKS_FOOTAGE_STORE = "s3://footage/here"
    monkeypatch.setattr(multipart, "SMALLEST_PART", PART)
    store = bucket.bucket()
    store.client.create_bucket(Bucket="footage")
    yield store
    bucket._opened.cache_clear()


@pytest.fixture(autouse=True)
def sent(monkeypatch):
    """Note what would be sent to the workers."""
    sent = []
    monkeypatch.setattr(multipart_views, "send_ingest", sent.append)
    return sent


@pytest.fixture
def browser(client, annotator):
    client.force_login(annotator)
    return client


def post(browser, address, said=None):
    return browser.post(address, json.dumps(said or {}), content_type="application/json")


def begin(browser, project, *, size, name="A001.mov"):
    address = reverse("footage:project-multipart", args=[project.uuid])
    return post(browser, address, {"name": name, "size": size})


def put(address, content):
    kind = {"Content-Type": "application/octet-stream"}
    with urlopen(Request(address, data=content, headers=kind, method="PUT")) as answer:
        return answer.status


def send(browser, address, content, numbers):
    answer = post(browser, f"{address}parts/", {"numbers": numbers})
    assert answer.status_code == 200, answer.content
    for number, where in answer.json()["addresses"].items():
        first = (int(number) - 1) * PART
        put(where, content[first : first + PART])


def uploaded(browser, project, content, name="A001.mov") -> Clip:
    address = begin(browser, project, size=len(content), name=name).json()["url"]
    send(browser, address, content, list(range(1, multipart.count(len(content), PART) + 1)))
    assert post(browser, f"{address}complete/").json() == {"done": True}
    return Clip.objects.get(uuid=address.strip("/").rpartition("/")[2])


def in_bucket(make_clip, content=b"moving pictures", name="A001.mov", **fields) -> Clip:
    key = f"p/{name.partition('.')[0]}/source.{name.rpartition('.')[2]}"
    bucket.bucket().put(key, content)
    return make_clip(name, location=bucket.location_of(key), size=len(content), **fields)


# --- uploads


def test_a_file_in_parts_becomes_a_clip(browser, project, sent, django_capture_on_commit_callbacks):
    content = os.urandom(2 * PART + 1000)
    begun = begin(browser, project, size=len(content), name="A001 C001.MOV")
    assert begun.status_code == 201
    address = begun.json()["url"]
    assert browser.get(address).json() == {
        "size": len(content), "part_bytes": PART, "done": False, "arrived": [],
    }  # fmt: skip
    send(browser, address, content, [3, 1])
    assert browser.get(address).json()["arrived"] == [1, 3]  # after a reload
    send(browser, address, content, [2])
    with django_capture_on_commit_callbacks(execute=True):
        assert post(browser, f"{address}complete/").json() == {"done": True}
    clip = Clip.objects.get()
    assert (clip.name, clip.origin, clip.size) == ("A001 C001.MOV", Clip.Origin.UPLOAD, len(content))
    assert clip.location == f"bucket:{project.uuid}/{clip.uuid}/source.mov"
    assert sent == [clip]
    assert bucket.bucket().get(bucket.key_of(clip.location)) == content
    assert browser.get(address).json()["done"] is True
    assert post(browser, f"{address}complete/").json() == {"done": True}
    assert Clip.objects.count() == 1


def test_sound_and_empty_files_arrive_too(browser, project):
    address = begin(browser, project, size=4, name="day.wav").json()["url"]
    send(browser, address, b"RIFF", [1])
    assert post(browser, f"{address}complete/").status_code == 200
    assert bucket.is_in_bucket(SoundFile.objects.get().location)
    begin(browser, project, size=0, name="empty.mov")
    assert Clip.objects.get().size == 0


def test_an_address_is_for_one_part_of_one_file_for_minutes(browser, project):
    address = begin(browser, project, size=PART + 7).json()["url"]
    answer = post(browser, f"{address}parts/", {"numbers": [2]}).json()["addresses"]["2"]
    parts, query = urlsplit(answer), parse_qs(urlsplit(answer).query)
    assert parts.path == f"/footage/here/{Upload.objects.get().bucket_key}"
    assert query["partNumber"] == ["2"]
    assert int(query["X-Amz-Expires"][0]) <= 900
    assert query["X-Amz-SignedHeaders"] == ["content-length;host"]


@pytest.mark.parametrize(
    "said", [{}, {"numbers": [0]}, {"numbers": [3]}, {"numbers": ["1"]}, {"numbers": [True]}, {"numbers": 1},
             {"numbers": [1] * 101}, []],
)  # fmt: skip
def test_only_parts_of_the_file_are_signed(browser, project, said):
    address = begin(browser, project, size=PART + 7).json()["url"]
    assert post(browser, f"{address}parts/", said).status_code == 400


@pytest.mark.parametrize("said", [{"name": "a.mov"}, {"name": "a.mov", "size": -1}, {"name": 1, "size": 1}])
def test_an_upload_has_a_name_and_a_size(browser, project, said):
    address = reverse("footage:project-multipart", args=[project.uuid])
    assert post(browser, address, said).status_code == 400
    assert browser.post(address, "{", content_type="application/json").status_code == 400


def test_a_file_over_the_limit_is_refused(browser, project, settings):
    settings.SECONDSTICKS_MAX_UPLOAD = 1000
    answer = begin(browser, project, size=1001)
    assert (answer.status_code, Upload.objects.count()) == (413, 0)
    assert "too large" in answer.content.decode()


def test_a_hostile_name_is_no_path(browser, project):
    clip = uploaded(browser, project, b"x", name="../../../etc/passwd\0.mov")
    assert clip.location == f"bucket:{project.uuid}/{clip.uuid}/source.mov"


def test_parts_that_are_missing_or_short_are_named(browser, project):
    content = os.urandom(2 * PART + 1000)
    address = begin(browser, project, size=len(content)).json()["url"]
    send(browser, address, content, [1])
    where = post(browser, f"{address}parts/", {"numbers": [3]}).json()["addresses"]["3"]
    put(where, b"short")
    answer = post(browser, f"{address}complete/")
    assert (answer.status_code, answer.json()) == (409, {"missing": [2, 3]})
    assert browser.get(address).json()["arrived"] == [1]
    send(browser, address, content, [2, 3])
    assert post(browser, f"{address}complete/").status_code == 200


def test_a_request_that_died_before_it_put_the_parts_together(browser, project, sent, monkeypatch):
    content = os.urandom(PART + 1000)
    address = begin(browser, project, size=len(content)).json()["url"]
    send(browser, address, content, [1, 2])
    with monkeypatch.context() as patch:
        patch.setattr(multipart, "complete", dies)
        with pytest.raises(Died):
            post(browser, f"{address}complete/")
    assert not Clip.objects.exists()
    Upload.objects.update(written_at=Now() - timedelta(minutes=1))
    lost.finish_uploads(send_ingest=sent.append)
    assert bucket.bucket().size(bucket.key_of(Clip.objects.get().location)) == len(content)


def test_a_request_that_died_before_it_made_the_clip(browser, project, sent, monkeypatch):
    content = os.urandom(PART + 1000)
    address = begin(browser, project, size=len(content)).json()["url"]
    send(browser, address, content, [1, 2])
    with monkeypatch.context() as patch:
        patch.setattr("secondsticks.footage.uploads._make", dies)
        with pytest.raises(Died):
            post(browser, f"{address}complete/")
    assert not Clip.objects.exists()
    assert browser.get(address).json()["done"] is True  # the browser asks, and so it is made
    assert Clip.objects.get().size == len(content)


class Died(Exception):
    pass


def dies(*args, **options):
    raise Died


@pytest.mark.django_db(transaction=True)
def test_two_tabs_send_one_file(client, annotator, project):
    from django.db import connection
    from django.test import Client

    content = os.urandom(3 * PART + 5)
    tabs = [Client(), Client()]
    for tab in tabs:
        tab.force_login(annotator)
    address = begin(tabs[0], project, size=len(content)).json()["url"]
    answers = []
    gate = threading.Barrier(2)

    def work(tab, numbers):
        try:
            send(tab, address, content, numbers)
            gate.wait()
            answers.append(post(tab, f"{address}complete/").status_code)
        finally:
            connection.close()

    threads = [
        threading.Thread(target=work, args=[tab, numbers])
        for tab, numbers in zip(tabs, ([1, 2, 3, 4], [4, 3, 2, 1]), strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200, 200]
    clip = Clip.objects.get()
    assert bucket.bucket().get(bucket.key_of(clip.location)) == content


def test_another_persons_upload_is_not_there(browser, project, lead):
    address = begin(browser, project, size=PART).json()["url"]
    browser.force_login(lead)
    for answer in (
        browser.get(address),
        browser.delete(address),
        post(browser, f"{address}parts/", {"numbers": [1]}),
        post(browser, f"{address}complete/"),
    ):
        assert answer.status_code == 404


def test_who_is_no_member_any_more_gets_no_address(browser, project, annotator):
    address = begin(browser, project, size=PART).json()["url"]
    project.memberships.filter(user=annotator).delete()
    assert post(browser, f"{address}parts/", {"numbers": [1]}).status_code == 404


def test_tus_and_parts_do_not_mix(browser, project):
    begin(browser, project, size=PART)
    upload = Upload.objects.get()
    headers = {"Tus-Resumable": "1.0.0", "Upload-Offset": "0"}
    address = reverse("footage:upload", args=[upload.uuid])
    kind = "application/offset+octet-stream"
    assert browser.patch(address, b"x", content_type=kind, headers=headers).status_code == 404
    assert browser.head(address, headers=headers).status_code == 404


def test_an_upload_that_the_bucket_has_ended_begins_anew(browser, project):
    address = begin(browser, project, size=PART).json()["url"]
    upload = Upload.objects.get()
    multipart.abort_all(bucket.folder_of(project.uuid, upload.uuid))
    assert browser.get(address).status_code == 404


@pytest.mark.parametrize(
    "answer",
    [
        refused("403 No", "AccessDenied"),
        refused("500 No", "InternalError"),
        refused("404 No", "NoSuchBucket"),
    ],
)
def test_a_bucket_that_refuses_is_said_and_loses_nothing(browser, project, s3_server, answer):
    s3_server.answer = lambda environ: answer
    said = begin(browser, project, size=PART)
    assert said.status_code == 502
    assert said.content.decode().startswith("The footage store does not take it.")
    assert not Upload.objects.exists()
    s3_server.reset()
    content = os.urandom(PART)
    address = begin(browser, project, size=PART).json()["url"]
    send(browser, address, content, [1])
    s3_server.answer = lambda environ: answer
    assert browser.get(address).status_code == 502
    assert post(browser, f"{address}complete/").status_code == 502
    s3_server.reset()
    assert post(browser, f"{address}complete/").status_code == 200


def test_the_sweep_ends_what_nobody_goes_on_with(browser, project, footage_store):
    kept = uploaded(browser, project, b"kept")
    address = begin(browser, project, size=2 * PART).json()["url"]
    send(browser, address, os.urandom(2 * PART), [1])
    Upload.objects.update(written_at=Now() - LONG_AGO)
    tasks.sweep()
    assert not Upload.objects.exists()
    assert "Uploads" not in footage_store.client.list_multipart_uploads(Bucket="footage")
    assert list(footage_store.list()) == [bucket.key_of(kept.location)]
    Discarded.objects.update(due_at=Now())
    discarded.sweep()
    assert not Discarded.objects.exists()


def test_a_cancelled_upload_leaves_nothing(browser, project, footage_store):
    address = begin(browser, project, size=2 * PART).json()["url"]
    assert browser.delete(address).status_code == 204
    discarded.sweep()
    assert "Uploads" not in footage_store.client.list_multipart_uploads(Bucket="footage")


def test_a_removed_clip_is_removed_from_the_bucket_even_if_that_is_away(
    browser, project, lead, footage_store, s3_server, django_capture_on_commit_callbacks
):
    clip, other = uploaded(browser, project, b"one"), uploaded(browser, project, b"two")
    footage_store.put(bucket.proxy_key(clip.location), b"proxy")
    browser.force_login(lead)
    with django_capture_on_commit_callbacks(execute=True):
        browser.post(reverse("footage:clip-remove", args=[clip.uuid]))
    s3_server.answer = lambda environ: refused("500 No", "InternalError")
    discarded.sweep()
    s3_server.reset()
    Discarded.objects.update(due_at=Now())
    discarded.sweep()
    assert list(footage_store.list()) == [bucket.key_of(other.location)]


# --- reading


@pytest.fixture
def cache(home):
    return home / "cache" / "footage"


def test_a_clip_is_fetched_once_and_read(make_clip, cache, s3_server):
    clip = in_bucket(make_clip)
    with at_hand(clip) as path:
        assert path.read_bytes() == b"moving pictures"
        assert path.suffix == ".mov"
    asked = len(s3_server.asked)
    with at_hand(clip):
        assert len(s3_server.asked) == asked
    assert [path.name for path in cache.iterdir() if path.name != ".lock"] == [f"{clip.uuid}.mov"]


def test_what_was_not_used_for_longest_makes_room_but_never_what_is_in_use(make_clip, cache, settings):
    settings.SECONDSTICKS_FOOTAGE_CACHE = 250
    one, two, three = (in_bucket(make_clip, bytes(100), f"{name}.mov") for name in "abc")

    def here():
        return {path.name for path in cache.iterdir() if not path.name.startswith(".")}

    with at_hand(one):
        with at_hand(two):
            pass
        with at_hand(three) as path:
            assert path.exists()
        assert here() == {f"{one.uuid}.mov", f"{three.uuid}.mov"}  # the oldest of all is in use
    os.utime(cache / f"{one.uuid}.mov", (0, 0))
    with at_hand(two):
        assert here() == {f"{two.uuid}.mov", f"{three.uuid}.mov"}


def test_room_is_waited_for_while_others_are_in_use(make_clip, cache, settings, monkeypatch):
    monkeypatch.setattr("secondsticks.footage.limited_folder.LOOK_EVERY_SECONDS", 0.01)
    settings.SECONDSTICKS_FOOTAGE_CACHE = 150
    one, two = (in_bucket(make_clip, bytes(100), f"{name}.mov") for name in "ab")
    with at_hand(one), pytest.raises(OnItsWay), at_hand(two, tick=patient(0)):
        pass
    with at_hand(two) as path:
        assert path.stat().st_size == 100


def test_a_clip_larger_than_the_cache_or_the_disk_is_refused(make_clip, cache, settings, monkeypatch):
    clip = in_bucket(make_clip, bytes(100))
    settings.SECONDSTICKS_FOOTAGE_CACHE = 99
    with pytest.raises(FootageError, match="larger than the folder") as error, at_hand(clip):
        pass
    assert error.value.kind == "no_space"
    settings.SECONDSTICKS_FOOTAGE_CACHE = 1000
    monkeypatch.setattr("shutil.disk_usage", lambda folder: os.terminal_size((1, 1)) and Full())
    with pytest.raises(FootageError, match="disk is full"), at_hand(clip):
        pass


class Full:
    free = SPARE_BYTES


def test_a_file_of_another_length_is_refused(make_clip, cache, footage_store):
    clip = in_bucket(make_clip)
    footage_store.put(bucket.key_of(clip.location), b"other")
    with pytest.raises(FootageError, match="not the one that was uploaded"), at_hand(clip):
        pass


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refused("403 No", "AccessDenied"), "missing"),
        (refused("404 No", "NoSuchKey"), "missing"),
        (refused("500 No", "InternalError"), "timeout"),
    ],
)
def test_a_bucket_that_does_not_give_it_is_explained(make_clip, s3_server, answer, kind):
    clip = in_bucket(make_clip)
    s3_server.answer = lambda environ: answer
    with pytest.raises(FootageError) as error, at_hand(clip):
        pass
    s3_server.reset()
    assert error.value.kind == kind
    with at_hand(clip) as path:
        assert path.exists()


def test_who_cannot_wait_finds_it_here_later(make_clip, s3_server, cache):
    clip = in_bucket(make_clip)
    gate = threading.Event()
    s3_server.answer = lambda environ: gate.wait() and None
    with pytest.raises(OnItsWay), at_hand(clip, tick=patient(0)):
        pass
    gate.set()
    with at_hand(clip) as path:
        assert path.read_bytes() == b"moving pictures"


def test_a_store_that_is_configured_no_more_is_said(make_clip, settings):
    clip = in_bucket(make_clip)
    settings.SECONDSTICKS_FOOTAGE_STORE = ""
    with pytest.raises(FootageError, match="no longer configured"), at_hand(clip):
        pass


def test_an_unread_clip_is_read_from_the_bucket(make_clip, tmp_path, monkeypatch):
    from tests.footage.test_reading import write_video

    monkeypatch.setattr(tasks, "_send", lambda actor, file: None)
    write_video(tmp_path / "a.mp4", codec="mpeg4")
    unread = {
        "state": ClipState.UPLOADED,
        "proxy_state": ProxyState.UNKNOWN,
        "rate_num": None,
        "frames": None,
    }
    clip = in_bucket(make_clip, (tmp_path / "a.mp4").read_bytes(), **unread)
    tasks.ingest(str(clip.uuid))
    clip.refresh_from_db()
    assert (clip.state, clip.frames, clip.has_poster) == (ClipState.READY, 8, True)
    assert clip.proxy_state == ProxyState.QUEUED
    tasks.proxy(str(clip.uuid))
    clip.refresh_from_db()
    assert clip.proxy_state == ProxyState.READY
    assert bucket.bucket().size(bucket.proxy_key(clip.location)) > 0
    assert not clip.proxy_path.exists()


def test_a_proxy_that_the_bucket_does_not_take_is_tried_again_then_failed(make_clip, monkeypatch):
    clip = in_bucket(make_clip, proxy_state=ProxyState.QUEUED)
    monkeypatch.setattr(reading, "make_proxy", lambda path, target, progress: target.write_bytes(b"proxy"))

    def away(key, content):
        raise StoreError("S3 cannot be reached.", fetching.Trouble.UNREACHABLE)

    monkeypatch.setattr(bucket.bucket(), "put", away)
    for state in (ProxyState.QUEUED, ProxyState.QUEUED):
        with pytest.raises(FootageError):
            tasks.proxy(str(clip.uuid))
        clip.refresh_from_db()
        assert clip.proxy_state == state
    tasks.proxy(str(clip.uuid))
    clip.refresh_from_db()
    assert (clip.proxy_state, clip.proxy_message) == (ProxyState.FAILED, "S3 cannot be reached.")


# --- showing


def test_a_video_is_shown_from_the_bucket_in_ranges(browser, make_clip):
    clip = in_bucket(make_clip)
    Clip.objects.update(name='Ünter "x".mov')
    answer = browser.get(reverse("footage:clip-video", args=[clip.uuid]))
    assert answer.status_code == 302
    assert answer["Cache-Control"] == "no-store"
    query = parse_qs(urlsplit(answer["Location"]).query)
    assert int(query["X-Amz-Expires"][0]) <= 900
    with urlopen(Request(answer["Location"], headers={"Range": "bytes=7-14"})) as shown:
        assert (shown.status, shown.read()) == (206, b"pictures")
        assert shown.headers["Content-Type"] == "video/mp4"
        assert shown.headers["Content-Disposition"].startswith("inline")


def test_the_proxy_is_shown_where_there_is_one(browser, make_clip, footage_store):
    clip = in_bucket(make_clip, proxy_state=ProxyState.READY)
    footage_store.put(bucket.proxy_key(clip.location), b"proxy")
    answer = browser.get(reverse("footage:clip-video", args=[clip.uuid]))
    with urlopen(answer["Location"]) as shown:
        assert shown.read() == b"proxy"


def test_the_original_is_a_download(browser, make_clip):
    clip = in_bucket(make_clip)
    answer = browser.get(reverse("footage:clip-source", args=[clip.uuid]))
    with urlopen(answer["Location"]) as shown:
        assert shown.headers["Content-Type"] == "application/octet-stream"
        assert shown.headers["Content-Disposition"] == 'attachment; filename="A001.mov"'


@pytest.mark.parametrize("view", ["clip-video", "clip-source"])
def test_nobody_else_gets_an_address(client, outsider, make_clip, view):
    clip = in_bucket(make_clip)
    client.force_login(outsider)
    assert client.get(reverse(f"footage:{view}", args=[clip.uuid])).status_code == 404


def test_the_page_says_where_to_send_parts(browser, project, settings):
    address = reverse("footage:project-multipart", args=[project.uuid])
    assert address in browser.get(project.get_absolute_url()).content.decode()
    settings.SECONDSTICKS_FOOTAGE_STORE = ""
    assert address not in browser.get(project.get_absolute_url()).content.decode()
    assert begin(browser, project, size=1).status_code == 409


# --- the check


def checked(capsys) -> tuple[bool, str]:
    try:
        call_command("check_storage")
    except CommandError:
        return False, capsys.readouterr().out
    return True, capsys.readouterr().out


def test_the_check_says_that_all_works(capsys):
    works, said = checked(capsys)
    assert works, said
    assert "The footage store s3://footage/here works." in said
    assert "Uploads in parts work." in said
    assert "Pages of http://localhost:8000 may send to the bucket." in said
    assert list(bucket.bucket().list()) == []


@pytest.mark.parametrize(
    ("method", "sentence"),
    [
        ("OPTIONS", "add the CORS rules"),
        ("PUT", "does not work: S3 does not let us"),
        ("POST", "in parts do not"),
    ],
)
def test_the_check_says_what_does_not(capsys, s3_server, method, sentence):
    s3_server.answer = lambda environ: (
        refused("403 No", "AccessDenied") if environ["REQUEST_METHOD"] == method else None
    )
    works, said = checked(capsys)
    assert (works, sentence in said) == (False, True), said

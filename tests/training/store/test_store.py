"""Both kinds of store keep the same promises; S3 is moto's server, spoken to over real sockets."""

import multiprocessing
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from tests.s3_server import refused
from training.store import Store, StoreError, Trouble, open_store
from training.store import s3 as s3_module
from training.store.folder import UNFINISHED, FolderStore
from training.store.s3 import S3Store


@pytest.fixture
def s3(s3_server) -> S3Store:
    store = open_store("s3://sticks/here")
    store.client.create_bucket(Bucket="sticks")
    return store


@pytest.fixture(params=["file", "s3"])
def store(request, tmp_path) -> Store:
    if request.param == "s3":
        return request.getfixturevalue("s3")
    return open_store((tmp_path / "a store").as_uri())


def test_keeps_what_it_is_given(store, tmp_path):
    (tmp_path / "a file").write_bytes(b"from a file")
    store.put("runs/7/spec.json", b"first")
    store.put("runs/7/spec.json", b"second")
    store.put("runs/7/weights", tmp_path / "a file")
    store.put("runs/70/spec.json", b"")
    assert store.get("runs/7/spec.json") == b"second"
    assert store.get("runs/7/weights") == b"from a file"
    assert store.get("runs/70/spec.json") == b""
    assert store.size("runs/7/weights") == 11
    assert list(store.list("runs/7")) == ["runs/7/spec.json", "runs/7/weights"]
    assert list(store.list()) == ["runs/7/spec.json", "runs/7/weights", "runs/70/spec.json"]
    assert list(store.list("nothing")) == []
    store.delete("runs/7/spec.json")
    store.delete("runs/7/spec.json")
    assert not store.exists("runs/7/spec.json")
    assert not store.exists("runs/7")
    assert store.exists("runs/7/weights")


def test_reads_ranges(store):
    store.put("clip", bytes(range(100)))
    assert store.read("clip", 10, 5) == bytes(range(10, 15))
    assert store.read("clip", 95, 50) == bytes(range(95, 100))
    assert store.read("clip", 100, 1) == b""
    assert store.read("clip", 7, 0) == b""


def test_missing_is_said(store, tmp_path):
    for ask in (
        lambda: store.get("runs/9"),
        lambda: store.read("runs/9", 0, 1),
        lambda: store.size("runs/9"),
        lambda: store.download("runs/9", tmp_path / "x"),
    ):
        with pytest.raises(StoreError, match=r"There is no runs/9 in the store\.") as error:
            ask()
        assert error.value.trouble is Trouble.MISSING
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    "key",
    ["", "/etc/passwd", "../x", "a/../../x", "a//b", "a/.", "a/..", "a\\b", "a\0b", "a\n", ".hidden",
     "a/.unfinished/x", "%2e%2e/x", "a?x", "a b", "é", "x" * 201, "a/" * 500 + "a", "a/"],
)  # fmt: skip
def test_refuses_other_names(store, key, tmp_path):
    for ask in (
        lambda: store.get(key),
        lambda: store.put(key, b"x"),
        lambda: store.put_new(key, b"x"),
        lambda: store.exists(key),
        lambda: store.delete(key),
        lambda: store.download(key, tmp_path / "x"),
    ):
        with pytest.raises(StoreError, match="cannot be the name"):
            ask()


def test_one_of_many_is_first(store, tmp_path):
    (tmp_path / "file").write_bytes(b"9")
    assert store.put_new("claims/file", tmp_path / "file") is True
    assert store.put_new("claims/file", tmp_path / "file") is False
    firsts: list[int] = []
    gate = threading.Barrier(6)

    def claim(number: int) -> None:
        gate.wait()
        if store.put_new("claims/one", str(number).encode()):
            firsts.append(number)

    threads = [threading.Thread(target=claim, args=[number]) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.get("claims/one") == str(firsts[0]).encode()
    assert len(firsts) == 1


def test_downloads_whole(store, tmp_path, monkeypatch):
    monkeypatch.setattr(s3_module, "PIECE", 1000)
    content = os.urandom(4567)
    store.put("clip", content)
    store.put("empty", b"")
    (tmp_path / "clip").write_bytes(b"old")
    store.download("clip", tmp_path / "clip")
    store.download("empty", tmp_path / "empty")
    assert (tmp_path / "clip").read_bytes() == content
    assert (tmp_path / "empty").read_bytes() == b""
    assert {path.name for path in tmp_path.iterdir() if path.is_file()} == {"clip", "empty"}


@pytest.mark.parametrize(
    "url",
    ["", "store", "http://x/y", "file://host/x", "file:x", "s3://", "s3://B/x", "s3://bucket/x?y"],
)
def test_refuses_other_addresses(url):
    with pytest.raises(StoreError, match="is not a store"):
        open_store(url)


def test_refuses_an_address_without_repeating_its_secret():
    with pytest.raises(StoreError, match=r"^s3://… is not a store"):
        open_store("s3://user:hidden@bucket")


def test_refuses_a_prefix_that_leads_away():
    with pytest.raises(StoreError, match="cannot be the name"):
        open_store("s3://bucket/../x")


# --- a folder


def test_a_full_disk_leaves_nothing(tmp_path, monkeypatch):
    store = FolderStore(tmp_path / "store")
    store.put("a/b", b"old")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("training.store.folder.os.fsync", full)
    for put in (store.put, store.put_new):
        with pytest.raises(StoreError, match="There is no space for a/") as error:
            put("a/b" if put == store.put else "a/c", b"new")
        assert error.value.trouble is Trouble.FULL
    assert store.get("a/b") == b"old"
    assert list(store.list()) == ["a/b"]
    assert list((tmp_path / "store" / UNFINISHED).iterdir()) == []


def put_over_and_over(root: Path) -> None:
    store = FolderStore(root)
    for number in range(100000):
        store.put("champion.json", bytes([number % 256]) * 300_000)


def test_a_kill_leaves_the_old_or_the_new(tmp_path):
    store = FolderStore(tmp_path)
    for _ in range(5):
        writer = multiprocessing.get_context("fork").Process(target=put_over_and_over, args=[tmp_path])
        writer.start()
        while not store.exists("champion.json"):
            time.sleep(0.01)
        time.sleep(0.05)
        os.kill(writer.pid, signal.SIGKILL)
        writer.join()
        content = store.get("champion.json")
        assert len(content) == 300_000
        assert len(set(content)) == 1
    for left in (tmp_path / UNFINISHED).iterdir():
        os.utime(left, (0, 0))
    store.put("other", b"x")
    assert list((tmp_path / UNFINISHED).iterdir()) == []
    assert list(store.list()) == ["champion.json", "other"]


def test_a_name_that_is_a_folder(tmp_path):
    store = FolderStore(tmp_path)
    store.put("a/b", b"x")
    for ask in (lambda: store.put("a", b"y"), lambda: store.put("a/b/c", b"y")):
        with pytest.raises(StoreError):
            ask()
    assert store.get("a/b") == b"x"


# --- S3 at fault


SHORT = ("206 Partial Content", [("Content-Length", "100")], b"x" * 10)
ANGRY_PROXY = ("502 Bad Gateway", [("Content-Type", "text/html")], b"<html>proxy</html>")


@pytest.mark.parametrize(
    ("answer", "trouble", "tries"),
    [
        (refused("500 No", "InternalError"), Trouble.UNREACHABLE, 5),
        (refused("503 No", "SlowDown"), Trouble.UNREACHABLE, 5),
        (refused("403 No", "AccessDenied"), Trouble.DENIED, 1),
        (refused("404 No", "NoSuchBucket"), Trouble.UNREACHABLE, 1),
        (refused("507 No", "XMinioStorageFull"), Trouble.FULL, 1),
        (ANGRY_PROXY, Trouble.UNREACHABLE, 5),
        (SHORT, Trouble.UNREACHABLE, 5),
    ],
)
def test_says_what_is_wrong(s3, s3_server, answer, trouble, tries):
    s3.put("clip", b"y" * 100)
    s3_server.asked, s3_server.answer = [], lambda environ: answer
    with pytest.raises(StoreError) as error:
        s3.get("clip")
    asked = len(s3_server.asked)
    s3_server.reset()
    assert error.value.trouble is trouble
    assert asked == tries


def test_gets_over_a_short_fault(s3, s3_server):
    s3.put("clip", b"y" * 100)
    answers = [refused("500 No", "InternalError"), SHORT]
    s3_server.answer = lambda environ: answers.pop(0) if answers else None
    assert s3.get("clip") == b"y" * 100


def test_nobody_there(s3, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    with pytest.raises(StoreError, match="cannot be reached") as error:
        open_store("s3://sticks/here").get("clip")
    assert error.value.trouble is Trouble.UNREACHABLE


def test_no_credentials(s3, monkeypatch, tmp_path):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    with pytest.raises(StoreError, match="no credentials") as error:
        open_store("s3://sticks/here").get("clip")
    assert error.value.trouble is Trouble.DENIED


def test_a_download_goes_on_after_a_kill(s3, tmp_path, monkeypatch):
    monkeypatch.setattr(s3_module, "PIECE", 1000)
    content = os.urandom(4567)
    s3.put("clip", content)

    class Killed(Exception):
        pass

    def kill(arrived: int) -> None:
        if arrived >= 2000:
            raise Killed

    with pytest.raises(Killed):
        s3.download("clip", tmp_path / "clip", progress=kill)
    assert not (tmp_path / "clip").exists()
    heard: list[int] = []
    s3.download("clip", tmp_path / "clip", progress=heard.append)
    assert heard == [3000, 4000, 4567]
    assert (tmp_path / "clip").read_bytes() == content


def test_a_download_of_what_changes_is_refused(s3, tmp_path, monkeypatch):
    monkeypatch.setattr(s3_module, "PIECE", 1000)
    s3.put("clip", b"a" * 3000)
    with pytest.raises(StoreError) as error:
        s3.download("clip", tmp_path / "clip", progress=lambda arrived: s3.put("clip", b"b" * 3000))
    assert error.value.trouble is Trouble.CHANGED
    assert not (tmp_path / "clip").exists()


def test_two_downloads_at_once(s3, tmp_path, monkeypatch):
    monkeypatch.setattr(s3_module, "PIECE", 1000)
    content = os.urandom(9876)
    s3.put("clip", content)
    threads = [threading.Thread(target=s3.download, args=["clip", tmp_path / "clip"]) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "clip").read_bytes() == content
    assert [path.name for path in tmp_path.iterdir()] == ["clip"]


def test_a_refused_file_is_explained(s3, s3_server, tmp_path):
    (tmp_path / "file").write_bytes(b"x")
    s3_server.answer = lambda environ: refused("403 No", "AccessDenied")
    with pytest.raises(StoreError, match="does not let us at weights") as error:
        s3.put("weights", tmp_path / "file")
    s3_server.reset()
    assert error.value.trouble is Trouble.DENIED
    assert not s3.exists("weights")

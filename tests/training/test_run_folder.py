from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.s3_server import S3Server, refused
from training.contract import Ended, RunReport
from training.run_folder import RunFolder, SupersededError, read_token, write_token
from training.store import Store, StoreError, open_store

REPORT = RunReport("run-1", 1, Ended.FAILED, "The dataset is torn.", "5" * 64, "a")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path.as_uri())


def taken(store: Store, token: int) -> RunFolder:
    folder = RunFolder(store, token)
    folder.take()
    return folder


def test_a_newer_token_ends_all_writing(store: Store) -> None:
    old = taken(store, 1)
    old.put("state", b"1")
    new = taken(store, 2)
    before = {key: store.get(key) for key in store.list()}
    for write in (
        lambda: old.put("state", b"old"),
        lambda: old.put_new("new", b"old"),
        lambda: old.say({"event": "step"}, now=True),
        lambda: old.end(REPORT),
        old.take,
    ):
        with pytest.raises(SupersededError, match="token 2, ours is 1"):
            write()
    assert {key: store.get(key) for key in store.list()} == before
    new.put("state", b"2")
    assert store.get("state") == b"2"


def test_a_folder_without_its_token_is_nobodys(store: Store) -> None:
    folder = taken(store, 1)
    store.delete("token.json")
    with pytest.raises(SupersededError, match="has no token"):
        folder.put("state", b"")
    store.put("token.json", b"torn")
    with pytest.raises(SupersededError, match="cannot be read"):
        folder.put("state", b"")
    assert not store.exists("state")


def test_who_gives_out_tokens_writes_them(store: Store) -> None:
    write_token(store, 7)
    assert read_token(store) == 7
    with pytest.raises(SupersededError):
        taken(store, 6)
    taken(store, 7).put("state", b"")


def test_events_are_numbered_on_by_whoever_comes_after(store: Store) -> None:
    first = taken(store, 1)
    first.say({"event": "started"})
    first.say({"event": "step", "step": 10}, now=True)
    taken(store, 2).say({"event": "started"}, now=True)
    assert list(store.list("events")) == ["events/000001.jsonl", "events/000002.jsonl"]
    lines = [json.loads(line) for key in store.list("events") for line in store.get(key).splitlines()]
    assert [(line["event"], line["token"]) for line in lines] == [("started", 1), ("step", 1), ("started", 2)]
    assert all(line["at"].endswith("+00:00") for line in lines)


def test_the_first_report_holds_unless_its_token_is_old(store: Store) -> None:
    folder = taken(store, 1)
    assert folder.end(REPORT) == REPORT
    assert folder.end(replace(REPORT, sentence="Another.")) == REPORT
    newer = taken(store, 2)
    assert newer.report() is None
    second = replace(REPORT, token=2)
    assert newer.end(second) == second == newer.report()


def test_events_wait_while_the_bucket_cannot_be_reached(s3_server: S3Server) -> None:
    store = open_store("s3://footage/runs/1")
    store.client.create_bucket(Bucket="footage")  # type: ignore[attr-defined]
    folder = taken(store, 1)
    s3_server.answer = lambda environ: refused("500 Internal Server Error", "InternalError")
    folder.say({"event": "started"}, now=True)
    with pytest.raises(StoreError):
        folder.flush()
    s3_server.reset()
    folder.say({"event": "step"}, now=True)
    assert list(store.list("events")) == ["events/000001.jsonl"]
    assert store.get("events/000001.jsonl").count(b"\n") == 2

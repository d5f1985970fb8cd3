from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.s3_server import S3Server
from tests.training.frozen_runs import equal, freeze, freeze_document, put_spec
from training import loop
from training.checkpoints import read_checkpoint
from training.contract import CheckpointAt, DatasetAt, Ended, RunReport, read_report
from training.retrain import Machine, retrain
from training.run_folder import SupersededError, write_token
from training.run_state import RunState
from training.store import Store, open_store
from training.stored_journal import InterruptedRunError, Validation
from training.train import main


@pytest.fixture(autouse=True)
def _few_threads() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def datasets(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return open_store(tmp_path_factory.mktemp("datasets").as_uri())


@pytest.fixture(scope="module")
def dataset(datasets: Store, tmp_path_factory: pytest.TempPathFactory) -> DatasetAt:
    return freeze(datasets, tmp_path_factory.mktemp("drawn"))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store((tmp_path / "run").as_uri())


@pytest.fixture
def go(store: Store, tmp_path: Path) -> Any:
    """Does the run in `store`, each time in a new folder of work: on another machine."""
    attempts = iter(range(10))

    def run() -> RunReport:
        work = tmp_path / f"machine-{next(attempts)}"
        work.mkdir()
        return retrain(store.url, Machine(work, workers=0))

    return run


def events(store: Store) -> list[dict[str, Any]]:
    return [json.loads(line) for key in store.list("events") for line in store.get(key).splitlines()]


def weights(store: Store, report: RunReport, folder: Path) -> Any:
    path = folder / "weights.safetensors"
    for ending in ("safetensors", "json"):
        store.download(f"checkpoints/{report.checkpoint}.{ending}", path.with_suffix(f".{ending}"))
    card, arrays = read_checkpoint(path)
    assert card.sha256 == report.checkpoint
    return card, arrays


def rising(monkeypatch: pytest.MonkeyPatch, *values: float) -> None:
    """The AP of each measurement, by its place; the last for all that follow."""
    monkeypatch.setattr(
        Validation, "ap", lambda self, state: values[min(len(state.measured), len(values) - 1)]
    )


def test_a_run_leaves_events_a_checkpoint_with_its_card_and_a_report(
    store: Store, dataset: DatasetAt, go: Any, tmp_path: Path
) -> None:
    put_spec(store, dataset)
    report = go()
    assert read_report(store.get("report.json")) == report
    assert (report.ended, report.step, report.device, report.token) == (Ended.STEPS, 4, "cpu", 1)
    assert report.numbers.keys() >= {"AP", "AP50", "AP75", "AP_open", "AP_closed"}
    assert report.seconds > 0
    card, _ = weights(store, report, tmp_path)
    assert card.recipe["dataset"] == dataset.sha256
    assert card.numbers["validation"] == report.numbers
    assert str(tmp_path) not in json.dumps([dict(card.recipe), report.sentence])
    said = events(store)
    assert [event["event"] for event in said] == ["started", "measured", "step", "measured", "ended"]
    assert said[2].keys() >= {"loss", "eta_s", "pace_s", "step", "token", "at"}
    assert go() == report
    assert len(events(store)) == len(said)
    fetched = {path.stem for path in tmp_path.glob("machine-0/dataset/pictures/*")}
    assert len(fetched) == 8  # never those of the test split


class Killed(BaseException):
    """As a kill -9 between two steps: nothing after it runs."""


def before_step(monkeypatch: pytest.MonkeyPatch, step: int, act: Any) -> None:
    take = loop.take_step

    def acting(state: RunState, *rest: Any) -> Any:
        if state.step == step:
            monkeypatch.setattr(loop, "take_step", take)
            act()
        return take(state, *rest)

    monkeypatch.setattr(loop, "take_step", acting)


def kill() -> None:
    raise Killed


def test_a_run_killed_twice_goes_on_elsewhere_to_the_same_weights(
    store: Store, dataset: DatasetAt, go: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unbroken = open_store((tmp_path / "unbroken").as_uri())
    put_spec(unbroken, dataset)
    expected = retrain(unbroken.url, Machine(tmp_path / "unbroken-machine", workers=0))
    put_spec(store, dataset, save_minutes=0.0)
    for step in (1, 3):
        before_step(monkeypatch, step, kill)
        with pytest.raises(Killed):
            go()
    put_spec(store, dataset, token=2)  # whoever takes it over
    report = go()
    assert [event["step"] for event in events(store) if event["event"] == "started"] == [0, 1, 3]
    assert (report.checkpoint, report.numbers) == (expected.checkpoint, expected.numbers)
    assert equal(weights(store, report, tmp_path)[1], weights(unbroken, expected, tmp_path)[1])


def test_sigterm_saves_and_the_run_goes_on(
    store: Store, dataset: DatasetAt, go: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_spec(store, dataset)
    before = signal.getsignal(signal.SIGTERM)
    before_step(monkeypatch, 1, lambda: os.kill(os.getpid(), signal.SIGTERM))
    with pytest.raises(InterruptedRunError):
        go()
    assert signal.getsignal(signal.SIGTERM) is before
    assert not store.exists("report.json")
    assert go().step == 4
    assert [event["step"] for event in events(store) if event["event"] == "started"] == [0, 2]


def test_a_trainer_whose_run_was_taken_over_writes_nothing(
    store: Store, dataset: DatasetAt, go: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_spec(store, dataset, save_minutes=0.0)
    left: dict[str, bytes] = {}

    def overtake() -> None:
        write_token(store, 2)
        left.update({key: store.get(key) for key in store.list()})

    before_step(monkeypatch, 2, overtake)
    with pytest.raises(SupersededError, match="token 2, ours is 1"):
        go()
    assert {key: store.get(key) for key in store.list()} == left
    assert main([store.url]) == 3


def test_no_better_ap_ends_a_run_with_its_best_weights(
    store: Store, dataset: DatasetAt, go: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rising(monkeypatch, 0.1, 0.5, 0.5, 0.4, 0.9)
    put_spec(store, dataset, steps=9, measure_every=1, patience=2, save_minutes=0.0)
    before_step(monkeypatch, 3, kill)  # what was best is known after a kill, too
    with pytest.raises(Killed):
        go()
    report = go()
    assert (report.ended, report.step, report.best_step) == (Ended.NO_BETTER, 4, 2)
    assert report.sentence == "AP got no better after step 2, so it ended at step 4; AP 0.500 at step 2."
    shorter = open_store((tmp_path / "shorter").as_uri())
    put_spec(shorter, dataset, steps=9, measure_every=2, patience=1)
    again = retrain(shorter.url, Machine(tmp_path / "again", workers=0))
    assert again.best_step == 4


def test_the_time_of_all_attempts_is_limited(
    store: Store, dataset: DatasetAt, go: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rising(monkeypatch, 0.1)
    put_spec(store, dataset, steps=8, measure_every=8, minutes=1.0, save_minutes=0.0)
    clock = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])

    def later() -> None:
        clock[0] = 30.0
        before_step(monkeypatch, 3, kill)

    before_step(monkeypatch, 1, later)
    with pytest.raises(Killed):
        go()
    before_step(monkeypatch, 4, lambda: clock.__setitem__(0, 65.0))
    report = go()
    assert (report.ended, report.step, report.seconds) == (Ended.TIME, 5, 65.0)


@pytest.mark.parametrize(
    ("break_it", "sentence"),
    [
        (lambda document, store: document["images"][0].update(file_name="pictures/none.png"), "not whole"),
        (lambda document, store: document["images"][0].update(file_name="../secret.png"), "not whole"),
        (lambda document, store: document["images"][0].update(sha256="0" * 64), "torn"),
        (lambda document, store: document["images"][0].pop("sha256"), "has no sha256"),
        (lambda document, store: document["images"][0].update(split="both"), "is in no split"),
        (lambda document, store: document["images"][0].update(clip="clip-8"), "in train and in test"),
        (lambda document, store: [image.update(split="train") for image in document["images"]], "no slates"),
        (
            lambda document, store: [image.update(split="test") for image in document["images"]],
            "no pictures to train on",
        ),
    ],
)
def test_a_dataset_that_cannot_be_used_is_reported(
    datasets: Store, dataset: DatasetAt, store: Store, go: Any, tmp_path: Path, break_it: Any, sentence: str
) -> None:
    document = json.loads(datasets.get("coco.json"))
    own = open_store((tmp_path / "own").as_uri())
    for image in document["images"]:
        own.put(image["file_name"], datasets.get(image["file_name"]))
    break_it(document, own)
    put_spec(store, freeze_document(own, document))
    report = go()
    assert report.ended == Ended.FAILED
    assert sentence in report.sentence
    assert read_report(store.get("report.json")) == report


def test_what_else_is_wrong_with_a_run_is_reported(
    store: Store, dataset: DatasetAt, go: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    nowhere = DatasetAt(store.url, "0" * 64)
    start = CheckpointAt(store.url, "0" * 64)
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"dataset": nowhere}, "not whole: There is no coco.json"),
        ({"dataset": DatasetAt(dataset.url, "0" * 64)}, "coco.json is not the file that was frozen"),
        ({"dataset": DatasetAt("ftp://there", "0" * 64)}, "is not a store"),
        ({"architecture": "resnet9000"}, "resnet9000 is unknown; known are"),
        ({"start": start}, "checkpoint to start from is not there"),
        ({"weights": "No_Such_Weights.V1"}, "neither a safetensors file nor"),
        ({"rate": 1e30}, "is not a number"),
    ]
    for token, (changes, sentence) in enumerate(wrong, start=1):
        put_spec(store, **{"dataset": dataset, "token": token, **changes})
        report = go()
        assert report.ended == Ended.FAILED
        assert sentence in report.sentence
    assert main([store.url]) == 1
    assert "is not a number" in capsys.readouterr().err


def test_a_folder_without_a_spec_is_said(
    tmp_path: Path, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([tmp_path.as_uri()]) == 1
    assert "There is no spec.json at" in capsys.readouterr().err
    store.put("spec.json", b"torn")
    assert main([store.url]) == 1
    assert "spec.json is not JSON" in capsys.readouterr().err
    assert main(["ftp://there"]) == 1


def test_a_run_goes_on_from_a_checkpoint_in_a_bucket(
    s3_server: S3Server, dataset: DatasetAt, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bucket = open_store("s3://footage")
    bucket.client.create_bucket(Bucket="footage")  # type: ignore[attr-defined]
    for key in ("coco.json", *open_store(dataset.url).list("pictures")):
        bucket.put(f"datasets/{key}", open_store(dataset.url).get(key))
    there = DatasetAt("s3://footage/datasets", dataset.sha256)
    first, second = (open_store(f"s3://footage/runs/{number}") for number in (1, 2))
    put_spec(first, there, steps=1, measure_every=0)
    words = ["--work", str(tmp_path), "--workers", "0", "--threads", "1"]
    assert main([first.url, *words]) == 0
    report = read_report(first.get("report.json"))
    assert report.numbers == {}
    start = CheckpointAt(f"{first.url}/checkpoints", str(report.checkpoint))
    put_spec(second, there, start=start, steps=1, rate=1e-12, measure_every=0)
    assert main([second.url, *words]) == 0
    assert "Trained to the last step, 1." in capsys.readouterr().out
    again = read_report(second.get("report.json"))
    assert equal(weights(first, report, tmp_path)[1], weights(second, again, tmp_path)[1])

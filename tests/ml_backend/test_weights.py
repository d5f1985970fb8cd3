"""The champion changes while requests come: none fails, none gets two checkpoints, nothing broken serves."""

import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ml_backend import weights as module
from ml_backend.refusals import Refused
from tests.ml_backend import bodies
from tests.ml_backend.conftest import Backend, Drawn, publish, put_frames
from training.champion import KEY, Champion, read_champion
from training.checkpoints import CheckpointError, card_path, read_checkpoint

Make = Callable[..., Backend]


def load_checked(path: Path) -> Drawn:
    """A drawn detector from a file that is read as the real one is."""
    if path != module.SHIPPED:
        read_checkpoint(path)
    return Drawn(path)


@pytest.fixture
def backend(make_backend: Make, monkeypatch: pytest.MonkeyPatch) -> Backend:
    monkeypatch.setattr(module, "AGAIN", 0.0)
    return make_backend(load_checked)


def test_without_a_champion_the_shipped_checkpoint_serves(backend: Backend) -> None:
    backend.weights.look()
    assert backend.ask("/health").json["model_version"].startswith("day0-")
    assert backend.ask("/health").json["trouble"] is None


def test_a_promotion_is_followed_and_so_is_the_way_back(backend: Backend, tmp_path: Path) -> None:
    put_frames(backend.store, 200)
    served = []
    for name, seed in [("one", 1), ("two", 2), ("one", 1)]:
        champion = publish(backend.store, tmp_path, name, seed)
        backend.weights.look()
        answer = backend.ask("/predict", bodies.predict(bodies.task(0))).json
        served.append(answer["model_version"])
        assert answer["model_version"] == champion.model_version == f"{name}-{champion.sha256[:12]}"
    assert served[0] == served[2] != served[1]
    kept = sorted(path.name for path in (tmp_path / "home").glob("*.safetensors"))
    assert kept == [f"{champion.sha256}.safetensors"]


def test_no_request_fails_or_mixes_versions_while_the_champion_flips(
    backend: Backend, tmp_path: Path
) -> None:
    """The box says which checkpoint looked, the version which one is said to have."""
    put_frames(backend.store, *[200] * 20)
    champions = [publish(backend.store, tmp_path, name, seed) for name, seed in [("one", 1), ("two", 2)]]
    lefts = {one.model_version: int(one.sha256[:2], 16) % 100 / 160 * 100 for one in champions}
    assert len({round(left, 3) for left in lefts.values()}) == 2
    backend.weights.look()
    flipped, answered = threading.Event(), threading.Semaphore(0)

    def ask() -> set[str]:
        seen = set()
        while not flipped.is_set() or not seen:
            answer = backend.ask("/predict", bodies.predict(*map(bodies.task, range(20))))
            assert answer.status == 200, answer.text
            versions = {one["model_version"] for one in answer.json["results"]} | {
                answer.json["model_version"]
            }
            assert len(versions) == 1
            (version,) = versions
            boxes = {one["result"][0]["value"]["x"] for one in answer.json["results"]}
            assert list(boxes) == [pytest.approx(lefts[version], abs=0.01)]
            seen.add(version)
            answered.release()
        return seen

    with ThreadPoolExecutor(6) as askers:
        asked = [askers.submit(ask) for _ in range(6)]
        try:
            for flip in range(20):
                backend.store.put(KEY, champions[flip % 2].as_bytes())
                backend.weights.look()
                assert backend.weights.model_version() == champions[flip % 2].model_version
                for _ in range(3):
                    answered.acquire(timeout=60)
        finally:
            flipped.set()
        seen = set().union(*(one.result() for one in asked))
    assert seen == set(lefts)


def flipped_byte(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def test_not_one_of_a_hundred_damaged_files_serves(backend: Backend, tmp_path: Path) -> None:
    good = publish(backend.store, tmp_path, "good", 1)
    backend.weights.look()
    bad = publish(backend.store, tmp_path, "bad", 2)
    whole = backend.store.get(bad.checkpoint)
    places = np.random.default_rng(4).integers(0, len(whole), 100)
    for place in places:
        backend.store.put(bad.checkpoint, flipped_byte(whole, int(place)))
        backend.weights.look()
        assert backend.weights.serving(wait=0).champion == good
        assert "bad-" in backend.ask("/health").json["trouble"]

    backend.store.put(bad.checkpoint, whole)
    backend.weights.look()
    assert backend.weights.serving(wait=0).champion == bad
    assert backend.ask("/health").json["trouble"] is None


def test_what_else_can_be_wrong_leaves_the_old_one_serving(backend: Backend, tmp_path: Path) -> None:
    good = publish(backend.store, tmp_path, "good", 1)
    backend.weights.look()
    other = publish(backend.store, tmp_path, "other", 2)
    cases: list[tuple[bytes, str]] = [
        (b"{", "champion.json is not JSON."),
        (b"[]", "is not of version 1."),
        (b'{"version": 2}', "is not of version 1."),
        (
            b'{"version": 1, "sha256": "../../x", "name": "x", "architecture": "x"}',
            "lacks the champion's sha256",
        ),
        (other.as_bytes().replace(b"checkpoints/", b"elsewhere/"), "has its checkpoint elsewhere"),
        (Champion("0" * 64, "gone", "drawn").as_bytes(), "There is no checkpoints/000"),
    ]
    for content, sentence in cases:
        backend.store.put(KEY, content)
        backend.weights.look()
        health = backend.ask("/health")
        assert (health.status, health.json["status"], health.json["weights"]) == (200, "UP", "ready")
        assert sentence in health.json["trouble"]
        assert health.json["model_version"] == good.model_version


def test_weights_that_fail_on_a_picture_do_not_take_over(make_backend: Make, tmp_path: Path) -> None:
    class Fails(Drawn):
        def detect(self, pictures: Any) -> Any:
            if self.name == "bad":
                raise RuntimeError("shapes do not match")
            return super().detect(pictures)

    backend = make_backend(Fails)
    backend.weights.look()
    publish(backend.store, tmp_path, "bad", 1)
    backend.weights.look()
    report = backend.weights.report()
    assert report["model_version"].startswith("day0-")
    assert report["trouble"].endswith("cannot be used. It fails on a black picture.")


def test_a_broken_champion_at_the_start_makes_the_shipped_one_serve(backend: Backend, tmp_path: Path) -> None:
    bad = publish(backend.store, tmp_path, "bad", 1)
    backend.store.put(bad.checkpoint, b"half")
    backend.weights.look()
    report = backend.weights.report()
    assert report["model_version"].startswith("day0-")
    assert report["trouble"].startswith("bad-")


def test_a_start_without_the_store_serves_what_served_last(backend: Backend, tmp_path: Path) -> None:
    champion = publish(backend.store, tmp_path, "ours", 1)
    backend.weights.look()
    shutil.rmtree(backend.folder)
    backend.folder.write_text("a file where the store was")
    again = module.Weights(Away(), tmp_path / "home", load_checked)  # type: ignore[arg-type]
    again.look()
    assert again.serving(wait=0).champion == champion
    assert again.report()["trouble"].startswith("The store cannot say which checkpoint is champion.")


class Away:
    """A store that cannot be reached."""

    def get(self, key: str) -> bytes:
        raise module.StoreError("The store cannot be reached.", module.Trouble.UNREACHABLE)


def test_health_and_setup_answer_while_weights_load_and_predict_waits(make_backend: Make) -> None:
    go_on = threading.Event()

    def load(path: Path) -> Drawn:
        go_on.wait()
        return Drawn(path)

    backend = make_backend(load, wait=60)
    put_frames(backend.store, 200)
    loading = threading.Thread(target=backend.weights.look)
    loading.start()
    with ThreadPoolExecutor(1) as asker:
        try:
            asked = asker.submit(backend.ask, "/predict", bodies.predict(bodies.task(0)))
            while backend.ask("/health").json["loading"] is None:
                pass
            health, setup = backend.ask("/health"), backend.ask("/setup", bodies.SETUP)
            assert not asked.done()
        finally:
            go_on.set()
        assert asked.result().status == 200
    loading.join()
    assert (health.status, health.json["status"], health.json["weights"]) == (200, "UP", "loading")
    assert (setup.status, setup.json["model_version"]) == (200, health.json["loading"])


def test_predict_says_when_to_come_again_if_loading_takes_too_long(make_backend: Make) -> None:
    answer = make_backend(wait=0.01).ask("/predict", bodies.predict(bodies.task(0)))
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    assert answer.json["error"] == "The weights are still being loaded."


def test_health_says_it_when_there_are_no_weights_at_all(make_backend: Make) -> None:
    def load(path: Path) -> Drawn:
        raise CheckpointError(f"The checkpoint {path.name} is not a safetensors file.")

    backend = make_backend(load)
    backend.weights.look()
    health = backend.ask("/health")
    assert (health.status, health.json["status"], health.json["weights"]) == (503, "DOWN", "missing")
    assert "is not a safetensors file" in health.json["trouble"]
    with pytest.raises(Refused, match="not a safetensors file"):
        backend.weights.serving(wait=0)


def test_the_card_of_other_weights_is_refused(backend: Backend, tmp_path: Path) -> None:
    other = publish(backend.store, tmp_path, "other", 1)
    champion = publish(backend.store, tmp_path, "ours", 2)
    backend.store.put(champion.card, card_path(tmp_path / "other.safetensors").read_bytes())
    backend.store.put(champion.checkpoint, backend.store.get(other.checkpoint))
    backend.weights.look()
    assert f"The file holds {other.sha256[:12]} instead." in backend.weights.report()["trouble"]


def test_champion_json_is_read_as_it_is_written() -> None:
    champion = Champion("0a" * 32, "größer", "drawn")
    assert read_champion(champion.as_bytes()) == champion

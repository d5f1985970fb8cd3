"""The champion in the store: whole before it is named, brought back when it is missing."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from ml_backend.weights import Weights
from secondsticks.detection import publishing, tasks
from secondsticks.detection.models import Checkpoint
from training.champion import KEY, Champion, read_champion
from training.checkpoints import SHIPPED, read_card, write_checkpoint
from training.store import Store, StoreError, Trouble, open_store

pytestmark = pytest.mark.django_db


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    opened = open_store((tmp_path / "store").as_uri())
    monkeypatch.setattr(publishing, "store", lambda: opened)
    return opened


def promote(folder: Path, name: str) -> Checkpoint:
    """Make a tiny checkpoint the champion."""
    path = folder / f"{name}.safetensors"
    arrays = {"w": np.full(3, len(name), np.float32)}
    card = write_checkpoint(path, arrays, name=name, architecture="tiny", longest_side=448)
    Checkpoint.objects.filter(is_champion=True).update(is_champion=False)
    return Checkpoint.objects.create(
        name=name, architecture="tiny", sha256=card.sha256, path=str(path), is_champion=True
    )


def test_the_shipped_checkpoint_is_published_by_the_sweep(store: Store) -> None:
    Checkpoint.objects.all().delete()
    tasks.sweep()
    named = read_champion(store.get(KEY))
    card = read_card(SHIPPED)

    assert named == Champion(card.sha256, card.name, card.architecture)
    assert hashlib.sha256(store.get(named.checkpoint)).hexdigest() == card.sha256
    assert publishing.is_published()


def test_a_promotion_is_published_and_served(store: Store, tmp_path: Path) -> None:
    publishing.publish()
    champion = promote(tmp_path, "better")
    assert not publishing.is_published()
    named = publishing.publish()

    class Loaded:
        def __init__(self, path: Path) -> None:
            self.sha256, self.name, self.architecture = read_card(path).sha256, "", ""

        def detect(self, pictures: list[object]) -> list[list[object]]:
            return [[] for _ in pictures]

    weights = Weights(store, tmp_path / "home", Loaded)  # type: ignore[arg-type]
    weights.look()
    assert weights.serving(wait=0).champion == named
    assert named.model_version == f"better-{champion.short_sha}"


@pytest.mark.parametrize("lost", ["champion.json", "checkpoint", "half"])
def test_what_is_lost_comes_back(store: Store, tmp_path: Path, lost: str) -> None:
    promote(tmp_path, "better")
    named = publishing.publish()
    if lost == "half":
        store.put(named.checkpoint, b"half")
    else:
        store.delete(KEY if lost == "champion.json" else named.checkpoint)
    assert not publishing.is_published()
    tasks.sweep()
    assert publishing.is_published()


def test_weights_are_there_before_they_are_named(store: Store, tmp_path: Path, monkeypatch) -> None:
    before = publishing.publish()
    promote(tmp_path, "better")
    written: list[str] = []
    put = store.put

    def put_until_it_is_named(key: str, content: bytes) -> None:
        written.append(key.rpartition(".")[2] if key != KEY else key)
        if key == KEY:
            raise StoreError("killed", Trouble.UNREACHABLE)
        put(key, content)

    monkeypatch.setattr(store, "put", put_until_it_is_named)
    with pytest.raises(publishing.CannotPublish, match="killed"):
        publishing.publish()
    assert written == ["safetensors", "json", KEY]
    assert read_champion(store.get(KEY)) == before


def test_a_champion_that_changes_meanwhile_is_the_one_that_stays(
    store: Store, tmp_path: Path, monkeypatch
) -> None:
    promote(tmp_path, "first")
    put = store.put

    def put_while_another_is_promoted(key: str, content: bytes) -> None:
        put(key, content)
        if key == KEY and not Checkpoint.objects.filter(name="second").exists():
            promote(tmp_path, "second")

    monkeypatch.setattr(store, "put", put_while_another_is_promoted)
    assert publishing.publish().name == "second"
    assert read_champion(store.get(KEY)).name == "second"


def test_damaged_or_missing_weights_are_never_published(store: Store, tmp_path: Path, caplog) -> None:
    before = publishing.publish()
    champion = promote(tmp_path, "better")
    path = Path(champion.path)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    publishing.keep_published()
    path.unlink()
    publishing.keep_published()

    assert read_champion(store.get(KEY)) == before
    assert "are damaged: their sha256 is another." in caplog.text
    assert "cannot be read: No such file or directory." in caplog.text


def test_a_store_that_is_away_does_not_stop_the_sweep(monkeypatch, caplog) -> None:
    class Away:
        def get(self, key: str) -> bytes:
            raise StoreError("The store cannot be reached.", Trouble.UNREACHABLE)

    monkeypatch.setattr(publishing, "store", Away)
    tasks.sweep()
    assert "The champion is not in the store. The store cannot be reached." in caplog.text

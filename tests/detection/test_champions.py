"""Which checkpoint scans: the shipped one until somebody promotes another."""

from dataclasses import replace

import pytest

from secondsticks.detection import champions
from secondsticks.detection.models import Checkpoint
from training.checkpoints import Card, CheckpointError

CARD = Card(name="day0", architecture="light", longest_side=640, sha256="0a" * 32)


@pytest.fixture(autouse=True)
def _no_checkpoints(db):
    Checkpoint.objects.all().delete()


@pytest.fixture
def ship(monkeypatch):
    """Ship a checkpoint with this sha256."""

    def ship(sha256: str) -> None:
        monkeypatch.setattr(champions, "read_card", lambda path: replace(CARD, sha256=sha256))

    return ship


def test_the_shipped_checkpoint_is_registered_at_first_need(ship, project):
    ship("0a" * 32)
    champion = champions.champion_for(project)
    assert (champion.sha256, champion.name, champion.is_champion) == ("0a" * 32, "day0", True)
    assert champions.weights_of(champion) == champions.SHIPPED
    assert champions.champion_for(project) == champion
    assert Checkpoint.objects.count() == 1


def test_a_newer_shipped_checkpoint_takes_over(ship, project):
    ship("0a" * 32)
    champions.register_shipped()
    ship("0b" * 32)
    champions.register_shipped()
    assert champions.champion_for(project).sha256 == "0b" * 32
    assert Checkpoint.objects.count() == 2


def test_a_shipped_checkpoint_does_not_replace_one_that_was_chosen(ship, project):
    chosen = Checkpoint.objects.create(name="ours", sha256="0c" * 32, path="/weights", is_champion=True)
    ship("0a" * 32)
    champions.register_shipped()
    assert champions.champion_for(project) == chosen


def test_a_projects_own_champion_comes_first(ship, project, make_project):
    ship("0a" * 32)
    champions.register_shipped()
    own = Checkpoint.objects.create(
        name="ours", sha256="0c" * 32, path="/weights", is_champion=True, project=project
    )
    assert champions.champion_for(project) == own
    assert champions.champion_for(make_project("Another")).sha256 == "0a" * 32


def test_a_broken_shipped_checkpoint_is_a_sentence(monkeypatch, project):
    def unreadable(path):
        raise CheckpointError("The card day0.json is not JSON.")

    monkeypatch.setattr(champions, "read_card", unreadable)
    with pytest.raises(champions.NoCheckpoint, match=r"not usable\. The card day0\.json is not JSON\."):
        champions.champion_for(project)

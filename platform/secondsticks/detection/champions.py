"""Which checkpoint is in use: a project's own champion, else the global one, else the one we ship."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from django.db import transaction

from secondsticks.detection.models import Checkpoint
from training.checkpoints import SHIPPED, CheckpointError, read_card


class NoCheckpoint(Exception):
    """There are no weights to scan with; the text says so in a sentence."""


def register_shipped() -> Checkpoint:
    """The row of the checkpoint we ship, made if missing. A newer one replaces an older shipped champion.

    Raises NoCheckpoint.
    """
    try:
        card = read_card(SHIPPED)
    except CheckpointError as error:
        raise NoCheckpoint(f"The checkpoint that comes with the product is not usable. {error}") from error
    with transaction.atomic():
        checkpoint, _ = Checkpoint.objects.get_or_create(
            sha256=card.sha256,
            defaults={"name": card.name, "architecture": card.architecture, "card": asdict(card)},
        )
        champion = Checkpoint.objects.select_for_update().filter(is_champion=True, project=None).first()
        if champion is None or (champion.is_shipped and champion != checkpoint):
            Checkpoint.objects.filter(is_champion=True, project=None).update(is_champion=False)
            Checkpoint.objects.filter(pk=checkpoint.pk).update(is_champion=True)
    return checkpoint


def champion_for(project) -> Checkpoint:
    """The checkpoint that scans this project's clips. Raises NoCheckpoint."""
    champions = Checkpoint.objects.filter(is_champion=True)
    own = champions.filter(project=project).first() or champions.filter(project=None).first()
    if own is not None:
        return own
    register_shipped()
    return champions.get(project=None)


def weights_of(checkpoint: Checkpoint) -> Path:
    return SHIPPED if checkpoint.is_shipped else Path(checkpoint.path)

"""The champion of all projects, in the store: for the ML backend and for trainers (docs/ml-backend.md)."""

from __future__ import annotations

import hashlib
import logging

from secondsticks.detection.champions import NoCheckpoint, register_shipped, weights_of
from secondsticks.detection.models import Checkpoint
from secondsticks.store import store
from training.champion import KEY, Champion
from training.checkpoints import card_path
from training.store import StoreError, Trouble

log = logging.getLogger(__name__)


class CannotPublish(Exception):
    """Why the champion does not get into the store, in one plain sentence."""


def publish() -> Champion:
    """Put the champion's weights and card into the store, and then its name. Raises CannotPublish.

    A champion that changes meanwhile is published too, so that of several who publish the last is right.
    """
    while True:
        checkpoint = _champion()
        named = _named(checkpoint)
        try:
            _put(checkpoint, named)
        except StoreError as error:
            raise CannotPublish(str(error)) from error
        if _champion() == checkpoint:
            log.info("Published %s.", named.model_version)
            return named


def is_published() -> bool:
    """Whether the store names the champion and has its weights. Raises CannotPublish."""
    checkpoint = _champion()
    named = _named(checkpoint)
    try:
        if store().get(KEY) != named.as_bytes():
            return False
        return store().size(named.checkpoint) == weights_of(checkpoint).stat().st_size
    except StoreError as error:
        if error.trouble is Trouble.MISSING:
            return False
        raise CannotPublish(str(error)) from error
    except OSError as error:
        raise CannotPublish(f"The weights of {checkpoint} cannot be read: {error.strerror}.") from error


def keep_published() -> None:
    """Publish the champion if the store does not have it. What hinders is logged, for the next sweep."""
    try:
        if not is_published():
            publish()
    except CannotPublish as error:
        log.warning("The champion is not in the store. %s", error)


def _champion() -> Checkpoint:
    champions = Checkpoint.objects.filter(is_champion=True, project=None)
    try:
        return champions.first() or register_shipped()
    except NoCheckpoint as error:
        raise CannotPublish(str(error)) from error


def _named(checkpoint: Checkpoint) -> Champion:
    return Champion(checkpoint.sha256, checkpoint.name, checkpoint.architecture)


def _put(checkpoint: Checkpoint, named: Champion) -> None:
    path = weights_of(checkpoint)
    try:
        weights, card = path.read_bytes(), card_path(path).read_bytes()
    except OSError as error:
        raise CannotPublish(f"The weights of {checkpoint} cannot be read: {error.strerror}.") from error
    if hashlib.sha256(weights).hexdigest() != checkpoint.sha256:
        raise CannotPublish(f"The weights of {checkpoint} are damaged: their sha256 is another.")
    store().put(named.checkpoint, weights)
    store().put(named.card, card)
    store().put(KEY, named.as_bytes())

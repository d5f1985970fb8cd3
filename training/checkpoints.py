"""Checkpoints: weights in a safetensors file, beside it a JSON card that says what they are. Torch-free.

`day0.safetensors` goes with `day0.json`. Nothing is ever unpickled: safetensors holds plain arrays, and
the card names the sha256 that the file must have.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from training.slates import STATES

#: The checkpoint that comes with the product.
SHIPPED = Path(__file__).parent / "shipped" / "day0.safetensors"
#: What the network's outputs mean, by class id; a checkpoint of other classes is refused.
CLASSES = ("background", *(str(STATES[number]) for number in sorted(STATES)))
CARD_VERSION = 1
Arrays = dict[str, np.ndarray[Any, np.dtype[Any]]]


class CheckpointError(Exception):
    """A checkpoint that cannot be used, in one plain sentence."""


@dataclass(frozen=True)
class Card:
    """What a checkpoint is: enough to build its network, and to judge it.

    `longest_side` is the size (pixels) to which pictures are brought before the network sees them.
    """

    name: str
    architecture: str
    longest_side: int
    sha256: str
    classes: tuple[str, ...] = CLASSES
    version: int = CARD_VERSION
    recipe: Mapping[str, Any] = field(default_factory=dict)
    numbers: Mapping[str, Any] = field(default_factory=dict)
    sources: tuple[Mapping[str, str], ...] = ()
    limits: tuple[str, ...] = ()


def card_path(path: Path) -> Path:
    """Where the card of a checkpoint lies."""
    return path.with_suffix(".json")


def read_card(path: Path) -> Card:
    """The card of the checkpoint at `path`, checked. Raises CheckpointError."""
    where = card_path(path)
    try:
        document = json.loads(where.read_text("utf-8"))
    except OSError as error:
        raise CheckpointError(f"The checkpoint {path.name} has no readable card {where.name}.") from error
    except ValueError as error:
        raise CheckpointError(f"The card {where.name} is not JSON.") from error
    try:
        card = Card(
            name=str(document["name"]),
            architecture=str(document["architecture"]),
            longest_side=int(document["longest_side"]),
            sha256=str(document["sha256"]),
            classes=tuple(document["classes"]),
            version=int(document["version"]),
            recipe=document.get("recipe") or {},
            numbers=document.get("numbers") or {},
            sources=tuple(document.get("sources") or ()),
            limits=tuple(document.get("limits") or ()),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"The card {where.name} lacks or garbles {error}.") from error
    _check_card(card, where.name)
    return card


def _check_card(card: Card, where: str) -> None:
    if card.version != CARD_VERSION:
        raise CheckpointError(
            f"The card {where} has version {card.version}; this product reads {CARD_VERSION}."
        )
    if card.classes != CLASSES:
        raise CheckpointError(
            f"The checkpoint {card.name} knows {', '.join(card.classes)}, not {', '.join(CLASSES)}."
        )
    if not 64 <= card.longest_side <= 4096:
        raise CheckpointError(f"The card {where} asks for pictures of {card.longest_side} pixels.")


def read_checkpoint(path: Path) -> tuple[Card, Arrays]:
    """Card and weights (float32), checked against the card's sha256 and for finite values.

    Raises CheckpointError for a missing, torn, foreign or poisoned file.
    """
    card = read_card(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"The checkpoint {path.name} cannot be read: {error.strerror}.") from error
    if hashlib.sha256(content).hexdigest() != card.sha256:
        raise CheckpointError(
            f"The checkpoint {path.name} is not the file its card describes (sha256 differs)."
        )
    try:
        stored = load(content)
    except (SafetensorError, KeyError, ValueError, TypeError) as error:
        raise CheckpointError(f"The checkpoint {path.name} is not a safetensors file.") from error
    arrays: Arrays = {}
    for key, array in stored.items():
        if not np.isfinite(array).all():
            raise CheckpointError(f"The checkpoint {path.name} holds weights that are not numbers ({key}).")
        arrays[key] = array.astype(np.float32) if array.dtype == np.float16 else array
    return card, arrays


def write_checkpoint(path: Path, arrays: Arrays, *, half: bool = True, **card: Any) -> Card:
    """Writes weights (as float16 when `half`) and card, each whole or not at all; returns the card.

    `card` holds Card's fields without sha256. Raises CheckpointError for weights that cannot be stored.
    """
    stored = {key: _stored(array, half) for key, array in arrays.items()}
    for key, array in stored.items():
        if not np.isfinite(array).all():
            raise CheckpointError(f"The weights {key} are not finite, so {path.name} was not written.")
    content = save(stored)
    written = Card(sha256=hashlib.sha256(content).hexdigest(), **card)
    _check_card(written, card_path(path).name)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, content)
    write_whole(card_path(path), (json.dumps(asdict(written), indent=2) + "\n").encode())
    return written


def _stored(array: np.ndarray[Any, np.dtype[Any]], half: bool) -> np.ndarray[Any, np.dtype[Any]]:
    if half and array.dtype == np.float32:
        with np.errstate(over="ignore"):
            array = array.astype(np.float16)
    return np.ascontiguousarray(array)


def write_whole(path: Path, content: bytes) -> None:
    """Writes a file so that a kill at any moment leaves the old or the new one, never half of one."""
    partial = path.with_name(path.name + ".partial")
    with partial.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)

"""`champion.json`: which checkpoint is in use, for all who share the store (docs/ml-backend.md). Torch-free.

The weights and their card lie beside it under their sha256, and are there before they are named.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from training.checkpoints import CheckpointError

KEY = "champion.json"
VERSION = 1
SHA256 = re.compile(r"[0-9a-f]{64}")


def model_version(name: str, sha256: str) -> str:
    """What Label Studio knows a checkpoint by: its name and the beginning of its sha256."""
    return f"{name}-{sha256[:12]}"


@dataclass(frozen=True, slots=True)
class Champion:
    """The checkpoint in use."""

    sha256: str
    name: str
    architecture: str

    @property
    def checkpoint(self) -> str:
        """The key of its weights."""
        return f"checkpoints/{self.sha256}.safetensors"

    @property
    def card(self) -> str:
        """The key of its card."""
        return f"checkpoints/{self.sha256}.json"

    @property
    def model_version(self) -> str:
        return model_version(self.name, self.sha256)

    def as_bytes(self) -> bytes:
        """The content of `champion.json`; the same for the same champion."""
        document = {
            "version": VERSION,
            "sha256": self.sha256,
            "name": self.name,
            "architecture": self.architecture,
            "checkpoint": self.checkpoint,
        }
        return (json.dumps(document, indent=2) + "\n").encode()


def read_champion(content: bytes) -> Champion:
    """The champion that `champion.json` names. Raises CheckpointError."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{KEY} is not JSON.") from error
    if not isinstance(document, dict) or document.get("version") != VERSION:
        raise CheckpointError(f"{KEY} is not of version {VERSION}.")
    words = [document.get(key) for key in ("sha256", "name", "architecture")]
    if not all(isinstance(word, str) and word for word in words) or not SHA256.fullmatch(str(words[0])):
        raise CheckpointError(f"{KEY} lacks the champion's sha256, name or architecture.")
    champion = Champion(*map(str, words))
    if document.get("checkpoint") != champion.checkpoint:
        raise CheckpointError(f"{KEY} has its checkpoint elsewhere than at {champion.checkpoint}.")
    return champion

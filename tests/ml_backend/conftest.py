"""A backend in this process: a store in a folder, detectors drawn by hand, requests without a network."""

import base64
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from ml_backend.allowed import Allowed
from ml_backend.application import Application
from ml_backend.authentication import Gate
from ml_backend.frames import Frames
from ml_backend.predicting import Predictions
from ml_backend.weights import Weights
from tests.ml_backend.bodies import CLIP, HEADERS
from training.champion import KEY, Champion
from training.checkpoints import card_path, read_card, write_checkpoint
from training.slates import Box, Detection, State
from training.store import Store, open_store

SECRET = "a secret that nobody guesses: 7Yt3qLx0 9Hd2mVb5 1Rk8wZs4"


class Drawn:
    """Sees a slate, open in bright pictures and closed in dark ones, at a place that tells its checkpoint."""

    architecture = "drawn"

    def __init__(self, path: Path) -> None:
        card = read_card(path)
        self.sha256, self.name = card.sha256, card.name
        self.left = float(int(card.sha256[:2], 16) % 100)

    def detect(self, pictures: Sequence[np.ndarray]) -> list[list[Detection]]:
        return [
            [Detection(Box(self.left, 20, 50, 40), State.OPEN if one.mean() > 128 else State.CLOSED, 0.9)]
            for one in pictures
        ]


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


@dataclass
class Backend:
    """The application with its parts at hand."""

    store: Store
    folder: Path
    weights: Weights
    application: Application
    clock: list[float] = field(default_factory=lambda: [1_800_000_000.0])

    def ask(
        self,
        path: str,
        body: Any = None,
        *,
        secret: str | None = SECRET,
        method: str = "",
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """One request; `body` is bytes as they are, or anything else as JSON."""
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        sent = {
            **HEADERS,
            **({"Authorization": basic(secret)} if secret is not None else {}),
            **(headers or {}),
        }
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method or ("GET" if body is None else "POST"),
            "PATH_INFO": path,
            "CONTENT_LENGTH": str(len(content)),
            "wsgi.input": io.BytesIO(content),
            **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in sent.items()},
        }
        said: list[Any] = []
        chunks = self.application(environ, lambda status, headers: said.extend([status, headers]))  # type: ignore[arg-type,return-value]
        return Answer(int(said[0][:3]), dict(said[1]), b"".join(chunks).decode())


def basic(secret: str, user: str = "label-studio") -> str:
    return "Basic " + base64.b64encode(f"{user}:{secret}".encode()).decode()


def jpeg(grey: int, width: int = 160, height: int = 90) -> bytes:
    return cv2.imencode(".jpg", np.full((height, width, 3), grey, np.uint8))[1].tobytes()


def put_frames(store: Store, *greys: int) -> None:
    for number, grey in enumerate(greys):
        store.put(f"frames/{CLIP}/{number}.jpg", jpeg(grey))


def publish(store: Store, folder: Path, name: str, seed: int) -> Champion:
    """Put a tiny checkpoint into the store and make it champion."""
    path = folder / f"{name}.safetensors"
    arrays = {"weights": np.full(4, seed, np.float32)}
    card = write_checkpoint(path, arrays, name=name, architecture="drawn", longest_side=448)
    champion = Champion(card.sha256, name, "drawn")
    store.put(champion.checkpoint, path.read_bytes())
    store.put(champion.card, card_path(path).read_bytes())
    store.put(KEY, champion.as_bytes())
    return champion


@pytest.fixture
def make_backend(tmp_path: Path) -> Callable[..., Backend]:
    """A backend whose weights are looked after by the test; `load` instead of drawn detectors."""

    def make(load: Callable[[Path], Any] = Drawn, allowed: Allowed | None = None, wait: float = 0) -> Backend:
        folder = tmp_path / "store"
        store = open_store(folder.as_uri())
        weights = Weights(store, tmp_path / "home", load)
        clock = [1_800_000_000.0]
        application = Application(
            gate=Gate(SECRET, clock=lambda: clock[0]),
            weights=weights,
            predictions=Predictions(weights, Frames(store, allowed or Allowed()), wait=wait),
            store=store,
        )
        return Backend(store, folder, weights, application, clock)

    return make


@pytest.fixture
def backend(make_backend: Callable[..., Backend]) -> Backend:
    """A backend that serves the shipped checkpoint, drawn."""
    made = make_backend()
    made.weights.look()
    return made

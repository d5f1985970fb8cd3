"""The champion's weights: brought from the store, checked, loaded beside the old ones, then swapped."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from ml_backend.refusals import later
from training.champion import KEY, Champion, read_champion
from training.checkpoints import SHIPPED, CheckpointError, card_path, read_card, read_checkpoint, write_whole
from training.search import Detector
from training.store import Store, StoreError, Trouble

log = logging.getLogger(__name__)

LOOK = 1.0  # seconds between two looks at champion.json
AGAIN = 10.0  # seconds until what could not be loaded is tried again


@dataclass(frozen=True, slots=True)
class Serving:
    """One checkpoint at work. Who took it keeps it to the end of their request."""

    detector: Detector
    champion: Champion


class Weights:
    """What serves now, and a thread that looks whether it still should. `load` makes a detector of a file."""

    def __init__(self, store: Store, folder: Path, load: Callable[[Path], Detector]) -> None:
        self._store = store
        self._folder = folder
        self._load = load
        self._changed = threading.Condition()
        self._serving: Serving | None = None
        self._loading: Champion | None = None
        self._trouble = ""
        self._handled: bytes | str | None = "nothing yet"
        self._try_after = 0.0

    def watch(self) -> NoReturn:
        """Look at champion.json again and again."""
        while True:
            try:
                self.look()
            except Exception as error:  # whatever it is, what serves goes on serving
                log.exception("Looking for the champion failed.")
                self._fail(f"Looking for the champion failed ({type(error).__name__}).")
            time.sleep(LOOK)

    def serving(self, *, wait: float) -> Serving:
        """What serves now; while nothing does, after at most `wait` seconds. Raises Refused."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._serving is not None, wait):
                raise later(self._trouble or "The weights are still being loaded.", seconds=5)
            assert self._serving is not None
            return self._serving

    def report(self) -> dict[str, Any]:
        """What serves, what is being loaded, and what went wrong the last time."""
        with self._changed:
            state = "ready" if self._serving else "missing" if self._trouble else "loading"
            return {
                "weights": state,
                "model_version": self._serving.champion.model_version if self._serving else None,
                "loading": self._loading.model_version if self._loading else None,
                "trouble": self._trouble or None,
            }

    def model_version(self) -> str:
        """Of what serves, or will."""
        with self._changed:
            if self._serving:
                return self._serving.champion.model_version
            return (self._loading or _shipped()).model_version

    def look(self) -> None:
        """Bring what serves in line with champion.json; what cannot be loaded leaves the old in its place."""
        try:
            content = self._named()
        except StoreError as error:
            if self._serving is None:
                self._change_to(self._last_known())
            self._note(f"The store cannot say which checkpoint is champion. {error}")
            return
        if content == self._handled and (not self._trouble or time.monotonic() < self._try_after):
            return
        self._handled = content
        try:
            champion = read_champion(content) if content is not None else _shipped()
        except CheckpointError as error:
            self._fail(str(error))
        else:
            self._change_to(champion)

    def _named(self) -> bytes | None:
        try:
            return self._store.get(KEY)
        except StoreError as error:
            if error.trouble is Trouble.MISSING:
                return None
            raise

    def _change_to(self, champion: Champion) -> None:
        if self._serving and self._serving.champion == champion:
            self._note("")
            return
        with self._changed:
            self._loading = champion
        try:
            serving = Serving(self._loaded(champion), champion)
        except (CheckpointError, StoreError) as error:
            self._fail(f"{champion.model_version} cannot be used. {error}")
            return
        finally:
            with self._changed:
                self._loading = None
        with self._changed:
            self._serving, self._trouble = serving, ""
            self._changed.notify_all()
        log.info("Serving %s.", champion.model_version)
        self._remember(champion)

    def _fail(self, sentence: str) -> None:
        """Says why; and where nothing serves yet, the checkpoint that we ship does."""
        self._note(sentence)
        self._try_after = time.monotonic() + AGAIN
        if self._serving is None:
            try:
                serving = Serving(self._loaded(_shipped()), _shipped())
            except CheckpointError as error:
                self._note(f"{sentence} {error}")
                return
            with self._changed:
                self._serving = serving
                self._changed.notify_all()

    def _note(self, sentence: str) -> None:
        with self._changed:
            if sentence and sentence != self._trouble:
                log.error("%s", sentence)
            self._trouble = sentence

    def _loaded(self, champion: Champion) -> Detector:
        """A detector that has looked at a picture once. Raises CheckpointError, StoreError."""
        detector = self._load(self._brought(champion))
        if detector.sha256 != champion.sha256:
            raise CheckpointError(f"The file holds {detector.sha256[:12]} instead.")
        try:
            detector.detect([np.zeros((270, 480, 3), np.uint8)])
        except (RuntimeError, ValueError) as error:
            raise CheckpointError("It fails on a black picture.") from error
        return detector

    def _brought(self, champion: Champion) -> Path:
        """The file with the champion's weights, its card beside it."""
        if champion == _shipped():
            return SHIPPED
        path = self._folder / f"{champion.sha256}.safetensors"
        if not _is_whole(path):
            self._folder.mkdir(parents=True, exist_ok=True)
            write_whole(card_path(path), self._store.get(champion.card))
            self._store.download(champion.checkpoint, path)
        return path

    def _remember(self, champion: Champion) -> None:
        """Keep what serves for a start without the store, and drop the files of those before it."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            write_whole(self._folder / KEY, champion.as_bytes())
            for path in self._folder.glob("*.safetensors"):
                if path.stem != champion.sha256:
                    path.unlink(missing_ok=True)
                    card_path(path).unlink(missing_ok=True)
        except OSError as error:
            log.warning("%s cannot be kept tidy: %s", self._folder, error)

    def _last_known(self) -> Champion:
        try:
            return read_champion((self._folder / KEY).read_bytes())
        except (OSError, CheckpointError):
            return _shipped()


def _is_whole(path: Path) -> bool:
    try:
        read_checkpoint(path)
    except CheckpointError:
        return False
    return True


def _shipped() -> Champion:
    card = read_card(SHIPPED)
    return Champion(card.sha256, card.name, card.architecture)

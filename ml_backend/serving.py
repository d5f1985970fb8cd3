"""The application as the server's process makes it."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from ml_backend.application import Application
from ml_backend.authentication import Gate
from ml_backend.configuration import configuration
from ml_backend.frames import Frames
from ml_backend.predicting import Predictions
from ml_backend.weights import Weights
from training.search import Detector


def application() -> Application:
    """Made from the environment. torch and the SDK are loaded while requests are answered."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    told = configuration()

    def load(path: Path) -> Detector:
        from training.inference import load_detector

        return load_detector(path, threads=told.threads)

    weights = Weights(told.store, told.home / "ml_backend", load)
    threading.Thread(target=_load, args=[weights], name="loading", daemon=True).start()
    return Application(
        gate=Gate(told.secret),
        weights=weights,
        predictions=Predictions(weights, Frames(told.store, told.allowed)),
        store=told.store,
    )


def _load(weights: Weights) -> None:
    """The SDK first: its 1.5 seconds must not be the first /setup's, to which Label Studio gives 3."""
    import label_studio_sdk.label_interface.interface  # noqa: F401

    weights.watch()

"""Tasks in, predictions out: as many, in the same order, all by one checkpoint."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong
from threading import BoundedSemaphore
from typing import Any

from ml_backend.fetching import Unopened
from ml_backend.frames import Frames, Picture
from ml_backend.labels import Labels, Prediction, unknown
from ml_backend.refusals import later
from ml_backend.weights import Serving, Weights
from training.slates import Detection

log = logging.getLogger(__name__)

#: Pictures that go through the network at once. On a CPU more cost more each (eight 83 ms, four 68), and who
#: asks for one picture waits longer behind who asks for many.
CHUNK = 4
CHUNKS_OPEN = 3  # chunks that are held in memory, one of them in the network
SEATS = 24  # requests at a time; there are more threads than that, so that /health is always answered
#: Label Studio hangs up after 100 seconds, and does not come again by itself.
WAIT_FOR_WEIGHTS = 60.0
PATIENCE = 90.0


class Predictions:
    """Answers tasks. All requests share one thread in which the network runs; their chunks take turns."""

    def __init__(self, weights: Weights, frames: Frames, *, wait: float = WAIT_FOR_WEIGHTS) -> None:
        self._weights = weights
        self._frames = frames
        self._wait = wait
        self._network = ThreadPoolExecutor(max_workers=1, thread_name_prefix="network")
        self._seats = BoundedSemaphore(SEATS)
        self._chunks = BoundedSemaphore(CHUNKS_OPEN)

    def answer(self, tasks: Sequence[Mapping[str, Any]], labels: Labels) -> dict[str, Any]:
        """The results for the tasks, and the checkpoint they are from. Raises Refused.

        A task whose picture cannot be looked at gets an empty result with its reason, and the others theirs.
        """
        if not self._seats.acquire(blocking=False):
            raise later("Too many requests at once.", seconds=2)
        try:
            deadline = time.monotonic() + PATIENCE
            serving = self._weights.serving(wait=self._wait)
            results: list[Prediction] = []
            for start in range(0, len(tasks), CHUNK):
                results += self._chunk(tasks[start : start + CHUNK], labels, serving, deadline)
        finally:
            self._seats.release()
        return {"results": results, "model_version": serving.champion.model_version}

    def _chunk(
        self, tasks: Sequence[Mapping[str, Any]], labels: Labels, serving: Serving, deadline: float
    ) -> list[Prediction]:
        if not self._chunks.acquire(timeout=max(0.0, deadline - time.monotonic())):
            raise _too_slow()
        try:
            opened = [self._opened(task, labels) for task in tasks]
            pictures = [one for one in opened if not isinstance(one, str)]
            found = self._detected(pictures, serving, deadline)
        finally:
            self._chunks.release()
        answers = iter(found)
        return [
            _prediction(task, one, one if isinstance(one, str) else next(answers), labels, serving)
            for task, one in zip(tasks, opened, strict=True)
        ]

    def _opened(self, task: Mapping[str, Any], labels: Labels) -> Picture | str:
        """The task's picture, or why there is none."""
        try:
            return self._frames.open(task, labels.variable)
        except Unopened as error:
            return str(error)
        except MemoryError:
            return "There is not enough memory for the picture."

    def _detected(
        self, pictures: Sequence[Picture], serving: Serving, deadline: float
    ) -> Sequence[list[Detection] | str]:
        """What the network sees in each picture, or why it could not look. Raises Refused when slow."""
        if not pictures:
            return []
        asked = self._network.submit(serving.detector.detect, pictures)
        try:
            return asked.result(timeout=max(0.0, deadline - time.monotonic()))
        except TookTooLong:
            asked.cancel()
            raise _too_slow() from None
        except Exception:  # torch raises RuntimeError for most things, of which one is no memory
            log.exception("The network failed on %d pictures.", len(pictures))
            return ["The network failed on the picture; the service's log says why."] * len(pictures)


def _prediction(
    task: Mapping[str, Any],
    picture: Picture | str,
    found: list[Detection] | str,
    labels: Labels,
    serving: Serving,
) -> Prediction:
    version = serving.champion.model_version
    if isinstance(picture, str) or isinstance(found, str):
        log.warning("No prediction for task %.40r: %s", task.get("id"), found)
        return unknown(str(found), model_version=version)
    return labels.prediction(found, size=(picture.shape[1], picture.shape[0]), model_version=version)


def _too_slow() -> Exception:
    return later(f"This took more than {PATIENCE:.0f} seconds: ask for fewer tasks at once.", seconds=10)

"""What a run of the platform says, measures and saves while it trains (training.retrain)."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from training.checkpoints import Card
from training.coco import CocoSet
from training.contract import Ended, RunSpec
from training.detector import build_network
from training.evaluate import coco_numbers, detect_all
from training.inference import Detector
from training.loop import Options
from training.run_folder import RunFolder
from training.run_state import STATE, RunState
from training.store import StoreError, Trouble

#: How often (seconds) a trainer looks whether the run is still its own, when it has nothing to write.
CHECK_EVERY = 20.0
#: How often AP is measured when the spec does not say.
MEASUREMENTS = 20


class InterruptedRunError(Exception):
    """Somebody wants the process to end; the run can go on later."""


class Stopping:
    """Whether SIGTERM or SIGINT has come."""

    asked = False

    def check(self) -> None:
        if self.asked:
            raise InterruptedRunError("Interrupted: started again, the run goes on.")


@contextmanager
def stop_signals() -> Iterator[Stopping]:
    """Signals are noted, and looked at between two steps."""
    stopping = Stopping()

    def note(*_: object) -> None:
        stopping.asked = True

    before = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Validation:
    """The validation split, and a second network that is only measured."""

    def __init__(self, truth: CocoSet, pictures: Path, options: Options, device: torch.device) -> None:
        self.truth = truth
        self.pictures = pictures
        card = Card("measured", options.architecture, options.longest_side, sha256="")
        self._network = build_network(options.architecture, longest_side=options.longest_side)
        self._detector = Detector(card, self._network, device)

    def ap(self, state: RunState) -> float:
        """COCO's AP of the averaged weights."""
        self._network.load_state_dict(state.average.weights)
        return coco_numbers(self.truth, detect_all(self._detector, self.truth, self.pictures))["AP"]


@dataclass
class StoredJournal:
    """A run whose events and state go to its folder in the store."""

    folder: RunFolder
    spec: RunSpec
    options: Options
    fingerprint: str
    stopping: Stopping
    validation: Validation | None
    _saved: float = field(default_factory=lambda: time.monotonic())
    _checked: float = field(default_factory=lambda: time.monotonic())
    _counted: float = field(default_factory=lambda: time.monotonic())

    def say(self, event: Mapping[str, Any]) -> None:
        self.folder.say(event)

    def look(self, state: RunState) -> str | None:
        self._count(state)
        if self.stopping.asked:
            self.save(state)
            self.stopping.check()
        if self._is_due(state):
            self._measure(state)
        if why := self._ended(state):
            return why
        if state.step and time.monotonic() - self._saved >= self.spec.save_minutes * 60:
            self._try_to_save(state)
        if time.monotonic() - self._checked >= CHECK_EVERY:
            self._checked = time.monotonic()
            with reachable_or_not():
                self.folder.check()
        return None

    def save(self, state: RunState) -> None:
        """The state, here and in the store, whole or not at all."""
        state.save(self.options.out, self.fingerprint)
        self.folder.put(STATE, self.options.out / STATE)
        self.folder.flush()

    def _try_to_save(self, state: RunState) -> None:
        self._saved = time.monotonic()
        with reachable_or_not():
            self.save(state)

    def _count(self, state: RunState) -> None:
        now = time.monotonic()
        state.seconds, self._counted = state.seconds + now - self._counted, now

    def _is_due(self, state: RunState) -> bool:
        if not self.validation or not state.step or state.step in state.measured:
            return False
        every = self.spec.measure_every or max(1, self.options.steps // MEASUREMENTS)
        return state.step % every == 0 or state.step == self.options.steps or self._is_late(state)

    def _measure(self, state: RunState) -> None:
        assert self.validation
        ap = self.validation.ap(state)
        state.measure(ap)
        self.folder.say(
            {"event": "measured", "step": state.step, "AP": round(ap, 4), "best_step": state.best_step}
        )

    def _ended(self, state: RunState) -> Ended | None:
        since = [step for step in state.measured if step > state.best_step]
        if self.spec.patience and len(since) >= self.spec.patience:
            return Ended.NO_BETTER
        return Ended.TIME if state.step and self._is_late(state) else None

    def _is_late(self, state: RunState) -> bool:
        return self.spec.minutes is not None and state.seconds >= self.spec.minutes * 60


@contextmanager
def reachable_or_not() -> Iterator[None]:
    """A store that cannot be reached for a while does not end a run."""
    try:
        yield
    except StoreError as error:
        if error.trouble is not Trouble.UNREACHABLE:
            raise
        print(error, file=sys.stderr, flush=True)

"""What a training run leaves in its folder: its state, from which it goes on after a kill, and its events."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from training.checkpoints import write_whole

STATE = "state.safetensors"
EVENTS = "events.jsonl"


class RunError(Exception):
    """A run that cannot start or go on, in one plain sentence."""


class Average:
    """An exponential moving average of a network's weights; short at first: it forgets the random start."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.weights = {key: value.detach().clone() for key, value in network.state_dict().items()}

    def update(self, network: nn.Module, step: int) -> None:
        share = 1 - min(self.decay, (1 + step) / (10 + step))
        with torch.no_grad():
            for key, value in network.state_dict().items():
                if value.is_floating_point():
                    self.weights[key].lerp_(value, share)
                else:  # how many batches a norm has seen
                    self.weights[key].copy_(value)


@dataclass
class RunState:
    """Everything that changes while training. Randomness follows from seed and step: none is kept here.

    `measured` is AP by step, in order; `best` are the averaged weights of the best one; `seconds` those of
    all attempts together.
    """

    network: nn.Module
    average: Average
    optimizer: torch.optim.Optimizer
    step: int = 0
    measured: dict[int, float] = field(default_factory=dict)
    best: dict[str, Tensor] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def best_step(self) -> int:
        """The step of the best AP, the earliest of equals; without any, the last."""
        return max(self.measured, key=lambda step: self.measured[step], default=self.step)

    def measure(self, ap: float) -> None:
        """Notes the AP of the averaged weights as they are."""
        self.measured[self.step] = ap
        if self.best_step == self.step:
            self.best = {key: value.clone() for key, value in self.average.weights.items()}

    def save(self, folder: Path, fingerprint: str) -> None:
        """Writes the state whole or not at all."""
        tensors = {f"network/{key}": value for key, value in self.network.state_dict().items()}
        tensors |= {f"average/{key}": value for key, value in self.average.weights.items()}
        for number, kept in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer/{number}/{key}": torch.as_tensor(value) for key, value in kept.items()}
        tensors |= {f"best/{key}": value for key, value in self.best.items()}
        about = {
            "step": str(self.step),
            "fingerprint": fingerprint,
            "measured": json.dumps(list(self.measured.items())),
            "seconds": str(self.seconds),
        }
        content = {key: value.detach().cpu().contiguous() for key, value in tensors.items()}
        write_whole(folder / STATE, save(content, about))

    def resume(self, folder: Path, fingerprint: str) -> bool:
        """Goes back to the saved state, if there is one. Raises RunError when it is of another run."""
        path = folder / STATE
        if not path.exists():
            return False
        try:
            with safe_open(path, "pt") as file:
                about = file.metadata() or {}
                tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        except SafetensorError as error:
            raise RunError(f"The state in {folder.name} is torn; delete {STATE} to start anew.") from error
        if about.get("fingerprint") != fingerprint:
            raise RunError(
                f"{folder.name} holds a run with other options or another dataset; choose a new folder."
            )
        self._restore(tensors)
        self.step = int(about["step"])
        self.measured = {int(step): float(ap) for step, ap in json.loads(about.get("measured", "[]"))}
        self.seconds = float(about.get("seconds", 0))
        return True

    def _restore(self, tensors: Mapping[str, Tensor]) -> None:
        parts: dict[str, dict[str, Tensor]] = {
            part: {} for part in ("network", "average", "optimizer", "best")
        }
        for key, value in tensors.items():
            part, _, name = key.partition("/")
            parts[part][name] = value
        self.network.load_state_dict(parts["network"])
        for key, value in parts["average"].items():
            self.average.weights[key].copy_(value)
        self.best = parts["best"]
        state = self.optimizer.state_dict()
        for name, value in parts["optimizer"].items():
            number, _, key = name.partition("/")
            state["state"].setdefault(int(number), {})[key] = value
        self.optimizer.load_state_dict(state)


def say(folder: Path, event: Mapping[str, Any]) -> None:
    """Appends an event to the run's folder, one JSON object a line, and prints it."""
    line = json.dumps(event, allow_nan=False)
    with (folder / EVENTS).open("a", encoding="utf-8") as file:
        file.write(line + "\n")
    print(line, flush=True)

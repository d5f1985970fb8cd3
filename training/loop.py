"""The loop that trains, whoever asks for it and wherever its state goes."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import cv2
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from training.dataset import Labelled, Target, Views, numbered_seed
from training.detector import (
    LONGEST_SIDE,
    backbone_body,
    build_network,
    keep_norms,
    load_backbone,
    load_network,
)
from training.run_state import Average, RunError, RunState

Batch = tuple[list[Tensor], list[Target]]
#: How often a run says how it goes.
REPORT_STEPS = 10


class Journal(Protocol):
    """Where what a run says and saves goes."""

    def say(self, event: Mapping[str, Any]) -> None: ...

    def look(self, state: RunState) -> str | None:
        """Between any two steps: saves when it is time, and says why to end, or None to go on."""


@dataclass(frozen=True)
class Options:
    """What a run is. `start` are weights to go on from; else `backbone_weights` start the backbone."""

    dataset: tuple[Path, ...]
    out: Path
    seed: int = 1
    steps: int = 2000
    batch: int = 8
    rate: float = 4e-4
    backbone_share: float = 0.4
    warmup: int = 200
    decay: float = 0.999
    weight_decay: float = 1e-3
    frozen_blocks: int = 4
    architecture: str = "fasterrcnn_mobilenet_v2_fpn"
    longest_side: int = LONGEST_SIDE
    backbone_weights: str | None = None
    start: Path | None = None
    precision: str = "auto"
    device: str = "auto"
    threads: int | None = None
    workers: int = 1
    save_minutes: float = 3.0
    name: str = "checkpoint"

    def recipe(self) -> dict[str, Any]:
        """The options that decide the result; folders and files by their names only."""
        said = asdict(self)
        for key in ("out", "threads", "workers", "save_minutes", "device", "name"):
            del said[key]
        said["dataset"] = [folder.name for folder in self.dataset]
        said["start"] = self.start and self.start.name
        said["backbone_weights"] = self.backbone_weights and Path(self.backbone_weights).name
        return said


def pick_device(wanted: str, architecture: str) -> torch.device:
    """`auto` is cuda, mps for an SSDLite, else cpu: on mps the region pooling of Faster R-CNN fails or hangs.

    Raises RunError for a device that this machine does not have.
    """
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if wanted == "auto":
        small = there["mps"] and architecture.startswith("ssdlite")
        wanted = "cuda" if there["cuda"] else "mps" if small else "cpu"
    if not there.get(wanted, True):
        raise RunError(f"This machine has no {wanted}: choose another device, or auto.")
    return torch.device(wanted)


def begin(options: Options, device: torch.device) -> RunState:
    """A run before its first step. Raises RunError and CheckpointError."""
    torch.manual_seed(options.seed)
    if options.start:
        card, network = load_network(options.start, longest_side=options.longest_side)
        if card.architecture != options.architecture:
            raise RunError(f"{options.start.name} is a {card.architecture}, not a {options.architecture}.")
    else:
        network = build_network(options.architecture, longest_side=options.longest_side)
        if options.backbone_weights:
            load_backbone(network, options.backbone_weights)
    for block in list(backbone_body(network).children())[: options.frozen_blocks]:
        # Edges and textures: what rendered pictures teach here, real ones would have to unlearn.
        block.requires_grad_(False)
    network.to(device).to(memory_format=torch.channels_last).train()
    if options.start or options.backbone_weights:
        keep_norms(network)
    return RunState(network, Average(network, options.decay), _optimizer(network, options))


def _optimizer(network: nn.Module, options: Options) -> torch.optim.Optimizer:
    body = [weight for weight in backbone_body(network).parameters() if weight.requires_grad]
    known = {id(weight) for weight in body}
    rest = [weight for weight in network.parameters() if weight.requires_grad and id(weight) not in known]
    groups = [{"params": body, "share": options.backbone_share}, {"params": rest, "share": 1.0}]
    return torch.optim.AdamW(groups, lr=options.rate, weight_decay=options.weight_decay)


def batches_from(labelled: list[Labelled], options: Options, step: int) -> Iterator[Batch]:
    """The batches of a run from a step on; the same from wherever it goes on."""
    length = options.steps * options.batch
    views = Views(labelled, longest_side=options.longest_side, seed=options.seed, length=length)
    loader: DataLoader[Any] = DataLoader(
        views,
        batch_size=options.batch,
        sampler=range(step * options.batch, length),
        num_workers=options.workers,
        collate_fn=_collate,
        worker_init_fn=_quiet_worker,
        prefetch_factor=4 if options.workers else None,
    )
    return iter(loader)


def _collate(samples: list[tuple[Tensor, Target]]) -> Batch:
    return [picture for picture, _ in samples], [target for _, target in samples]


def _quiet_worker(_: int) -> None:
    cv2.setNumThreads(1)
    torch.set_num_threads(1)


def rate_at(step: int, options: Options) -> float:
    """Linear warm-up, then half a cosine down to 1 % of the rate."""
    if step < options.warmup:
        return options.rate * (step + 1) / options.warmup
    done = (step - options.warmup) / max(1, options.steps - options.warmup)
    return options.rate * (0.01 + 0.99 * (1 + math.cos(math.pi * done)) / 2)


def run(state: RunState, options: Options, batches: Iterator[Batch], journal: Journal) -> str | None:
    """Trains to the last step (None), or until the journal says why to end.

    Raises RunError, and whatever the journal raises to stop.
    """
    started, first, recent = time.monotonic(), state.step, []
    while True:
        if why := journal.look(state):
            return why
        if state.step >= options.steps:
            return None
        losses = take_step(state, options, next(batches))
        recent.append(losses)
        if state.step % REPORT_STEPS == 0 or state.step == options.steps:
            pace = (time.monotonic() - started) / (state.step - first)
            means = {key: round(sum(one[key] for one in recent) / len(recent), 4) for key in losses}
            left = round(pace * (options.steps - state.step))
            journal.say(
                {"event": "step", "step": state.step, **means, "eta_s": left, "pace_s": round(pace, 3)}
            )
            recent = []


def take_step(state: RunState, options: Options, batch: Batch) -> dict[str, float]:
    """One batch learned; its losses. Raises RunError for one that is not a number."""
    torch.manual_seed(numbered_seed(options.seed + 1, state.step))
    for group in state.optimizer.param_groups:
        group["lr"] = rate_at(state.step, options) * group["share"]
    weight = next(state.network.parameters())
    pictures = [picture.to(weight.device).float() / 255 for picture in batch[0]]
    targets = [{key: value.to(weight.device) for key, value in target.items()} for target in batch[1]]
    half = options.precision == "bfloat16" or (options.precision == "auto" and weight.device.type == "cuda")
    with torch.autocast(weight.device.type, dtype=torch.bfloat16, enabled=half):
        losses: dict[str, Tensor] = state.network(pictures, targets)
    total = torch.stack([loss.float() for loss in losses.values()]).sum()
    if not torch.isfinite(total):
        raise RunError(f"The loss at step {state.step} is not a number: try a lower --rate.")
    state.optimizer.zero_grad()
    total.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(state.network.parameters(), 5.0)
    state.optimizer.step()
    state.step += 1
    state.average.update(state.network, state.step)
    return {"loss": total.item()} | {key.removeprefix("loss_"): loss.item() for key, loss in losses.items()}

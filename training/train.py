"""Trains a detector: `python -m training.train --dataset DIR --out RUN_DIR --seed 1 --steps 2000`.

Started again with the same options after a kill, it goes on where it was saved last.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import torch
from torch import Tensor
from torch.utils.data import DataLoader
from torchvision.models.detection import FasterRCNN

from training.checkpoints import CheckpointError, write_checkpoint
from training.coco import CocoError
from training.dataset import Labelled, Target, Views, numbered_seed, read_folders
from training.detector import BUILDERS, LONGEST_SIDE, as_arrays, build_network, load_backbone, load_network
from training.run_state import Average, RunError, RunState, say

Batch = tuple[list[Tensor], list[Target]]
CHECKPOINT = "checkpoint.safetensors"
#: How often a run says how it goes.
REPORT_STEPS = 10


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


def pick_device(wanted: str) -> torch.device:
    """`auto` is cuda, else cpu: on Apple's mps the region pooling of Faster R-CNN fails or hangs."""
    if wanted == "auto":
        wanted = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(wanted)


def train(options: Options) -> Path:
    """Trains to the end, or on to it; returns the checkpoint's path.

    Raises RunError, CocoError or CheckpointError, each with one plain sentence.
    """
    if options.threads:
        torch.set_num_threads(options.threads)
    options.out.mkdir(parents=True, exist_ok=True)
    labelled = read_folders(options.dataset)
    device = pick_device(options.device)
    state = _start(options, device)
    fingerprint = _fingerprint(options, labelled)
    resumed = state.resume(options.out, fingerprint)
    say(options.out, {"event": "started", "step": state.step, "pictures": len(labelled), "resumed": resumed})
    _run(state, options, _batches(labelled, options, state.step), fingerprint)
    return export(state, options)


def _start(options: Options, device: torch.device) -> RunState:
    torch.manual_seed(options.seed)
    if options.start:
        card, network = load_network(options.start, longest_side=options.longest_side)
        if card.architecture != options.architecture:
            raise RunError(f"{options.start.name} is a {card.architecture}, not a {options.architecture}.")
    else:
        network = build_network(options.architecture, longest_side=options.longest_side)
        if options.backbone_weights:
            load_backbone(network, options.backbone_weights)
    for number in range(options.frozen_blocks):
        # Edges and textures: what rendered pictures teach here, real ones would have to unlearn.
        network.backbone.body[str(number)].requires_grad_(False)
    network.to(device, memory_format=torch.channels_last).train()
    return RunState(network, Average(network, options.decay), _optimizer(network, options))


def _optimizer(network: FasterRCNN, options: Options) -> torch.optim.Optimizer:
    body = [weight for weight in network.backbone.body.parameters() if weight.requires_grad]
    known = {id(weight) for weight in body}
    rest = [weight for weight in network.parameters() if weight.requires_grad and id(weight) not in known]
    groups = [{"params": body, "share": options.backbone_share}, {"params": rest, "share": 1.0}]
    return torch.optim.AdamW(groups, lr=options.rate, weight_decay=options.weight_decay)


def _fingerprint(options: Options, labelled: list[Labelled]) -> str:
    said = [options.recipe(), [(str(one.path), len(one.boxes)) for one in labelled]]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _batches(labelled: list[Labelled], options: Options, step: int) -> Iterator[Batch]:
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


def _run(state: RunState, options: Options, batches: Iterator[Batch], fingerprint: str) -> None:
    started, first, saved, recent = time.monotonic(), state.step, time.monotonic(), []
    for batch in batches:
        losses = _step(state, options, batch)
        recent.append(losses)
        if state.step % REPORT_STEPS == 0 or state.step == options.steps:
            pace = (time.monotonic() - started) / (state.step - first)
            means = {key: round(sum(one[key] for one in recent) / len(recent), 4) for key in losses}
            left = round(pace * (options.steps - state.step))
            say(
                options.out,
                {"event": "step", "step": state.step, **means, "eta_s": left, "pace_s": round(pace, 3)},
            )
            recent = []
        if time.monotonic() - saved > options.save_minutes * 60:
            state.save(options.out, fingerprint)
            export(state, options)
            saved = time.monotonic()
    state.save(options.out, fingerprint)


def _step(state: RunState, options: Options, batch: Batch) -> dict[str, float]:
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


def export(state: RunState, options: Options) -> Path:
    """Writes the averaged weights so far as a checkpoint with its card."""
    path = options.out / CHECKPOINT
    write_checkpoint(
        path,
        as_arrays(state.average.weights),
        name=options.name,
        architecture=options.architecture,
        longest_side=options.longest_side,
        recipe={**options.recipe(), "steps_done": state.step},
    )
    return path


def _options(arguments: list[str] | None) -> Options:
    parser = argparse.ArgumentParser(prog="python -m training.train", description=__doc__)
    parser.add_argument("--dataset", nargs="+", type=Path, required=True, help="folders of COCO and pictures")
    parser.add_argument("--out", type=Path, required=True, help="the run's folder")
    parser.add_argument("--architecture", choices=sorted(BUILDERS), default=Options.architecture)
    parser.add_argument("--precision", choices=("auto", "float32", "bfloat16"), default="auto")
    parser.add_argument("--backbone-weights", help="a safetensors file, or the name of torchvision weights")
    parser.add_argument("--start", type=Path, help="a checkpoint to go on from")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--name", default=Options.name, help="the checkpoint's name")
    parser.add_argument("--threads", type=int)
    for key in ("seed", "steps", "batch", "warmup", "frozen_blocks", "longest_side", "workers"):
        parser.add_argument(f"--{key.replace('_', '-')}", type=int, default=getattr(Options, key))
    for key in ("rate", "backbone_share", "decay", "weight_decay", "save_minutes"):
        parser.add_argument(f"--{key.replace('_', '-')}", type=float, default=getattr(Options, key))
    read = vars(parser.parse_args(arguments))
    return Options(**{**read, "dataset": tuple(read["dataset"])})


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 when trained to the end, 1 when it cannot."""
    try:
        print(train(_options(arguments)))
    except (RunError, CocoError, CheckpointError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

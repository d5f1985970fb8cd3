"""Trains a detector: `python -m training.train --dataset DIR --out RUN_DIR --seed 1 --steps 2000`.

Started again with the same options after a kill, it goes on where it was saved last. Or trains a run of
the platform: `python -m training.train RUN_URL` (training.retrain, docs/runs.md).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from training.checkpoints import CheckpointError, write_checkpoint
from training.coco import CocoError
from training.dataset import Labelled, read_folders
from training.detector import BUILDERS, as_arrays
from training.loop import Options, batches_from, begin, pick_device, run
from training.run_state import RunError, RunState, say

CHECKPOINT = "checkpoint.safetensors"


class LocalJournal:
    """A run in a folder: its events, its state, and the checkpoint so far."""

    def __init__(self, options: Options, fingerprint: str) -> None:
        self.options = options
        self.fingerprint = fingerprint
        self._saved = time.monotonic()

    def say(self, event: Mapping[str, Any]) -> None:
        say(self.options.out, event)

    def look(self, state: RunState) -> str | None:
        if state.step and time.monotonic() - self._saved > self.options.save_minutes * 60:
            self.save(state)
            export(state, self.options)
        return None

    def save(self, state: RunState) -> None:
        state.save(self.options.out, self.fingerprint)
        self._saved = time.monotonic()


def train(options: Options) -> Path:
    """Trains to the end, or on to it; returns the checkpoint's path.

    Raises RunError, CocoError or CheckpointError, each with one plain sentence.
    """
    if options.threads:
        torch.set_num_threads(options.threads)
    options.out.mkdir(parents=True, exist_ok=True)
    labelled = read_folders(options.dataset)
    state = begin(options, pick_device(options.device, options.architecture))
    journal = LocalJournal(options, _fingerprint(options, labelled))
    resumed = state.resume(options.out, journal.fingerprint)
    journal.say({"event": "started", "step": state.step, "pictures": len(labelled), "resumed": resumed})
    run(state, options, batches_from(labelled, options, state.step), journal)
    journal.save(state)
    return export(state, options)


def _fingerprint(options: Options, labelled: list[Labelled]) -> str:
    said = [options.recipe(), [(str(one.path), len(one.boxes)) for one in labelled]]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


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
    """Exit code 0 when trained to the end, 1 when it cannot; of a RUN_URL those of `training.retrain`."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if any("://" in word for word in arguments[:1]):
        from training.retrain import main as retrain

        return retrain(arguments)
    try:
        print(train(_options(arguments)))
    except (RunError, CocoError, CheckpointError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""A run of the platform: `python -m training.train RUN_URL [--work DIR]`, on file:// or s3:// (docs/runs.md).

Fetches what the run's spec.json names, trains, and leaves events, checkpoint and report in the run's folder.
Killed and started again, anywhere, it goes on to the same weights.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from training.checkpoints import CheckpointError, card_path, write_checkpoint
from training.coco import CocoError
from training.contract import CheckpointAt, ContractError, Ended, RunReport, RunSpec, read_spec
from training.dataset import labelled_pictures
from training.detector import BUILDERS, as_arrays
from training.evaluate import all_numbers, detect_all
from training.frozen import TRAIN, VALIDATION, fetch_dataset
from training.inference import load_detector
from training.loop import Options, batches_from, begin, pick_device, run
from training.run_folder import SPEC, RunFolder, SupersededError
from training.run_state import STATE, RunError, RunState
from training.store import Store, StoreError, Trouble, open_store
from training.stored_journal import (
    InterruptedRunError,
    Stopping,
    StoredJournal,
    Validation,
    stop_signals,
)

#: Exit codes. Whatever is INTERRUPTED goes on when started again; SUPERSEDED is another's now.
DONE, FAILED, SUPERSEDED, INTERRUPTED = 0, 1, 3, 75
#: What speaks against the run itself, so that starting it again would not help.
FAULTS = (RunError, CocoError, CheckpointError, ContractError, torch.OutOfMemoryError)


@dataclass(frozen=True)
class Machine:
    """What is this machine's, and not the run's."""

    work: Path
    threads: int | None = None
    workers: int = 1


def retrain(url: str, machine: Machine) -> RunReport:
    """Does the run at `url`, or goes on with it; returns its report, which is in its folder.

    Raises ContractError without a readable spec, InterruptedRunError, SupersededError and StoreError, after
    all of which the run can be started again.
    """
    store = open_store(url)
    spec = read_spec(_spec(store))
    folder = RunFolder(store, spec.token)
    folder.take()
    if report := folder.report():
        return report
    with stop_signals() as stopping:
        try:
            report = _train(spec, folder, machine, stopping)
        except FAULTS as error:
            report = _failed(spec, error)
        except StoreError as error:
            if error.trouble is not Trouble.NAME:
                raise
            report = _failed(spec, error)
        folder.say({"event": "ended", "ended": report.ended, "sentence": report.sentence}, now=True)
        folder.flush()
        return folder.end(report)


def _spec(store: Store) -> bytes:
    try:
        return store.get(SPEC)
    except StoreError as error:
        if error.trouble is Trouble.MISSING:
            raise ContractError(f"There is no {SPEC} at {store.url}: nothing says what to train.") from error
        raise


def _failed(spec: RunSpec, error: Exception) -> RunReport:
    sentence = str(error)
    if isinstance(error, torch.OutOfMemoryError):
        sentence = f"Batches of {spec.batch} pictures do not fit into the device's memory: choose fewer."
    return RunReport(
        spec.run, spec.token, Ended.FAILED, sentence, spec.dataset.sha256, architecture=spec.architecture
    )


def _train(spec: RunSpec, folder: RunFolder, machine: Machine, stopping: Stopping) -> RunReport:
    if spec.architecture not in BUILDERS:
        raise CheckpointError(
            f"The architecture {spec.architecture} is unknown; known are {', '.join(sorted(BUILDERS))}."
        )
    if machine.threads:
        torch.set_num_threads(machine.threads)
    device = pick_device(spec.device, spec.architecture)
    pictures = machine.work / "dataset"
    wanted = (TRAIN,) if spec.measure_every == 0 else (TRAIN, VALIDATION)
    sides = fetch_dataset(spec.dataset, pictures, splits=wanted, going_on=stopping.check)
    labelled = labelled_pictures(sides[TRAIN], pictures)
    if not labelled:
        raise CocoError("The dataset has no pictures to train on.")
    options = _options(spec, machine, steps=spec.steps_for(len(labelled)))
    truth = sides.get(VALIDATION)
    if truth and not any(not box.ignore for box in truth.boxes):
        raise CocoError("The validation split of the dataset has no slates, so AP cannot be measured.")
    state = begin(options, device)
    validation = Validation(truth, pictures, options, device) if truth else None
    journal = StoredJournal(folder, spec, options, _fingerprint(spec), stopping, validation)
    resumed = _resume(state, journal)
    folder.say(
        {
            "event": "started",
            "step": state.step,
            "steps": options.steps,
            "pictures": len(labelled),
            "resumed": resumed,
            "device": _device_name(device),
        },
        now=True,
    )
    ended = run(state, options, batches_from(labelled, options, state.step), journal) or Ended.STEPS
    journal.save(state)
    stopping.check()
    return _finish(state, journal, ended=Ended(ended), device=device)


def _options(spec: RunSpec, machine: Machine, *, steps: int) -> Options:
    out = machine.work / "run"
    out.mkdir(parents=True, exist_ok=True)
    return Options(
        dataset=(),
        out=out,
        seed=spec.seed,
        steps=steps,
        batch=spec.batch,
        rate=spec.rate,
        warmup=min(Options.warmup, max(1, steps // 10)),
        architecture=spec.architecture,
        longest_side=spec.longest_side,
        backbone_weights=spec.weights,
        start=_fetch_start(spec.start, machine.work / "start") if spec.start else None,
        precision=spec.precision,
        workers=machine.workers,
        name=spec.run,
    )


def _fetch_start(start: CheckpointAt, folder: Path) -> Path:
    """The checkpoint to start from, of the sha256 that the spec names; `load_network` reads its card."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{start.sha256}.safetensors"
    store = open_store(start.url)
    try:
        for here in (path, card_path(path)):
            store.download(here.name, here)
    except StoreError as error:
        if error.trouble is Trouble.MISSING:
            raise CheckpointError(f"The checkpoint to start from is not there: {error}") from error
        raise
    if hashlib.sha256(path.read_bytes()).hexdigest() != start.sha256:
        raise CheckpointError(
            "The checkpoint to start from is not the one that the run names (sha256 differs)."
        )
    return path


def _fingerprint(spec: RunSpec) -> str:
    return hashlib.sha256(json.dumps(spec.recipe(), sort_keys=True).encode()).hexdigest()


def _resume(state: RunState, journal: StoredJournal) -> bool:
    try:
        journal.folder.store.download(STATE, journal.options.out / STATE)
    except StoreError as error:
        if error.trouble is Trouble.MISSING:
            (journal.options.out / STATE).unlink(missing_ok=True)
            return False
        raise
    return state.resume(journal.options.out, journal.fingerprint)


def _device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


def _finish(state: RunState, journal: StoredJournal, *, ended: Ended, device: torch.device) -> RunReport:
    """Measures the best weights as they are stored, and puts them into the run's folder."""
    spec, path = journal.spec, journal.options.out / "checkpoint.safetensors"
    best = state.best_step if state.best else state.step
    about: dict[str, Any] = {
        "name": spec.run,
        "architecture": spec.architecture,
        "longest_side": spec.longest_side,
        "recipe": {**spec.recipe(), "steps_done": best},
    }
    arrays = as_arrays(state.best or state.average.weights)
    card = write_checkpoint(path, arrays, **about)
    numbers: dict[str, float] = {}
    if side := journal.validation:
        numbers = all_numbers(
            side.truth, detect_all(load_detector(path, device.type), side.truth, side.pictures)
        )
        card = write_checkpoint(path, arrays, numbers={VALIDATION: numbers}, **about)
    # The weights are there before anything names them.
    journal.folder.put_new(f"checkpoints/{card.sha256}.safetensors", path)
    journal.folder.put_new(f"checkpoints/{card.sha256}.json", card_path(path))
    return RunReport(
        run=spec.run,
        token=spec.token,
        ended=ended,
        sentence=_sentence(state, ended, best),
        dataset=spec.dataset.sha256,
        architecture=spec.architecture,
        checkpoint=card.sha256,
        numbers=numbers,
        step=state.step,
        best_step=best,
        seconds=round(state.seconds, 1),
        device=_device_name(device),
    )


def _sentence(state: RunState, ended: Ended, best: int) -> str:
    why = {
        Ended.STEPS: f"Trained to the last step, {state.step}",
        Ended.TIME: f"The time was up at step {state.step}",
        Ended.NO_BETTER: f"AP got no better after step {best}, so it ended at step {state.step}",
    }[ended]
    return f"{why}; AP {state.measured[best]:.3f} at step {best}." if state.best else f"{why}."


def main(arguments: list[str]) -> int:
    """Exit code 0 when it ended with a checkpoint, 1 when it failed, 3 when it is another's, 75 to go on."""
    parser = argparse.ArgumentParser(prog="python -m training.train", description=__doc__)
    parser.add_argument("run", help="the run's folder: file:///a/folder or s3://bucket/prefix")
    parser.add_argument("--work", type=Path, help="keeps the fetched dataset; without it, a temporary folder")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--workers", type=int, default=1, help="processes that read pictures")
    chosen = parser.parse_args(arguments)
    try:
        with tempfile.TemporaryDirectory(prefix="secondsticks-run-") as folder:
            report = retrain(chosen.run, Machine(chosen.work or Path(folder), chosen.threads, chosen.workers))
    except SupersededError as error:
        print(error, file=sys.stderr)
        return SUPERSEDED
    except (InterruptedRunError, StoreError) as error:
        print(error, file=sys.stderr)
        wrong = isinstance(error, StoreError) and error.trouble is Trouble.NAME
        return FAILED if wrong else INTERRUPTED
    except ContractError as error:
        print(error, file=sys.stderr)
        return FAILED
    print(report.sentence, file=sys.stderr if report.ended == Ended.FAILED else sys.stdout)
    return FAILED if report.ended == Ended.FAILED else DONE

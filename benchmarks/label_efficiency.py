"""What a label is worth, by how its frame was chosen: python benchmarks/label_efficiency.py --work DIR

A weak detector (trained on a few stills) scans rendered clips; a strategy chooses frames, the truth labels
them, a detector is trained on them from the same start with the same steps, and measured on other clips. Half
way it scans the pool again. Within a seed, all strategies share the start, the clips, and the seeds of
training. The report is written after every round, and --work keeps what is done: a broken run goes on where
it stopped. One core is enough: OMP_WAIT_POLICY=PASSIVE OMP_NUM_THREADS=1 nice python benchmarks/...
"""

from __future__ import annotations

import argparse
import json
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from label_curves import plot, summary
from label_takes import Key, Quick, Takes, candidates, dataset

from training.checkpoints import write_whole
from training.coco import CocoSet
from training.evaluate import coco_numbers
from training.inference import load_detector
from training.render.scenes import Backgrounds
from training.render.sets import draw_still, write_set
from training.train import Options, train
from training.uncertainty import Candidates, Chosen, Strategy, choose

RESULT = Path(__file__).parent / "results" / "label_efficiency.json"
SIDE = 224
BY_CHANCE = ("random", "one per clip")
#: The pool is scanned again by the new detector before this batch, as after a promotion.
RESCANNED = 2
#: Blocks of the backbone that learn nothing from the labels: cheaper steps, and more of them.
FROZEN = 14
FIRST_POOL, FIRST_TEST = 2_000_000, 3_000_000  # seeds of takes, apart from each other's and from training's
#: What `choose` is told, by the name in the report.
STRATEGIES: dict[str, dict[str, Any]] = {
    "diverse": {"strategy": Strategy.DIVERSE},
    "one per clip": {"strategy": Strategy.ONE_PER_CLIP},
    "uncertain": {"strategy": Strategy.UNCERTAIN, "random_share": 0.0},
    "random": {"strategy": Strategy.RANDOM},
}


@dataclass(frozen=True)
class Amounts:
    """How much of everything."""

    seeds: int = 3
    counts: tuple[int, ...] = (16, 40, 100)
    clips: int = 40
    test_clips: int = 60
    stills: int = 32
    start_steps: int = 200
    steps: int = 130
    batch: int = 6


class Test:
    """Frames of clips that are in no pool: of each two by chance and one within four frames of its clap."""

    def __init__(self, takes: Takes) -> None:
        keys: set[Key] = set()
        near: set[Key] = set()
        for name in takes.names:
            shot, rng = takes.shot(name), np.random.default_rng(int(name))
            keys |= {(name, int(frame)) for frame in rng.choice(shot.frames, 2, replace=False)}
            if shot.claps:
                frame = int(np.clip(shot.claps[0] + rng.integers(-4, 5), 0, shot.frames - 1))
                near.add((name, frame))
        ordered = sorted(keys | near)
        self.truth = takes.labelled(ordered)
        self._pictures = [takes.picture(key) for key in ordered]
        self._near = {number for number, key in enumerate(ordered, 1) if key in near}

    def numbers(self, detector: Quick) -> dict[str, float]:
        """AP over all frames, and over those near a clap alone."""
        found = {n: detector.detect([picture])[0] for n, picture in enumerate(self._pictures, 1)}
        images = tuple(image for image in self.truth.images if image.id in self._near)
        part = CocoSet(images, tuple(box for box in self.truth.boxes if box.image_id in self._near))
        whole = coco_numbers(self.truth, found)
        near = coco_numbers(part, {number: found[number] for number in self._near})
        numbers = {"AP": whole["AP"], "AP50": whole["AP50"], "AP_near_clap": near["AP"]}
        return {name: round(value, 4) for name, value in numbers.items()}


class Run:
    """One seed: its start, its pool of clips, and one strategy after the other."""

    def __init__(self, seed: int, work: Path, photographs: Path | None, amounts: Amounts, test: Test) -> None:
        self._seed, self._amounts, self._test = seed, amounts, test
        self._work = work / f"seed{seed}"
        self._takes = Takes(FIRST_POOL + 10_000 * seed, amounts.clips, Backgrounds(photographs))
        self._stills = self._work / "stills"
        self._seen: list[Candidates] = []
        for _ in write_set(
            self._stills, count=amounts.stills, seed=7000 + seed, size=(320, 180), backgrounds=photographs,
            draw=draw_still,
        ):  # fmt: skip
            pass

    def start(self, backbone: str | None) -> Path:
        """The weak detector that all strategies start from."""
        return self._trained("start", [self._stills], self._amounts.start_steps, backbone_weights=backbone)

    def rounds(self, strategy: str, start: Path) -> Iterator[dict[str, Any]]:
        """More and more labels chosen by a strategy; yields what each number of them came to."""
        labelled: list[Key] = []
        checkpoint, pool = start, self._first_pool(strategy, start)
        for number, count in enumerate(self._amounts.counts):
            if number == RESCANNED:
                pool = self._scanned(strategy, checkpoint)
            began = time.process_time()
            hashed = [self._with_hashes(one, labelled) for one in pool]
            batch = batch_of(hashed, count, labelled, seed=self._seed, **STRATEGIES[strategy])
            labelled += [one.key for one in batch]
            folder = dataset(self._takes, labelled, self._work / "labels" / strategy / str(count))
            # The steps begin at the start's weights each time: what differs is the labels alone.
            out = f"{strategy.replace(' ', '-')}-{count}"
            folders = [self._stills, folder]
            checkpoint = self._trained(out, folders, self._amounts.steps, start=start, frozen_blocks=FROZEN)
            truth = self._takes.labelled(labelled)
            yield {
                "seed": self._seed,
                "strategy": strategy,
                "labels": len(labelled),
                **self._test.numbers(quick(checkpoint)),
                "clips": len({clip for clip, _ in labelled}),
                "with_slate": len(truth.boxes),
                "closed": sum(box.state == "closed" for box in truth.boxes),
                "by_chance": sum(one.why == "random" for one in batch),
                "cpu_seconds": round(time.process_time() - began),
            }

    def _first_pool(self, strategy: str, start: Path) -> list[Candidates]:
        """What the start's scan offers, the same to all strategies that ask for a scan."""
        if strategy in BY_CHANCE:
            return self._scanned(strategy, start)
        self._seen = self._seen or self._scanned(strategy, start)
        return self._seen

    def _scanned(self, strategy: str, checkpoint: Path) -> list[Candidates]:
        """What the pool offers; strategies of chance need no scan."""
        if strategy in BY_CHANCE:
            return [Candidates(name, self._takes.shot(name).frames, ()) for name in self._takes.names]
        detector = quick(checkpoint)
        return [candidates(self._takes, name, detector) for name in self._takes.names]

    def _with_hashes(self, one: Candidates, labelled: Sequence[Key]) -> Candidates:
        """Hashes of the labelled frames too, by the boxes that people drew."""
        mine = [frame for clip, frame in labelled if clip == one.clip]
        return replace(one, hashes={**one.hashes, **{f: self._takes.hash_of((one.clip, f)) for f in mine}})

    def _trained(self, name: str, folders: Sequence[Path], steps: int, **how: Any) -> Path:
        out = self._work / name
        checkpoint = train(
            Options(
                dataset=tuple(folders), out=out, seed=self._seed, steps=steps, batch=self._amounts.batch,
                warmup=10, decay=0.98, longest_side=SIDE, precision="bfloat16", threads=1, workers=0, **how,
            )
        )  # fmt: skip
        (out / "state.safetensors").unlink(missing_ok=True)  # 30 MB for each run
        return checkpoint


def batch_of(
    pool: Sequence[Candidates], count: int, labelled: Sequence[Key], *, seed: int, **how: Any
) -> list[Chosen]:
    """What brings the labels to `count`: one batch, and the next ones where one is too small."""
    batch: list[Chosen] = []
    while size := count - len(labelled) - len(batch):
        taken = [*labelled, *(one.key for one in batch)]
        more = choose(pool, size=size, seed=seed + len(batch), taken=taken, **how)
        if not more:
            raise SystemExit(f"The pool has no {count} frames worth asking about: try more --clips.")
        batch += more
    return batch


def quick(checkpoint: Path) -> Quick:
    return Quick(load_detector(checkpoint, threads=1))


def measure(
    result: Path, work: Path, photographs: Path | None, backbone: str | None, amounts: Amounts
) -> None:
    test = Test(Takes(FIRST_TEST, amounts.test_clips, Backgrounds(photographs)))
    done = Done(work / "rounds.json", result, amounts)
    for seed in range(1, amounts.seeds + 1):
        run = Run(seed, work, photographs, amounts, test)
        start = work / f"seed{seed}" / "start" / "checkpoint.safetensors"
        if not done.has(seed, "start"):
            start = run.start(backbone)
            done.add([{"seed": seed, "strategy": "start", "labels": 0, **test.numbers(quick(start))}])
        for strategy in STRATEGIES:
            if not done.has(seed, strategy):
                done.add_as_they_come(run.rounds(strategy, start))
                shutil.rmtree(work / f"seed{seed}" / "labels" / strategy, ignore_errors=True)
    done.report()


class Done:
    """The rounds so far, kept in a file; a strategy that was broken off begins anew."""

    def __init__(self, path: Path, result: Path, amounts: Amounts) -> None:
        self._path, self._result, self._amounts = path, result, amounts
        path.parent.mkdir(parents=True, exist_ok=True)
        self.rounds: list[dict[str, Any]] = json.loads(path.read_text()) if path.exists() else []

    def has(self, seed: int, strategy: str) -> bool:
        most = 0 if strategy == "start" else self._amounts.counts[-1]
        mine = [one for one in self.rounds if (one["seed"], one["strategy"]) == (seed, strategy)]
        if any(one["labels"] == most for one in mine):
            return True
        self.rounds = [one for one in self.rounds if one not in mine]
        return False

    def add_as_they_come(self, rounds: Iterator[dict[str, Any]]) -> None:
        for one in rounds:
            self.add([one])

    def add(self, rounds: list[dict[str, Any]]) -> None:
        self.rounds += rounds
        print(json.dumps(rounds[-1]), flush=True)
        write_whole(self._path, json.dumps(self.rounds).encode())
        self.report()

    def report(self) -> None:
        measured = {name: summary(self.rounds, measure=name) for name in ("AP", "AP_near_clap")}
        report = {"amounts": asdict(self._amounts), **measured, "rounds": self.rounds}
        self._result.parent.mkdir(exist_ok=True)
        self._result.write_text(json.dumps(report, indent=1) + "\n")
        self._result.with_suffix(".svg").write_text(plot(self.rounds))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--result", type=Path, default=RESULT, help="where the report goes")
    parser.add_argument("--work", type=Path, required=True, help="a folder that keeps what is done")
    parser.add_argument("--backgrounds", type=Path, help="a folder of photographs without slates")
    parser.add_argument("--backbone-weights", help="a safetensors file, or the name of torchvision weights")
    for name in ("seeds", "clips", "test_clips", "stills", "start_steps", "steps", "batch"):
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=getattr(Amounts, name))
    parser.add_argument("--counts", type=int, nargs="+", default=Amounts.counts, help="numbers of labels")
    chosen = vars(parser.parse_args())
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    places = [chosen.pop(name) for name in ("result", "work", "backgrounds", "backbone_weights")]
    measure(*places, Amounts(**{**chosen, "counts": tuple(chosen["counts"])}))


if __name__ == "__main__":
    main()

"""Rendered clips without files: what a scan of them offers, and what a person would say of their frames."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import torch

from training.claps.claps import read_claps
from training.claps.tracks import follow
from training.coco import CocoBox, CocoImage, CocoSet, write_coco
from training.footage.footage import Frame
from training.inference import Detector
from training.render.scenes import Backgrounds
from training.render.shots import Shot, choose_shot
from training.search import Search
from training.slates import Detection
from training.uncertainty import Candidates, Look, frames_worth_asking
from training.uncertainty.pictures import picture_hash

RATE, SECONDS, SIZE = Fraction(24), 4.0, (320, 180)
KINDS = ("head", "tail", "head", "second_sticks", "mos", "head", "late", "no_slate")
Key = tuple[str, int]


class Takes:
    """Rendered clips by name, each frame drawn when it is needed."""

    def __init__(self, first: int, count: int, backgrounds: Backgrounds) -> None:
        self.names = [str(first + number) for number in range(count)]
        self._first, self._backgrounds = first, backgrounds

    @lru_cache(maxsize=16)  # noqa: B019 lives as long as the run
    def shot(self, name: str) -> Shot:
        seed = int(name)
        return choose_shot(
            KINDS[seed % len(KINDS)],
            rate=RATE,
            size=SIZE,
            seconds=SECONDS,
            seed=seed,
            backgrounds=self._backgrounds,
            clean=seed % 3 > 0,
        )

    def picture(self, key: Key) -> np.ndarray:
        picture, _ = self.shot(key[0]).frame(key[1])
        return compressed(picture)

    def hash_of(self, key: Key) -> int:
        """By the slate that is there."""
        slate = self.shot(key[0]).truth(key[1])
        return picture_hash(self.picture(key), slate and slate.box)

    def labelled(self, keys: Sequence[Key]) -> CocoSet:
        """The truth about frames, as a person would label it; image ids count from 1."""
        images, boxes = [], []
        for number, (name, frame) in enumerate(keys, 1):
            images.append(CocoImage(number, f"{name}-{frame:04d}.jpg", *SIZE))
            if (slate := self.shot(name).truth(frame)) is not None:
                boxes.append(CocoBox(number, number, slate.box, slate.state, slate.ignore))
        return CocoSet(tuple(images), tuple(boxes))


def compressed(picture: np.ndarray) -> np.ndarray:
    _, stored = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])
    return np.ascontiguousarray(cv2.imdecode(stored, cv2.IMREAD_COLOR)[..., ::-1])


class Quick:
    """A detector in half precision: less time for each look."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector

    def detect(self, pictures: Sequence[np.ndarray]) -> list[list[Detection]]:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return self._detector.detect(pictures)


class Reel:
    """A take as a scan's search reads it: all its frames at hand, none decoded."""

    def __init__(self, takes: Takes, name: str) -> None:
        self._takes, self._name = takes, name
        count = takes.shot(name).frames
        self.facts = SimpleNamespace(
            frames=count, rate=RATE, duration=Fraction(count) / RATE, width=SIZE[0], height=SIZE[1]
        )

    def sample(self, step: Fraction) -> Iterator[Frame]:
        last = self.facts.frames - 1
        for number in sorted({*range(0, last, int(step * RATE)), last}):
            yield from self.frames(number, number)

    def frames(self, first: int, last: int) -> Iterator[Frame]:
        for number in range(first, last + 1):
            yield Frame(number, number, number / RATE, self._takes.picture((self._name, number)))


def candidates(takes: Takes, name: str, detector: Quick) -> Candidates:
    """What a scan of one clip offers, with hashes."""
    reel = Reel(takes, name)
    search = Search(reel, detector, lambda _: None)  # type: ignore[arg-type]
    search.run()
    seen = [search.looks[frame] for frame in sorted(search.looks)]
    looks = [Look(look.frame, float(look.seconds), look.detections) for look in seen]
    sightings = follow([(look.frame, look.detections) for look in looks], rate=RATE).sightings
    claps = [clap.frame for clap in read_claps(sightings, rate=RATE).claps]
    worths = frames_worth_asking(looks, claps=claps, heard=(), rate=RATE, frames=reel.facts.frames)
    boxes = {one.frame: one.box for one in sightings}
    hashes = {
        worth.frame: picture_hash(takes.picture((name, worth.frame)), boxes.get(worth.frame))
        for worth in worths
    }
    return Candidates(name, reel.facts.frames, worths, hashes)


def dataset(takes: Takes, keys: Sequence[Key], out: Path) -> Path:
    """A folder to train on."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    labelled = takes.labelled(keys)
    for image, key in zip(labelled.images, keys, strict=True):
        cv2.imwrite(str(out / image.file_name), takes.picture(key)[..., ::-1])
    write_coco(labelled, out / "coco.json")
    return out

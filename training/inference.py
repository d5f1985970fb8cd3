"""A checkpoint at work: pictures in, slates out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from training.checkpoints import SHIPPED, Card
from training.dataset import Picture, fit
from training.detector import load_network
from training.slates import STATES, Box, Detection

#: Pictures that go through the network at once.
BATCH = 8


class Detector:
    """Finds slates in pictures with one checkpoint. Same pictures, same threads: same answers."""

    def __init__(self, card: Card, network: nn.Module, device: torch.device) -> None:
        self.card = card
        self.device = device
        self._network = network.eval().to(device).to(memory_format=torch.channels_last)

    @property
    def sha256(self) -> str:
        return self.card.sha256

    @property
    def architecture(self) -> str:
        return self.card.architecture

    @property
    def name(self) -> str:
        return self.card.name

    def detect(self, pictures: Sequence[Picture]) -> list[list[Detection]]:
        """Slates of each picture (uint8, H x W x 3, RGB), best first, scores from 0.05.

        Boxes are in pixels of the given picture. One slate may come twice, once in each state.
        """
        found: list[list[Detection]] = [[] for _ in pictures]
        for numbers in _alike(pictures):
            batch = [self._tensor(pictures[number]) for number in numbers]
            with torch.inference_mode():
                answers = self._network(batch)
            for number, tensor, answer in zip(numbers, batch, answers, strict=True):
                found[number] = _detections(answer, pictures[number], tensor)
        return found

    def _tensor(self, picture: Picture) -> Tensor:
        if picture.ndim != 3 or picture.shape[2] != 3 or str(picture.dtype) != "uint8":
            raise ValueError(f"a picture is uint8 H x W x 3, not {picture.dtype} {picture.shape}")
        fitted = torch.from_numpy(fit(picture, self.card.longest_side).copy())
        return fitted.to(self.device).permute(2, 0, 1).float() / 255


def _alike(pictures: Sequence[Picture]) -> Iterator[list[int]]:
    """Numbers of pictures of one shape, a batch at a time: padding to a common shape would cost time."""
    shapes: dict[tuple[int, ...], list[int]] = {}
    for number, picture in enumerate(pictures):
        shapes.setdefault(picture.shape, []).append(number)
    for numbers in shapes.values():
        for start in range(0, len(numbers), BATCH):
            yield numbers[start : start + BATCH]


def _detections(answer: dict[str, Tensor], picture: Picture, tensor: Tensor) -> list[Detection]:
    sx, sy = picture.shape[1] / tensor.shape[2], picture.shape[0] / tensor.shape[1]
    rows = zip(answer["boxes"].tolist(), answer["labels"].tolist(), answer["scores"].tolist(), strict=True)
    found = [
        Detection(Box(x1, y1, x2 - x1, y2 - y1).scaled(sx, sy), STATES[label], score)
        for (x1, y1, x2, y2), label, score in rows
        # RetinaNet and FCOS have an output for class 0, the background, too: never taught, so never meant.
        if label in STATES
    ]
    return sorted(found, key=lambda detection: -detection.score)


def load_detector(path: Path | None = None, device: str = "auto", *, threads: int | None = None) -> Detector:
    """A detector from a checkpoint; without `path` the shipped one. Raises CheckpointError.

    `device` auto is cuda when there is one, else cpu; `threads` sets torch's threads for the whole process.
    """
    if threads:
        torch.set_num_threads(threads)
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    card, network = load_network(path or SHIPPED)
    return Detector(card, network, torch.device(device))

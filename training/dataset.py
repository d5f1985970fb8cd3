"""Pictures and slates for training: read from COCO folders and augmented, the same for the same seed."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset
from torchvision import tv_tensors
from torchvision.transforms import v2

from training.coco import CocoBox, CocoError, CocoImage, CocoSet, find_coco, read_coco
from training.slates import CLASS_IDS

Picture = np.ndarray[Any, np.dtype[np.uint8]]
Target = dict[str, Tensor]


def fit(picture: Picture, longest_side: int) -> Picture:
    """The picture at the size the network sees, in training as in use: aspect kept, averaged when shrunk."""
    height, width = picture.shape[:2]
    scale = longest_side / max(height, width)
    if scale == 1:
        return picture
    size = max(1, round(width * scale)), max(1, round(height * scale))
    shrunk = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    return np.asarray(shrunk, dtype=np.uint8)


def read_picture(path: Path) -> Picture:
    """RGB, H x W x 3, EXIF rotation applied. Raises CocoError when it cannot be read."""
    found = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if found is None:
        raise CocoError(f"The picture {path} cannot be read.")
    return np.ascontiguousarray(found[:, :, ::-1], dtype=np.uint8)


@dataclass(frozen=True)
class Labelled:
    """One picture of a dataset and its slates."""

    path: Path
    image: CocoImage
    boxes: tuple[CocoBox, ...]


def read_folders(folders: Sequence[Path]) -> list[Labelled]:
    """All labelled pictures of COCO folders, in order. Raises CocoError.

    A picture whose ignored box lies over a slate to learn is left out: it can neither be learned nor blanked.
    """
    found: list[Labelled] = []
    for folder in folders:
        path = find_coco(folder)
        pictures = path.parent / "images" if (path.parent / "images").is_dir() else path.parent
        found += labelled_pictures(read_coco(path), path.parent, pictures)
    if not found:
        raise CocoError(f"No pictures to train on in {', '.join(map(str, folders))}.")
    return found


def labelled_pictures(read: CocoSet, *folders: Path) -> list[Labelled]:
    """The pictures of a set that can be learned, each in the first of the folders that has it."""
    boxes = read.boxes_of()
    return [
        Labelled(
            next(
                (one for folder in folders if (one := folder / image.file_name).is_file()),
                folders[-1] / image.file_name,
            ),
            image,
            tuple(boxes[image.id]),
        )
        for image in read.images
        if not _entangled(boxes[image.id])
    ]


def _entangled(boxes: Sequence[CocoBox]) -> bool:
    ignored = [box for box in boxes if box.ignore]
    return any(one.box.iou(other.box) > 0 for one in ignored for other in boxes if not other.ignore)


def blank(picture: Picture, box: CocoBox) -> None:
    """Wipes an ignored slate to its mean colours, in place: learned neither as slate nor as background."""
    left, top = max(int(box.box.x), 0), max(int(box.box.y), 0)
    region = picture[top : int(np.ceil(box.box.y + box.box.h)), left : int(np.ceil(box.box.x + box.box.w))]
    if region.size:
        tiny = cv2.resize(region, (3, 3), interpolation=cv2.INTER_AREA)
        region[:] = cv2.resize(tiny, (region.shape[1], region.shape[0]), interpolation=cv2.INTER_CUBIC)


def numbered_seed(seed: int, number: int) -> int:
    """A seed for one sample or step of a run, far from its neighbours'."""
    return int(np.random.SeedSequence((seed, number)).generate_state(1, np.uint64)[0] >> 1)


class Views(Dataset[tuple[Tensor, Target]]):
    """Augmented views: view `n` of a seed is always the same, so a resumed run sees what an unbroken sees.

    A view is a uint8 tensor 3 x H x W of `canvas_size(longest_side)`, with boxes (xyxy) and labels.
    """

    def __init__(self, labelled: Sequence[Labelled], *, longest_side: int, seed: int, length: int) -> None:
        self.labelled = labelled
        self.longest_side = longest_side
        self.seed = seed
        self.length = length
        self.change = colours()

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, number: int) -> tuple[Tensor, Target]:
        epoch, place = divmod(number, len(self.labelled))
        labelled = self.labelled[_order(self.seed, epoch, len(self.labelled))[place]]
        picture = read_picture(labelled.path)
        for box in labelled.boxes:
            if box.ignore:
                blank(picture, box)
        slates = [box for box in labelled.boxes if not box.ignore]
        corners = np.array(
            [[b.box.x, b.box.y, b.box.x + b.box.w, b.box.y + b.box.h] for b in slates], np.float32
        ).reshape(-1, 4)
        sample_seed = numbered_seed(self.seed, number)
        picture, corners = zoomed(picture, corners, np.random.default_rng(sample_seed))
        rng = np.random.default_rng((sample_seed, 1))
        picture, corners = framed(picture, corners, canvas_size(self.longest_side), rng)
        picture = coarsened(picture, rng)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(sample_seed)
            return self._augmented(picture, corners, [CLASS_IDS[box.state] for box in slates])

    def _augmented(
        self, picture: Picture, corners: np.ndarray[Any, np.dtype[np.float32]], labels: list[int]
    ) -> tuple[Tensor, Target]:
        image = tv_tensors.Image(torch.from_numpy(picture).permute(2, 0, 1).contiguous())
        size = (int(image.shape[1]), int(image.shape[2]))
        boxes = tv_tensors.BoundingBoxes(torch.from_numpy(corners), format="XYXY", canvas_size=size)
        target = {"boxes": boxes, "labels": torch.tensor(labels, dtype=torch.int64)}
        image, target = self.change(image, target)
        plain = {key: value.as_subclass(Tensor) for key, value in target.items()}
        return image.as_subclass(Tensor), plain


@lru_cache(maxsize=2)
def _order(seed: int, epoch: int, length: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.random.default_rng((seed, epoch)).permutation(length)


def colours() -> Callable[..., Any]:
    """The part of augmentation that torchvision has: mirroring, upside down, colour and blur."""
    change: Callable[..., Any] = v2.Compose(
        [
            v2.RandomHorizontalFlip(0.5),
            # A tail slate is held upside down; turned, never mirrored top to bottom.
            v2.RandomApply([v2.RandomHorizontalFlip(1.0), v2.RandomVerticalFlip(1.0)], p=0.08),
            # The rendered pictures are dark and pale enough already: rather brighter and more colourful.
            v2.RandomApply([v2.ColorJitter((0.8, 1.6), (0.8, 1.5), (0.7, 1.7))], p=0.5),
            v2.RandomApply([v2.ColorJitter(hue=0.5)], p=0.1),
            v2.RandomGrayscale(0.07),
            v2.RandomApply([v2.GaussianBlur(7, (0.3, 1.8))], p=0.15),
            v2.ClampBoundingBoxes(),
            v2.SanitizeBoundingBoxes(min_size=4),
        ]
    )
    return change


def zoomed(
    picture: Picture, corners: np.ndarray[Any, np.dtype[np.float32]], rng: np.random.Generator
) -> tuple[Picture, np.ndarray[Any, np.dtype[np.float32]]]:
    """A nearer or farther view of the same slates, each kept whole; corners (xyxy) move along."""
    chance = rng.random()
    if chance < 0.45:
        picture, corners = _nearer(picture, corners, rng)
    elif chance < 0.6:
        picture, corners = _farther(picture, corners, rng)
    return picture, corners


def canvas_size(longest_side: int) -> tuple[int, int]:
    """Width and height of every view: 16:9, in whole strides.

    One shape for all spares a CPU preparing its convolutions again for each new one.
    """
    return longest_side, math.ceil(longest_side * 9 / 16 / 32) * 32


def framed(
    picture: Picture,
    corners: np.ndarray[Any, np.dtype[np.float32]],
    size: tuple[int, int],
    rng: np.random.Generator,
) -> tuple[Picture, np.ndarray[Any, np.dtype[np.float32]]]:
    """The picture as large as goes into width x height, on the grey that the network pads with."""
    wide, high = size
    height, width = picture.shape[:2]
    scale = min(wide / width, high / height)
    fitted = fit(picture, round(scale * max(height, width)))[:high, :wide]
    frame = np.full((high, wide, 3), 128, np.uint8)
    x, y = int(rng.integers(0, wide - fitted.shape[1] + 1)), int(rng.integers(0, high - fitted.shape[0] + 1))
    frame[y : y + fitted.shape[0], x : x + fitted.shape[1]] = fitted
    return frame, corners * np.float32(scale) + np.array([x, y, x, y], np.float32)


def coarsened(picture: Picture, rng: np.random.Generator) -> Picture:
    """Sometimes of fewer pixels, sometimes compressed; the same size."""
    if rng.random() < 0.15:
        scale, (height, width) = rng.uniform(0.35, 0.75), picture.shape[:2]
        small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        coarse = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
        picture = np.asarray(coarse, dtype=np.uint8)
    if rng.random() < 0.3:
        _, stored = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(20, 80))])
        picture = np.asarray(cv2.imdecode(stored, cv2.IMREAD_COLOR), dtype=np.uint8)
    return picture


def _nearer(
    picture: Picture, corners: np.ndarray[Any, np.dtype[np.float32]], rng: np.random.Generator
) -> tuple[Picture, np.ndarray[Any, np.dtype[np.float32]]]:
    """A crop at least 40 % as wide and high that holds every slate."""
    height, width = picture.shape[:2]
    part = rng.uniform(0.4, 1.0)
    wide, high = (int(side * min(part * rng.uniform(0.85, 1.15), 1.0)) for side in (width, height))
    left, right, top, bottom = 0.0, float(width - wide), 0.0, float(height - high)
    if len(corners):
        low, top_low = corners[:, 0].min(), corners[:, 1].min()
        far, far_low = corners[:, 2].max(), corners[:, 3].max()
        wide, high = max(wide, int(np.ceil(far - low))), max(high, int(np.ceil(far_low - top_low)))
        left, right = max(0.0, far - wide), min(low, float(width - wide))
        top, bottom = max(0.0, far_low - high), min(top_low, float(height - high))
    x, y = int(rng.uniform(left, max(left, right))), int(rng.uniform(top, max(top, bottom)))
    crop = np.ascontiguousarray(picture[y : y + high, x : x + wide])
    return crop, corners - np.array([x, y, x, y], np.float32)


def _farther(
    picture: Picture, corners: np.ndarray[Any, np.dtype[np.float32]], rng: np.random.Generator
) -> tuple[Picture, np.ndarray[Any, np.dtype[np.float32]]]:
    """The picture smaller, in a frame of a plain colour or of its own blurred continuation."""
    height, width = picture.shape[:2]
    scale = rng.uniform(0.5, 0.95)
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    if rng.random() < 0.5:
        frame = np.empty_like(picture)
        frame[:] = rng.integers(0, 256, 3) if rng.random() < 0.5 else 0
    else:
        tiny = cv2.resize(picture, (8, 6), interpolation=cv2.INTER_AREA)
        frame = np.asarray(cv2.resize(tiny, (width, height), interpolation=cv2.INTER_CUBIC), dtype=np.uint8)
    x, y = int(rng.integers(0, width - small.shape[1] + 1)), int(rng.integers(0, height - small.shape[0] + 1))
    frame[y : y + small.shape[0], x : x + small.shape[1]] = small
    return frame, corners * np.float32(scale) + np.array([x, y, x, y], np.float32)

"""A frozen dataset, brought from a store and checked to the last bit (docs/runs.md). Torch-free."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from training.coco import CocoError, CocoImage, CocoSet, read_coco
from training.contract import SHA256, DatasetAt
from training.store import Store, StoreError, Trouble, check_key, open_store

TRAIN, VALIDATION, TEST = SPLITS = ("train", "validation", "test")
#: Pictures fetched side by side.
AT_ONCE = 8


def fetch_dataset(
    dataset: DatasetAt, folder: Path, *, splits: Iterable[str], going_on: Callable[[], None] = lambda: None
) -> dict[str, CocoSet]:
    """The wanted splits, their pictures in `folder` under their names; what is there and whole stays.

    `going_on` is called before each picture and may raise to stop. Raises CocoError for a dataset that is
    missing, torn, or has a clip on two sides; StoreError when the store cannot be reached.
    """
    folder.mkdir(parents=True, exist_ok=True)
    store = open_store(dataset.url)
    path = folder / f"{dataset.sha256}.json"
    _bring(store, dataset.coco, path, dataset.sha256)
    read = read_coco(path)
    _check_images(read)
    found = {split: _side(read, split) for split in splits}

    def bring(image: CocoImage) -> None:
        going_on()
        _bring(store, image.file_name, folder / image.file_name, str(image.extra["sha256"]))

    with ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            for _ in pool.map(bring, [image for side in found.values() for image in side.images]):
                pass
        finally:
            pool.shutdown(cancel_futures=True)
    return found


def _bring(store: Store, key: str, path: Path, sha256: str) -> None:
    try:
        check_key(key)
        if path.is_file() and _sha256(path) == sha256:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        store.download(key, path)
    except StoreError as error:
        if error.trouble in (Trouble.MISSING, Trouble.NAME):
            raise CocoError(f"The dataset is not whole: {error}") from error
        raise
    if _sha256(path) != sha256:
        path.unlink()
        raise CocoError(f"The dataset is torn: {key} is not the file that was frozen (sha256 differs).")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check_images(read: CocoSet) -> None:
    """Raises CocoError where a clip would be learned and measured on, or a picture has no side or hash."""
    sides: dict[str, str] = {}
    for image in read.images:
        split = image.extra.get("split")
        if split not in SPLITS:
            raise CocoError(f"Picture {image.file_name} of the dataset is in no split ({', '.join(SPLITS)}).")
        if not SHA256.fullmatch(str(image.extra.get("sha256"))):
            raise CocoError(f"Picture {image.file_name} of the dataset has no sha256.")
        clip = image.extra.get("clip")
        if clip is not None and sides.setdefault(str(clip), split) != split:
            raise CocoError(f"Clip {clip} of the dataset is in {sides[str(clip)]} and in {split}.")


def _side(read: CocoSet, split: str) -> CocoSet:
    images = tuple(image for image in read.images if image.extra["split"] == split)
    ids = {image.id for image in images}
    return CocoSet(images, tuple(box for box in read.boxes if box.image_id in ids), read.info)

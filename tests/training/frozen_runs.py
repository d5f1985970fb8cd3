"""A tiny frozen dataset and a run on it, in a store."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from tests.training.drawn import draw_set
from training.contract import DatasetAt, RunSpec, write
from training.store import Store


def freeze(store: Store, folder: Path) -> DatasetAt:
    """Draws and stores nine pictures: six to train on, two to measure on, and one of the test split."""
    draw_set(folder, count=8, empty=1)
    document = json.loads((folder / "coco.json").read_text())
    for number, image in enumerate(document["images"]):
        content = (folder / image["file_name"]).read_bytes()
        split = "train" if number < 6 else "validation" if number < 8 else "test"
        image |= {"split": split, "clip": f"clip-{number}", "sha256": hashlib.sha256(content).hexdigest()}
        image["file_name"] = f"pictures/{image['sha256']}.png"
        store.put(image["file_name"], content)
    return freeze_document(store, document)


def freeze_document(store: Store, document: dict[str, Any]) -> DatasetAt:
    content = json.dumps(document).encode()
    store.put("coco.json", content)
    return DatasetAt(store.url, hashlib.sha256(content).hexdigest())


def put_spec(store: Store, dataset: DatasetAt, **changes: Any) -> RunSpec:
    """Four steps, measured after every second."""
    wanted: dict[str, Any] = {"steps": 4, "batch": 2, "longest_side": 96, "device": "cpu", "measure_every": 2}
    spec = (
        RunSpec("little", 1, dataset, **{**wanted, **changes})
        if "token" not in changes
        else RunSpec("little", dataset=dataset, **{**wanted, **changes})
    )
    store.put("spec.json", write(spec))
    return spec


def equal(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> bool:
    return one.keys() == other.keys() and all((one[key] == other[key]).all() for key in one)

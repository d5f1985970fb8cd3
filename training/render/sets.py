"""Writes a folder of labelled pictures: JPEG files, the truth about each, and one coco.json over all."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from fractions import Fraction
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from training.render.lens import compress
from training.render.scenes import Backgrounds
from training.render.shots import choose_shot
from training.render.stills import Still, render_still
from training.slates import CLASS_IDS, State

#: Draws picture `index` of the set `seed` at the size that goes with it.
Draw = Callable[[int, int, tuple[int, int], Backgrounds], Still]
_EMPTY = 0.15  # the share of stills without a slate
_KINDS = {
    "head": 0.4,
    "tail": 0.16,
    "mos": 0.1,
    "second_sticks": 0.1,
    "no_slate": 0.06,
    "late": 0.04,
    "slate_in_frame_0": 0.04,
    "cut_off": 0.04,
    "closed_then_opened": 0.06,
}
_SHAPES = ((16 / 9, 0.68), (4 / 3, 0.12), (2.39, 0.08), (1.0, 0.05), (9 / 16, 0.07))


def draw_still(seed: int, index: int, size: tuple[int, int], backgrounds: Backgrounds) -> Still:
    """Stills come in pairs, one picture with the sticks open and closed: only they tell the state."""
    pair, odd = divmod(index, 2)
    if np.random.default_rng([seed, pair, 9]).random() < _EMPTY:
        return render_still((seed, index), size=size, backgrounds=backgrounds, empty=True)
    state = State.CLOSED if odd else State.OPEN
    return render_still((seed, 2 * pair), size=size, backgrounds=backgrounds, empty=False, state=state)


def draw_frame(seed: int, index: int, size: tuple[int, int], backgrounds: Backgrounds) -> Still:
    """A frame of a take, mostly one within four frames of a clap, half of those before it."""
    rng = np.random.default_rng([seed, index, 3])
    rate = Fraction(int(rng.choice([24000, 25000, 30000, 60000], p=[0.4, 0.25, 0.25, 0.1])), 1000)
    kind = str(rng.choice(list(_KINDS), p=list(_KINDS.values())))
    shot = choose_shot(
        kind,
        rate=rate,
        size=size,
        seconds=6.0,
        seed=int(rng.integers(2**31)),
        backgrounds=backgrounds,
        clean=bool(rng.random() < 0.3),
    )
    number = int(rng.integers(shot.frames))
    if shot.claps and rng.random() < 0.8:
        near = int(rng.integers(-4, 0) if rng.random() < 0.5 else rng.integers(0, 5))
        number = int(np.clip(shot.claps[int(rng.integers(len(shot.claps)))] + near, 0, shot.frames - 1))
    picture, slate = shot.frame(number)
    if rng.random() < 0.5:
        picture = compress(picture, int(rng.integers(15, 70)))
    return Still(picture, [slate] if slate else [])


def write_set(
    out: Path,
    *,
    count: int,
    seed: int,
    size: tuple[int, int] = (640, 360),
    backgrounds: Path | None = None,
    workers: int = 1,
    draw: Draw = draw_still,
) -> Iterator[int]:
    """Write pictures 0 to count - 1 and coco.json; yields how many are there as it goes on.

    A picture that is there already is kept, so an interrupted run goes on where it stopped. A picture depends
    on seed, index, size and the photographs only.
    """
    (out / "truth").mkdir(parents=True, exist_ok=True)
    missing = [i for i in range(count) if not (out / _name(seed, i)).exists()]
    jobs = [(out, seed, index, size, backgrounds, draw) for index in missing]
    done = count - len(missing)
    if workers < 2:
        for job in jobs:
            _write_one(job)
            yield (done := done + 1)
    else:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            for _ in pool.map(_write_one, jobs, chunksize=8):
                yield (done := done + 1)
    write_coco(out, seed, count)


def _name(seed: int, index: int) -> str:
    return f"{seed:04d}-{index:06d}.jpg"


@lru_cache(1)
def _backgrounds(folder: Path | None) -> Backgrounds:
    return Backgrounds(folder, longest_side=960)


def _write_one(job: tuple[Path, int, int, tuple[int, int], Path | None, Draw]) -> None:
    out, seed, index, size, folder, draw = job
    cv2.setNumThreads(1)
    rng = np.random.default_rng([seed, index, 7])
    shape = _shape(np.random.default_rng([seed, index // 2, 8]), size)
    still = draw(seed, index, shape, _backgrounds(folder))
    quality = int(rng.integers(45, 97))
    ok, stored = cv2.imencode(".jpg", still.picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not ok:
        raise RuntimeError("JPEG encoding failed")
    name = _name(seed, index)
    truth = out / "truth" / f"{name}.json"
    truth.write_text(json.dumps(_truth(still)))
    part = out / f".{name}.part"
    part.write_bytes(stored.tobytes())
    part.rename(out / name)


def _shape(rng: np.random.Generator, size: tuple[int, int]) -> tuple[int, int]:
    """Other shapes of picture with as many pixels; even sides."""
    shapes, odds = zip(*_SHAPES, strict=True)
    shape = shapes[int(rng.choice(len(shapes), p=odds))]
    if shape == _SHAPES[0][0]:
        return size
    wide = int((size[0] * size[1] * shape) ** 0.5) // 2 * 2
    return wide, int(wide / shape) // 2 * 2


def _truth(still: Still) -> dict[str, Any]:
    high, wide = still.picture.shape[:2]
    slates = [
        {
            "bbox": [round(v, 2) for v in (s.box.x, s.box.y, s.box.w, s.box.h)],
            "state": str(s.state),
            "ignore": s.ignore,
            "angle": round(s.angle, 2),
            "upside_down": s.upside_down,
            "style": s.style,
        }
        for s in still.slates
    ]
    return {"width": wide, "height": high, "slates": slates}


def write_coco(out: Path, seed: int, count: int) -> None:
    """Gather the truth files into coco.json. Image ids are index + 1; an ignored slate is `iscrowd`."""
    images, annotations = [], []
    for index in range(count):
        name = _name(seed, index)
        truth = json.loads((out / "truth" / f"{name}.json").read_text())
        image_id = index + 1
        images.append({"id": image_id, "file_name": name, "width": truth["width"], "height": truth["height"]})
        for place, slate in enumerate(truth["slates"]):
            annotations.append(_annotation(image_id, place, slate))
    categories = [{"id": number, "name": str(state)} for state, number in CLASS_IDS.items()]
    document = {"images": images, "annotations": annotations, "categories": categories}
    part = out / "coco.json.part"
    part.write_text(json.dumps(document))
    part.rename(out / "coco.json")


def _annotation(image_id: int, place: int, slate: dict[str, Any]) -> dict[str, Any]:
    names = {str(state): number for state, number in CLASS_IDS.items()}
    return {
        "id": image_id * 10 + place,
        "image_id": image_id,
        "category_id": names[slate["state"]],
        "bbox": slate["bbox"],
        "area": round(slate["bbox"][2] * slate["bbox"][3], 2),
        "iscrowd": int(slate["ignore"]),
        "attributes": {key: slate[key] for key in ("ignore", "angle", "upside_down", "style")},
    }

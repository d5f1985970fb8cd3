"""A long clip for benchmarks: pans over photographs for minutes, and two slates in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from training.render.clips import ClipSpec, ClipTruth, record
from training.render.geometry import Picture
from training.render.scenes import Backgrounds
from training.render.shots import Shot, choose_shot
from training.render.sound import Sound, clap_samples
from training.render.staging import RenderedSlate

#: How long a slate's part and a view without one last, in seconds.
_PART, _VIEW = 6.0, 8.0


def render_long(spec: ClipSpec, path: Path, *, backgrounds: Backgrounds | None = None) -> ClipTruth:
    """A clip of spec.seconds with a head slate near its start and another one past its middle.

    The views between are pans over pictures with fixed grain, so most frames cost little more than
    their encoding. Memory stays flat. The keyframes are one second apart.
    """
    photos = backgrounds or Backgrounds()
    shots = {start: _shot(spec, seed, photos) for seed, start in enumerate(_starts(spec))}
    claps = [start + clap for start, shot in shots.items() for clap in shot.claps]
    contacts = [float(start / spec.rate) + c for start, shot in shots.items() for c in shot.contacts]
    sound = Sound(clap_samples(contacts), spec.seed) if spec.audio else None
    frames = round(spec.seconds * spec.rate)
    spec = replace(spec, kind="two_slates_long", gop=spec.gop or round(spec.rate))
    options = {"preset": "ultrafast", "crf": "24", "maxrate": "16M", "bufsize": "32M"}
    drawn = _frames(spec, frames, shots, photos)
    return record(spec, path, frames, drawn, claps, sound, options)


def _starts(spec: ClipSpec) -> list[int]:
    return [round(spec.seconds * share * spec.rate) for share in (0.02, 0.6)]


def _shot(spec: ClipSpec, number: int, photos: Backgrounds) -> Shot:
    seconds = min(_PART, spec.seconds * 0.3)
    seed = spec.seed * 2 + number
    return choose_shot("head", rate=spec.rate, size=spec.size, seconds=seconds, seed=seed, backgrounds=photos)


def _frames(
    spec: ClipSpec, frames: int, shots: dict[int, Shot], photos: Backgrounds
) -> Iterator[tuple[Picture, RenderedSlate | None]]:
    rng = np.random.default_rng([spec.seed, 13])
    number = 0
    while number < frames:
        if number in shots:
            shot = shots[number]
            for place in range(shot.frames):
                yield shot.frame(place)
            number += shot.frames
            continue
        coming = [start for start in shots if start > number]
        until = min([*coming, frames, number + round(_VIEW * spec.rate)])
        for picture in _view(rng, spec.size, until - number, photos):
            yield picture, None
        number = until


def _view(
    rng: np.random.Generator, size: tuple[int, int], frames: int, photos: Backgrounds
) -> Iterator[Picture]:
    """A slow pan over one picture, with grain, as YUV 4:2:0: two pixels a step, nothing to resample."""
    wide, high = size
    place = photos.scene(rng, wide * 115 // 200 * 2, high * 115 // 200 * 2, calm=True)
    planes = _planes(place)
    grain = rng.integers(0, 7, (high + 64, wide + 64), np.uint8)
    spare, way = np.array([place.shape[1] - wide, place.shape[0] - high]), rng.uniform(0, 1, (2, 2))
    for number in range(frames):
        part = number / max(frames - 1, 1)
        x, y = ((way[0] * (1 - part) + way[1] * part) * spare).astype(int) // 2
        a, b = rng.integers(0, 64, 2)
        light = planes[0][2 * y : 2 * y + high, 2 * x : 2 * x + wide]
        parts = [cv2.add(light, grain[a : a + high, b : b + wide])]
        parts += [plane[y : y + high // 2, x : x + wide // 2] for plane in planes[1:]]
        yield np.concatenate([part.ravel() for part in parts]).reshape(-1, wide)


def _planes(place: Picture) -> tuple[Picture, Picture, Picture]:
    high, wide = place.shape[:2]
    stacked = cv2.cvtColor(place, cv2.COLOR_RGB2YUV_I420)
    light, colors = stacked[:high], stacked[high:].reshape(2, high // 2, wide // 2)
    return cv2.subtract(light, np.full_like(light, 3)), colors[0], colors[1]


def write_long(out: Path, spec: ClipSpec, *, count: int, backgrounds: Path | None) -> Iterator[int]:
    """As clips.write_clips, for long clips."""
    out.mkdir(parents=True, exist_ok=True)
    photos = Backgrounds(backgrounds)
    for index in range(count):
        each = replace(spec, seed=spec.seed + index)
        path = out / f"two_slates_long-{each.seed:04d}.mov"
        if not path.exists():
            part = out / f".{path.name}.part.mov"
            truth = render_long(each, part, backgrounds=photos)
            path.with_suffix(".truth.json").write_text(json.dumps(truth.to_json()))
            part.rename(path)
        yield index + 1

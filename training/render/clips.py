"""Clips with slates in them: picture, sound, timecode, and the exact truth about every frame."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from training.render.encoding import Recorder
from training.render.motion import KINDS
from training.render.scenes import Backgrounds
from training.render.shots import Shot, choose_shot
from training.render.sound import SAMPLE_RATE, Sound, clap_samples
from training.render.staging import RenderedSlate


@dataclass(frozen=True)
class ClipSpec:
    """What to render: `kind` is one of motion.KINDS, `size` is (width, height), even.

    A `start_timecode` with ";" before its frames is a drop-frame one. `clean` keeps to well lit, large
    slates; `busy` is a set on which people talk and move while the sticks clap.
    """

    kind: str = "head"
    rate: Fraction = Fraction(24)
    size: tuple[int, int] = (640, 360)
    seconds: float = 8.0
    start_timecode: str | None = None
    drop_frame: bool = False
    seed: int = 0
    audio: bool = True
    clean: bool = True
    gop: int | None = None
    sample_rate: int = SAMPLE_RATE
    busy: bool = False

    @property
    def timecode(self) -> str | None:
        """The start timecode as the container wants it: HH:MM:SS;FF for drop-frame."""
        if not self.start_timecode:
            return None
        joint = ";" if self.drop_frame or ";" in self.start_timecode else ":"
        return self.start_timecode[:8] + joint + self.start_timecode[9:]


@dataclass(frozen=True)
class ClipTruth:
    """A rendered clip's truth: clap frames, clap samples, and each frame's slate (None for none)."""

    kind: str
    rate: Fraction
    frames: int
    claps: list[int]
    clap_samples: list[int]
    sample_rate: int
    start_timecode: str | None
    slates: list[RenderedSlate | None]

    def to_json(self) -> dict[str, Any]:
        slates = [None if s is None else {**asdict(s), "state": str(s.state)} for s in self.slates]
        return {**asdict(self), "rate": f"{self.rate.numerator}/{self.rate.denominator}", "slates": slates}


def render_clip(spec: ClipSpec, path: Path, *, backgrounds: Backgrounds | None = None) -> ClipTruth:
    """Render a clip into path (.mov or .mp4): H.264 and, with `audio`, AAC; memory stays flat."""
    return _shoot(spec, path, _shot(spec, spec.seed, backgrounds))


def render_two_cameras(
    spec: ClipSpec, first: Path, second: Path, *, backgrounds: Backgrounds | None = None
) -> tuple[ClipTruth, ClipTruth]:
    """One clap before two cameras that started together: each has its own angle, place, light and noise."""
    a = _shot(spec, spec.seed, backgrounds)
    other = replace(spec, seed=spec.seed + 1_000_003)
    b = replace(_shot(spec, other.seed, backgrounds), script=a.script, look=a.look)
    return _shoot(spec, first, a), _shoot(other, second, b)


def _shot(spec: ClipSpec, seed: int, backgrounds: Backgrounds | None) -> Shot:
    return choose_shot(
        spec.kind,
        rate=spec.rate,
        size=spec.size,
        seconds=spec.seconds,
        seed=seed,
        backgrounds=backgrounds or Backgrounds(),
        clean=spec.clean,
    )


def _shoot(spec: ClipSpec, path: Path, shot: Shot) -> ClipTruth:
    sound = None
    if spec.audio:
        contacts = clap_samples(shot.contacts, spec.sample_rate)
        sound = Sound(contacts, spec.seed, spec.sample_rate, soft=spec.kind == "soft_sticks", busy=spec.busy)
    return record(spec, path, shot.frames, _frames(shot), list(shot.claps), sound)


def _frames(shot: Shot) -> Iterator[tuple[np.ndarray, RenderedSlate | None]]:
    for number in range(shot.frames):
        yield shot.frame(number)


def record(
    spec: ClipSpec,
    path: Path,
    frames: int,
    drawn: Iterator[tuple[np.ndarray, RenderedSlate | None]],
    claps: list[int],
    sound: Sound | None,
    options: dict[str, str] | None = None,
) -> ClipTruth:
    """Encode drawn frames as they come, with their sound, and gather the truth; `options` are libx264's."""
    slates: list[RenderedSlate | None] = []
    recorder = Recorder(
        path, spec.size, spec.rate, timecode=spec.timecode, sound=sound, gop=spec.gop, options=options
    )
    with recorder:
        for picture, slate in drawn:
            recorder.write(picture)
            slates.append(slate)
    return ClipTruth(
        kind=spec.kind,
        rate=spec.rate,
        frames=frames,
        claps=claps,
        clap_samples=list(sound.claps) if sound else [],
        sample_rate=sound.sample_rate if sound else SAMPLE_RATE,
        start_timecode=spec.timecode,
        slates=slates,
    )


def write_clips(out: Path, spec: ClipSpec, *, count: int, backgrounds: Path | None) -> Iterator[int]:
    """Render `count` clips, seeds from spec.seed on, a .truth.json beside each; what is there is kept."""
    out.mkdir(parents=True, exist_ok=True)
    photos = Backgrounds(backgrounds)
    for index in range(count):
        each = ClipSpec(**{**spec.__dict__, "seed": spec.seed + index})
        path = out / f"{spec.kind}-{each.seed:04d}.mov"
        if not path.exists():
            part = out / f".{path.name}.part.mov"
            truth = render_clip(each, part, backgrounds=photos)
            path.with_suffix(".truth.json").write_text(json.dumps(truth.to_json()))
            part.rename(path)
        yield index + 1


__all__ = ["KINDS", "ClipSpec", "ClipTruth", "record", "render_clip", "render_two_cameras", "write_clips"]

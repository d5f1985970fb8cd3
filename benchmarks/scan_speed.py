"""Scan speed on a 10-minute 1080p H.264 clip with two slates: python benchmarks/scan_speed.py [CLIP]

Three passes over the same file in one run, each in its own process so that CPU time is its own:
  scan    what the product does: coarse pass, dense pass where a slate is
  naive   every frame decoded, the detector run on every frame (on --naive-seconds of the clip, scaled up)
  decode  every frame decoded and scaled, nothing else
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# As the scanner process has it: torch's idle threads sleep instead of burning the other passes' CPU.
QUIET_THREADS = {**os.environ, "OMP_WAIT_POLICY": "PASSIVE"}
RESULT = Path(__file__).parent / "results" / "scan_speed.json"


def measure(name: str, clip: Path, naive_seconds: float) -> dict[str, float]:
    """Runs one pass in this process; wall and CPU seconds, its children's included."""
    from training.footage.footage import Footage

    started = time.perf_counter()
    if name == "scan":
        from training.inference import load_detector
        from training.scan import scan

        detector = load_detector()
        started = time.perf_counter()
        result = scan(clip, detector, on_progress=lambda _: None)
        extra = {"claps": len(result.reading.claps), "looked_at": len(result.detections)}
    elif name == "naive":
        from training.inference import load_detector

        detector = load_detector()
        started = time.perf_counter()
        with Footage(clip) as footage:
            last = min(footage.facts.frames, round(naive_seconds * footage.facts.rate)) - 1
            for frame in footage.frames(0, last):
                detector.detect([frame.picture])
            extra = {"measured_share": (last + 1) / footage.facts.frames}
    else:
        with Footage(clip) as footage:
            extra = {"frames": sum(1 for _ in footage.frames(0, footage.facts.frames - 1))}
    wall = time.perf_counter() - started
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return {"wall": wall, "cpu": sum(use.ru_utime + use.ru_stime for use in spent), **extra}


def render_clip_for(folder: Path) -> Path:
    clip = folder / "ten_minutes_two_slates.mov"
    command = [sys.executable, "-m", "training.render", "clips", "--out", str(folder)]
    command += ["--kind", "two_slates_long", "--seed", "7", "--rate", "24", "--size", "1920x1080"]
    subprocess.run([*command, "--seconds", "600"], check=True)
    next(folder.glob("*.mov")).rename(clip)
    return clip


def run(clip: Path, naive_seconds: float) -> dict[str, object]:
    from training.footage.footage import probe

    facts = probe(clip)
    passes = {}
    for name in ("scan", "naive", "decode"):
        command = [sys.executable, __file__, str(clip), "--only", name, "--naive-seconds", str(naive_seconds)]
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=QUIET_THREADS)
        passes[name] = json.loads(done.stdout)
    share = passes["naive"]["measured_share"]
    for unit in ("wall", "cpu"):
        passes["naive"][unit] /= share
    seconds = float(facts.duration)
    return {
        "clip": {
            "size": f"{facts.width}x{facts.height}",
            "codec": facts.codec,
            "fps": str(facts.rate),
            "seconds": seconds,
        },
        "machine": {"cores": os.cpu_count()},
        "passes": passes,
        "times_realtime": {name: seconds / one["wall"] for name, one in passes.items()},
        "naive_over_scan": passes["naive"]["wall"] / passes["scan"]["wall"],
        "naive_over_scan_cpu": passes["naive"]["cpu"] / passes["scan"]["cpu"],
        "scan_over_decode": passes["scan"]["wall"] / passes["decode"]["wall"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clip", type=Path, nargs="?", help="a clip of your own; one is rendered otherwise")
    parser.add_argument("--naive-seconds", type=float, default=60, help="how much the naive pass runs on")
    parser.add_argument("--only", choices=["scan", "naive", "decode"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        print(json.dumps(measure(options.only, options.clip, options.naive_seconds)))
        return
    with tempfile.TemporaryDirectory() as folder:
        result = run(options.clip or render_clip_for(Path(folder)), options.naive_seconds)
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()

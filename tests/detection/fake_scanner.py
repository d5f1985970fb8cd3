"""Speaks as `python -m training.scan --serve` does (docs/scan-json.md), without a network or a decoder.

The weights file holds the sha256 to claim. What happens to a clip is in its file's name.
"""

import argparse
import ctypes
import json
import signal
import sys
import time
from pathlib import Path

SHA = "0" * 64
RESULT = {
    "version": 1,
    "facts": {"warnings": ["3 frames are damaged."]},
    "verdict": "sure",
    "reason": "the slate closes at frame 12",
    "claps": [
        {"frame": 12, "timecode": "01:00:00:12", "seconds": 0.5005, "confidence": 0.94, "last_open": 11,
         "box": [10.0, 20.0, 30.0, 40.0]},
    ],
    "detections": [
        {"frame": 0, "pts": 0, "seconds": 0.0, "boxes": []},
        {"frame": 11, "pts": 11, "seconds": 0.4588,
         "boxes": [{"bbox": [9.0, 19.0, 30.0, 40.0], "state": "open", "score": 0.97},
                   {"bbox": [9.0, 19.0, 30.0, 40.0], "state": "closed", "score": 0.2}]},
        {"frame": 12, "pts": 12, "seconds": 0.5005,
         "boxes": [{"bbox": [10.0, 20.0, 30.0, 40.0], "state": "closed", "score": 0.94}]},
        {"frame": 13, "pts": 13, "seconds": 0.5422,
         "boxes": [{"bbox": [10.0, 20.0, 30.0, 40.0], "state": "closed", "score": 0.9}]},
    ],
}  # fmt: skip


def say(**event: object) -> None:
    print(json.dumps(event), flush=True)


def answer(request: dict) -> None:
    name = Path(request["path"]).name
    say(id=request["id"], event="progress", done=100, total=1000, stage="coarse")
    if "hang-once" in name:
        hung = Path(request["path"]).with_suffix(".hung")
        if not hung.exists():
            hung.touch()
            time.sleep(3600)
    elif "hang" in name:
        time.sleep(3600)
    if "die" in name:
        sys.exit(3)
    if "refuse" in name:
        say(id=request["id"], event="failed", kind="broken", error="The file is damaged at its start.")
        return
    if "memory" in name:
        say(id=request["id"], event="failed", kind="memory", error="Reading it took too much memory.")
        return
    say(id=request["id"], event="progress", done=900, total=1000, stage="dense")
    say(id=request["id"], event="result", result=RESULT)


def main() -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: dies with the worker
    options = argparse.ArgumentParser()
    options.add_argument("--checkpoint", type=Path)
    sha256 = options.parse_args().checkpoint.read_text()
    say(event="ready", checkpoint={"sha256": sha256, "architecture": "fake", "name": "fake"})
    for line in sys.stdin:
        answer(json.loads(line))


if __name__ == "__main__":
    main()

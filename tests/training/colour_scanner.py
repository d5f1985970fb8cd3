"""The scanner process, `python -m training.scan --serve`, with the detector that knows colours for a network.

Takes the same arguments. A checkpoint called `refused` cannot be loaded; `crash` in a name ends the process.
"""

import os
import sys
from pathlib import Path
from types import ModuleType

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.training.coloured import ColourDetector
from training import serving
from training.checkpoints import CheckpointError


def load_detector(
    path: Path | None = None, device: str = "auto", threads: int | None = None
) -> ColourDetector:
    if path is not None and path.name == "refused":
        raise CheckpointError("The checkpoint refused has no readable card refused.json.")
    print("a library prints this to stdout")
    os.system("echo and so does a C library")
    return ColourDetector()


inference = ModuleType("training.inference")
inference.load_detector = load_detector
sys.modules["training.inference"] = inference

look_at_clip = serving.scan


def scan(path: Path, *given: object, **named: object) -> object:
    if "crash" in path.name:
        print("the network ran out of luck", file=sys.stderr)
        sys.stderr.flush()
        os._exit(3)
    if "bug" in path.name:
        raise RuntimeError("no such layer")
    return look_at_clip(path, *given, **named)


serving.scan = scan

if __name__ == "__main__":
    sys.exit(serving.main())

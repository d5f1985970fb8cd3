"""The reading child: pictures in, slates out. `python -m training.slate_text.child LIMITS`.

Started by training.slate_text.reader alone. It limits itself before it loads onnxruntime, which looks at
pictures out of strangers' files.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from typing import Any

import numpy as np

from training.footage.facts import Limits
from training.footage.fence import MEMORY_EXIT, Wire, confine
from training.slate_text.failures import SAID


def serve(wire: Wire) -> None:
    """Answer until the parent is gone."""
    import cv2

    from training.slate_text.reading import Ocr
    from training.slate_text.slate import read_slate

    cv2.setNumThreads(1)
    reader = Ocr()
    while (request := wire.request()) is not None:
        height, width = request["height"], request["width"]
        picture = np.frombuffer(wire.body(height * width * 3), np.uint8).reshape(height, width, 3)
        slate = read_slate(picture, reader)
        fields = {name: asdict(read) for name, read in slate.fields.items()}
        lines = [
            {"text": line.text, "score": round(line.score, 3), "corners": line.corners}
            for line in slate.lines
        ]
        wire.tell({"is": "slate", "fields": fields, "lines": lines, "upside_down": slate.upside_down})


def main() -> None:
    limits: dict[str, Any] = json.loads(sys.argv[1])
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not end up on the wire
    confine(Limits(**limits))
    wire = Wire(0, answers)
    try:
        serve(wire)
    except (BrokenPipeError, EOFError):
        return
    except MemoryError:
        os._exit(MEMORY_EXIT)
    except Exception as error:  # onnxruntime and RapidOCR have no common class for what goes wrong
        wire.tell(
            {"is": "failed", "kind": "broken", "error": f"{SAID}The slate could not be read: {error}"[:500]}
        )


if __name__ == "__main__":
    main()

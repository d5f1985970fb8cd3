"""The same network behind label-studio-ml, as its examples do it: one picture after the other.

benchmarks/predict.py serves this with gunicorn, in an environment of its own.
"""

from __future__ import annotations

import importlib
import os
from pathlib import Path

import numpy as np
from PIL import Image

from training.inference import load_detector

STORE = Path(os.environ["STORE"])
DETECTOR = load_detector(threads=int(os.environ["OMP_NUM_THREADS"]))
# By name: it is in the throwaway environment alone, and no package that we depend on.
reference = importlib.import_module("label_studio_ml.model")


class Slates(reference.LabelStudioMLBase):
    def predict(self, tasks: list[dict], **kwargs: object) -> list[dict]:
        return [self._prediction(task) for task in tasks]

    def _prediction(self, task: dict) -> dict:
        picture = np.asarray(Image.open(STORE / "frames" / f"{task['data']['frame_key']}.jpg").convert("RGB"))
        high, wide = picture.shape[:2]
        found = DETECTOR.detect([picture])[0]
        regions = [
            {
                "from_name": "label", "to_name": "image", "type": "rectanglelabels",
                "original_width": wide, "original_height": high, "image_rotation": 0, "score": one.score,
                "value": {
                    "x": one.box.x / wide * 100, "y": one.box.y / high * 100,
                    "width": one.box.w / wide * 100, "height": one.box.h / high * 100,
                    "rotation": 0, "rectanglelabels": [str(one.state)],
                },
            }
            for one in found if one.score >= 0.5
        ]  # fmt: skip
        return {"result": regions, "score": max((one.score for one in found), default=0.0)}


app = importlib.import_module("label_studio_ml.api").init_app(
    model_class=Slates, model_dir=str(STORE.parent / "reference")
)

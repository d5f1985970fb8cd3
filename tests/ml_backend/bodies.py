"""What Label Studio 1.23.2 sent to a backend when it was recorded, trimmed where it repeats itself."""

import json
from pathlib import Path
from typing import Any

CLIP = "0f8fad5b-d9cb-469f-a165-70867728950e"
CONFIG = """<View>
  <Image name="image" value="$image"/>
  <RectangleLabels name="label" toName="image" canRotate="false">
    <Label value="open" hotkey="1"/><Label value="closed" hotkey="2"/>
  </RectangleLabels>
</View>"""
HEADERS = {
    "User-Agent": "heartex/1.23.2+0.gdf96d79.dirty",
    "Accept-Encoding": "gzip, deflate",
    "Accept": "*/*",
    "Content-Type": "application/json",
}
SETUP: dict[str, Any] = {
    "project": "1.1795383718",
    "schema": CONFIG,
    "hostname": "http://127.0.0.1:18080",
    "access_token": "0123456789012345678901234567890123456789",
    "extra_params": {},
}
REGION: dict[str, Any] = {
    "original_width": 1280,
    "original_height": 720,
    "image_rotation": 0,
    "value": {
        "x": 14.61, "y": 16.33, "width": 34.14, "height": 69.92, "rotation": 0, "rectanglelabels": ["open"],
    },
    "id": "open_00_jpg",
    "from_name": "label",
    "to_name": "image",
    "type": "rectanglelabels",
    "origin": "prediction",
    "score": 0.235,
}  # fmt: skip


def task(number: int, **fields: Any) -> dict[str, Any]:
    """A task of /predict, showing frame `number` of the clip."""
    return {
        "id": number,
        "data": {
            "image": f"http://127.0.0.1:19091/closed_{number:02}.jpg",
            "frame_key": f"{CLIP}/{number}",
            **fields,
        },
        "meta": {},
        "inner_id": number,
        "is_labeled": False,
        "total_predictions": 1,
        "project": 1,
        "annotations": [],
        "predictions": [{"id": 9, "result": [REGION], "score": 0.3, "model_version": "day0-c425d560e487"}],
    }


def predict(*tasks: dict[str, Any], config: str = CONFIG) -> dict[str, Any]:
    return {
        "tasks": list(tasks),
        "project": "1.1795383718",
        "label_config": config,
        "params": {"login": None, "password": None, "context": None},
    }


PROJECT: dict[str, Any] = {"id": 33, "title": "Slates", "label_config": CONFIG, "token": "a-secret-of-theirs"}
CREATED: dict[str, Any] = {
    "action": "ANNOTATION_CREATED",
    "annotation": {
        "id": 97, "result": [REGION], "was_cancelled": False, "lead_time": 4.541, "unique_id": "c534",
        "task": 5365, "project": 33, "completed_by": 1, "parent_prediction": 5379,
    },
    "task": {"id": 5365, "data": {"image": "a.jpg", "frame_key": f"{CLIP}/7"}, "is_labeled": True},
    "project": PROJECT,
}  # fmt: skip
SKIPPED = {**CREATED, "annotation": {**CREATED["annotation"], "was_cancelled": True}}
MANY: dict[str, Any] = {
    "action": "ANNOTATIONS_CREATED",
    "annotation": [{"id": 1, "task": 5, "result": []}, {"id": 2, "task": 6, "result": []}],
    "task": [{"id": 5, "data": {"frame_key": f"{CLIP}/1"}}, {"id": 6, "data": {"image": "a.jpg"}}],
    "project": PROJECT,
}
DELETED: dict[str, Any] = {"action": "ANNOTATIONS_DELETED", "annotations": [{"id": 69}], "project": PROJECT}
START_TRAINING: dict[str, Any] = {"action": "START_TRAINING", "project": PROJECT}


def kept(store: Path) -> list[dict[str, Any]]:
    """The events in a folder's store, oldest first."""
    return [json.loads(path.read_bytes()) for path in sorted((store / "webhooks").glob("*.json"))]

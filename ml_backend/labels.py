"""What a project's label config calls an open and a closed slate, and predictions in its words."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ml_backend.refusals import Refused
from training.claps.appearance import CLEAR, Sighting
from training.claps.tracks import objects_of
from training.slates import Box, Detection, State
from training.uncertainty import frame_doubt

LONGEST = 256 << 10  # characters
EXAMPLE = (
    '<RectangleLabels name="slate" toName="image">'
    '<Label value="open"/><Label value="closed"/></RectangleLabels>'
)
Prediction = dict[str, Any]


@dataclass(frozen=True)
class Labels:
    """The control that boxes are drawn with. `names`: its labels; `variable`: the picture's key in a task."""

    control: Any
    to_name: str
    variable: str
    names: dict[State, str]

    def prediction(
        self, detections: Sequence[Detection], *, size: tuple[int, int], model_version: str
    ) -> Prediction:
        """A picture's slates as Label Studio's prediction; `size` is its width and height.

        One region for each slate that is clear, in its likelier state. The score says how little is in doubt:
        Label Studio's "uncertainty sampling" serves the lowest first.
        """
        from label_studio_sdk.label_interface.objects import PredictionValue

        shown = [one for one in objects_of(0, detections) if one.strength >= CLEAR and one.box]
        regions = [self._region(one, size, model_version) for one in shown if _inside(one.box, size)]
        score = round(1 - frame_doubt(detections), 4)
        value = PredictionValue(result=[*regions], score=score, model_version=model_version)
        return dict(value.model_dump())

    def _region(self, one: Sighting, size: tuple[int, int], model_version: str) -> Prediction:
        x, y, w, h = (round(side, 3) for side in _inside(one.box, size) or (0, 0, 0, 0))
        state = State.OPEN if one.open > one.closed else State.CLOSED
        region = self.control.label(
            self.names[state], to_name=self.to_name, x=x, y=y, width=w, height=h, rotation=0
        )
        region.id = hashlib.sha256(f"{model_version} {state} {x} {y} {w} {h}".encode()).hexdigest()[:10]
        named: Prediction = region._dict()
        # The SDK's regions leave these out, and the editor cannot do without them.
        about = {"original_width": size[0], "original_height": size[1], "image_rotation": 0}
        return named | about | {"score": round(one.strength, 4)}


def unknown(reason: str, *, model_version: str) -> Prediction:
    """The prediction for a picture that could not be looked at: no regions, and the first in the queue."""
    return {"result": [], "score": 0.0, "model_version": model_version, "error": reason}


def _inside(box: Box | None, size: tuple[int, int]) -> tuple[float, float, float, float] | None:
    """x, y, width and height in percent of the picture, cut at its edges; None for what lies outside."""
    if box is None:
        return None
    left, right = (min(max(x / size[0] * 100, 0.0), 100.0) for x in (box.x, box.x + box.w))
    top, bottom = (min(max(y / size[1] * 100, 0.0), 100.0) for y in (box.y, box.y + box.h))
    return (left, top, right - left, bottom - top) if right - left > 0.1 and bottom - top > 0.1 else None


@lru_cache(maxsize=32)
def read_labels(config: str) -> Labels:
    """The first RectangleLabels over an Image with labels for open and closed. Raises Refused."""
    interface = _interface(config)
    boxes = [control for control in interface.controls if control.tag == "RectangleLabels"]
    if not boxes:
        raise Refused(400, f"The label config has no RectangleLabels, for example {EXAMPLE}.")
    over = [(control, image) for control in boxes for image in control.objects if image.tag == "Image"]
    if not over:
        raise Refused(400, "The RectangleLabels of the label config are not over an Image: check its toName.")
    missing: list[list[State]] = []
    for control, image in over:
        names = _names(control)
        if len(names) == len(State):
            return Labels(control, image.name, _variable(image), names)
        missing.append([state for state in State if state not in names])
    lacking = " and ".join(f'"{state}"' for state in min(missing, key=len))
    raise Refused(
        400, f"The RectangleLabels of the label config lack a Label whose value or alias is {lacking}."
    )


def _interface(config: str) -> Any:
    if len(config) > LONGEST:
        raise Refused(400, f"The label config has more than {LONGEST} characters.")
    if re.search(r"<!\s*(DOCTYPE|ENTITY)", config, re.IGNORECASE):
        raise Refused(400, "The label config declares a document type, which is not read.")
    from label_studio_sdk.label_interface.interface import LabelInterface

    try:
        return LabelInterface(config)
    except Exception as error:  # lxml's, the SDK's own, KeyError and more: it is no config
        raise Refused(400, "The label config is not one that Label Studio would take.") from error


def _names(control: Any) -> dict[State, str]:
    """What the control calls each state: the label whose value or alias says so in any case."""
    names: dict[State, str] = {}
    for name, label in control.labels_attrs.items():
        for word in _words(label.attr):
            if word in set(State):
                names.setdefault(State(word), name)
    return names


def _words(attributes: dict[str, str]) -> Iterable[str]:
    return (attributes[key].strip().lower() for key in ("value", "alias") if attributes.get(key))


def _variable(image: Any) -> str:
    return str(image.value_name or "image")

"""Frames as Label Studio's tasks: what they are there, and what they should be. Talks to nobody."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from secondsticks.labeling import signed_pictures
from secondsticks.labeling.label_studio.links import LabelStudioLink
from secondsticks.labeling.models import FrameState, QueuedFrame
from training.champion import model_version
from training.label_studio import FROM_NAME, TO_NAME, region
from training.slates import Box, State

Json = dict[str, Any]
#: Hot keys 1 and 2; boxes that cannot be turned, as the detector knows none.
CONFIG = f"""<View>
  <Header value="$clip"/>
  <Text name="about" value="$about"/>
  <Image name="{TO_NAME}" value="$image" zoom="true" zoomControl="true" crosshair="true"/>
  <RectangleLabels name="{FROM_NAME}" toName="{TO_NAME}" canRotate="false">
    <Label value="{State.OPEN}" hotkey="1" background="#2f9e44"/>
    <Label value="{State.CLOSED}" hotkey="2" background="#e03131"/>
  </RectangleLabels>
</View>
"""
#: Frames that are to be asked about say so; the view shows no others.
ASKED, NOT_ASKED = "yes", "no"


@dataclass(frozen=True)
class Task:
    """A task as Label Studio's export has it."""

    id: int
    told: Json
    annotations: list[Json]
    drafts: int

    @property
    def is_touched(self) -> bool:
        """Whether anybody has begun to answer."""
        return bool(self.annotations or self.drafts)


def tasks_in(export: object) -> dict[str, list[Task]]:
    """The tasks of an export that are frames of ours, by frame_key; there may be several of one frame."""
    found: defaultdict[str, list[Task]] = defaultdict(list)
    for said in export if isinstance(export, list) else []:
        told = said.get("data") if isinstance(said, dict) else None
        if not isinstance(told, dict):
            continue
        key = told.get("frame_key")
        if isinstance(key, str) and isinstance(said.get("id"), int):
            annotations = [one for one in said.get("annotations") or [] if isinstance(one, dict)]
            found[key].append(Task(said["id"], told, annotations, len(said.get("drafts") or [])))
    return dict(found)


def data_of(frame: QueuedFrame, link: LabelStudioLink, now: Mapping[str, Any] | None = None) -> Json:
    """What the task of a frame should say. `now`: what it says; an address that still works is kept."""
    address = str((now or {}).get("image", ""))
    if not signed_pictures.is_fresh(address, frame, link):
        address = signed_pictures.address_of(frame, link)
    reasons = "; ".join(frame.reasons) or "chosen by chance"
    at = f"frame {frame.frame}" + (f", {frame.timecode}" if frame.timecode else "")
    return {
        "image": address,
        "frame_key": frame.frame_key,
        "clip": frame.clip.name,
        "about": f"{at}: {reasons}",
        "uncertainty": uncertainty_of(frame),
        "place": f"{max(frame.rank, 0):014.6f}",  # Label Studio sorts it as text
        "asked": ASKED if frame.state == FrameState.WAITING else NOT_ASKED,
    }


def uncertainty_of(frame: QueuedFrame) -> float:
    return round(min(max(frame.worth, 0.0), 1.0), 4)


def version_of(frame: QueuedFrame) -> str:
    """Whose proposals the frame has; empty while nobody has looked at it."""
    return model_version(frame.checkpoint.name, frame.checkpoint.sha256) if frame.checkpoint else ""


def prediction_of(frame: QueuedFrame) -> Json | None:
    """The champion's proposals; the lower its score, the sooner Label Studio's own sampling asks."""
    version = version_of(frame)
    if not version:
        return None
    regions = []
    for said in frame.proposals:
        box, state = Box(said["x"], said["y"], said["w"], said["h"]), State(said["state"])
        named = hashlib.sha256(f"{version} {frame.frame_key} {said}".encode()).hexdigest()[:10]
        drawn = region(box, state, width=frame.width, height=frame.height, id=named)
        regions.append(drawn | {"score": round(float(said.get("score", 0)), 4)})
    return {"result": regions, "score": round(1 - uncertainty_of(frame), 4), "model_version": version}


def frames_of(link: LabelStudioLink, keys: Iterable[str]) -> dict[str, QueuedFrame]:
    """The frames of the link's project that are named; keys of other projects name nothing."""
    wanted = set(keys)
    rows = QueuedFrame.objects.filter(project=link.project_id).select_related("clip", "checkpoint")
    clips = {key.rpartition("/")[0] for key in wanted}
    numbers = {key.rpartition("/")[2] for key in wanted}
    found = rows.filter(
        clip__uuid__in=[clip for clip in clips if _is_uuid(clip)],
        frame__in=[
            int(number) for number in numbers if number.isascii() and number.isdigit() and len(number) < 10
        ],
    )
    return {frame.frame_key: frame for frame in found if frame.frame_key in wanted}


def _is_frame(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False

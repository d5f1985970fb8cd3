"""What Label Studio tells us, kept for the platform: one small object in the store per event that matters.

An event is a hint that names what changed. It carries nobody's work and none of the secrets that Label Studio
puts into its webhooks; the platform asks Label Studio for the rest (docs/ml-backend.md).
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from ml_backend.refusals import Refused, later
from training.store import Store, StoreError

FOLDER = "webhooks"
VERSION = 1
START_TRAINING = "START_TRAINING"
#: What the platform wants to know of. Label Studio sends more, and that is acknowledged and left.
ACTIONS = frozenset(
    {
        *("ANNOTATION_CREATED", "ANNOTATIONS_CREATED", "ANNOTATION_UPDATED", "ANNOTATIONS_DELETED"),
        *("TASKS_DELETED", START_TRAINING),
    }
)
MOST = 10_000  # ids of one event
Json = Mapping[str, Any]


def keep(store: Store, body: Json) -> dict[str, str]:
    """Keep an event and say so; an action that nobody waits for is `ignored`. Raises Refused."""
    action = body.get("action")
    if not isinstance(action, str):
        raise Refused(400, "A webhook is a JSON object with an action.")
    if action not in ACTIONS:
        return {"status": "ignored"}
    now, number = datetime.now(UTC), str(uuid.uuid4())
    event = {"version": VERSION, "id": number, "received_at": now.isoformat(), **event_of(action, body)}
    try:
        store.put_new(f"{FOLDER}/{now:%Y%m%dT%H%M%S.%f}-{number}.json", json.dumps(event).encode())
    except StoreError as error:
        raise later(f"The event cannot be kept just now. {error}", seconds=30) from error
    return {"status": "queued", "job": number}


def event_of(action: str, body: Json) -> dict[str, Any]:
    """What is kept of a webhook: what happened, and the numbers of the project, annotations and tasks."""
    annotations = list(_objects(body, "annotation", "annotations"))
    return {
        "action": action,
        "project": _project(body.get("project")),
        "annotations": [_annotation(one) for one in annotations[:MOST]],
        "tasks": [_task(one) for one in list(_objects(body, "task", "tasks"))[:MOST]],
    }


def _objects(body: Json, *keys: str) -> Iterator[Json]:
    """The objects under the keys: Label Studio sends one, or a list of them."""
    for key in keys:
        found = body.get(key)
        yield from (one for one in (found if isinstance(found, list) else [found]) if isinstance(one, dict))


def _annotation(one: Json) -> dict[str, Any]:
    return {
        "id": _number(one.get("id")),
        "task": _number(one.get("task")),
        "was_cancelled": one.get("was_cancelled") is True,
    }


def _task(one: Json) -> dict[str, Any]:
    named = one.get("data")
    key = named.get("frame_key") if isinstance(named, dict) else None
    return {"id": _number(one.get("id")), "frame_key": key[:100] if isinstance(key, str) else None}


def _project(project: object) -> int | None:
    """Its number: Label Studio sends an object, a number, or `1.1795383718` (number and time of making)."""
    if isinstance(project, dict):
        project = project.get("id")
    if isinstance(project, str):
        project = int(number) if (number := project.partition(".")[0][:18]).isdecimal() else None
    return _number(project)


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63 else None

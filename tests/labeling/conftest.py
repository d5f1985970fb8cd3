"""Frames in the queue, and pages of people who label them."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from itertools import count
from uuid import UUID

import pytest
from django.test import Client
from django.urls import reverse

PROPOSAL = {"x": 100.0, "y": 50.0, "w": 200.0, "h": 150.0, "state": "open", "score": 0.62}
BOX = {"x": 100.0, "y": 50.0, "w": 200.0, "h": 150.0, "state": "open"}
OTHER = {"x": 600.0, "y": 50.0, "w": 200.0, "h": 150.0, "state": "closed"}


@pytest.fixture
def make_frame(make_clip) -> Callable:
    """Make a waiting frame: of a clip that is made with the first one, ranked by its number."""
    numbers, clips = count(10), []

    def make(clip=None, **fields):
        from secondsticks.detection.models import Checkpoint
        from secondsticks.labeling.models import QueuedFrame

        champion, _ = Checkpoint.objects.get_or_create(sha256="ab" * 32, defaults={"name": "day 0"})
        if clip is None:
            clips[:] = clips or [make_clip()]
            clip = clips[0]
        number = fields.pop("frame", None)
        number = next(numbers) if number is None else number
        known = {
            "project": clip.project, "clip": clip, "frame": number, "pts": number, "rank": number, "batch": 1,
            "timecode": clip.timecode_at(number), "width": 1920, "height": 1080,
            "picture_sha256": sha256(b"a picture").hexdigest(),
            "proposals": [PROPOSAL], "checkpoint": champion, "why": "uncertain",
            "reasons": ["the sticks could be open or closed"],
        }  # fmt: skip
        return QueuedFrame.objects.create(**{**known, **fields})

    return make


class Page:
    """Somebody's label page: sends what it would send."""

    def __init__(self, person, project) -> None:
        self.person, self.project = person, project
        self.client = Client()
        self.client.force_login(person)

    def send(self, name: str, uuid: UUID | str, *, method: str = "post", **said):
        address = reverse(f"labeling:{name}", args=[uuid])
        body = json.dumps(said)
        return getattr(self.client, method)(address, body, content_type="application/json")

    def read(self, name: str, uuid: UUID | str, **query):
        return self.client.get(reverse(f"labeling:{name}", args=[uuid]), query)

    def next(self, *holding: str) -> dict | None:
        response = self.send("next", self.project.uuid, holding=list(holding))
        assert response.status_code == 200, response.content
        return response.json()["frame"]

    def save(self, frame: dict, boxes=(BOX,), *, key: str | None = None, **said):
        return self.send("save", frame["uuid"], **self.about(frame, key), boxes=list(boxes), **said)

    def skip(self, frame: dict, reason: str = "unsure", *, key: str | None = None):
        return self.send("skip", frame["uuid"], **self.about(frame, key), reason=reason)

    def undo(self, frame: dict, made_on: int, *, key: str = "undo"):
        return self.send("undo", frame["uuid"], key=key, made_on=made_on)

    def about(self, frame: dict, key: str | None) -> dict:
        token, made_on = frame["lease"]["token"], frame["version"]
        return {"key": key or f"save {made_on}", "token": token, "made_on": made_on}


@pytest.fixture
def open_page(project) -> Callable:
    return lambda person, of=None: Page(person, of or project)


@pytest.fixture
def page(open_page, annotator):
    return open_page(annotator)


@pytest.fixture
def other_page(open_page, lead):
    return open_page(lead)

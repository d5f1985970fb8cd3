"""The demo project: one rendered clip of each kind, so that the first start has something to show."""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from secondsticks.footage.models import Clip, Project

#: The ids of the demo are made from this one: rendering it twice makes nothing twice.
NAMESPACE = uuid.UUID("5ec0d571-c600-4de0-9000-000000000001")
SIZE = (640, 360)

CLIPS: dict[str, dict[str, Any]] = {
    "A001_C001 head slate.mov": {
        **{"kind": "head", "rate": Fraction(24000, 1001), "seconds": 7, "seed": 125},
        "start_timecode": "01:00:00:00",
    },
    "A001_C002 tail slate.mov": {
        **{"kind": "tail", "rate": Fraction(25), "seconds": 7, "seed": 125},
        "start_timecode": "10:12:30:00",
    },
    "A001_C003 second sticks.mov": {
        **{"kind": "second_sticks", "rate": Fraction(30000, 1001), "seconds": 8, "seed": 120},
        **{"start_timecode": "00:59:56;00", "drop_frame": True},
    },
    "A001_C004 MOS.mov": {
        **{"kind": "mos", "rate": Fraction(24), "seconds": 6, "seed": 123, "audio": False},
        "start_timecode": "14:20:00:00",
    },
    "A001_C005 no slate.mov": {"kind": "no_slate", "rate": Fraction(24), "seconds": 6, "seed": 126},
}


def enqueue() -> None:
    """Have a worker make the demo project."""
    from secondsticks.footage.tasks import make_demo  # tasks imports this module

    make_demo.send()


def make(*, send_ingest: Callable[[Clip], None]) -> None:
    """Make what is missing of the demo project. Interrupted anywhere, the next call goes on from there."""
    project, _ = Project.objects.get_or_create(
        uuid=uuid.uuid5(NAMESPACE, "project"), defaults={"name": "Demo: Second Sticks", "sample": True}
    )
    for name, wanted in CLIPS.items():
        _make_clip(project, name, wanted, send_ingest=send_ingest)


def _make_clip(
    project: Project, name: str, wanted: dict[str, Any], *, send_ingest: Callable[[Clip], None]
) -> None:
    from training.render.clips import ClipSpec, render_clip  # the web process need not load the renderer
    from training.render.scenes import FarAway

    known = uuid.uuid5(NAMESPACE, name)
    if Clip.objects.filter(uuid=known).exists():
        return
    path = project.folder / str(known) / "source.mov"
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"partial-{os.getpid()}-{threading.get_ident()}.mov")
    try:
        render_clip(ClipSpec(size=SIZE, **wanted), partial, backgrounds=FarAway())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    fields = {
        "project": project,
        "name": name,
        "origin": Clip.Origin.DEMO,
        "location": str(path.relative_to(settings.HOME)),
        "size": path.stat().st_size,
        "queued_at": Now(),
    }
    with transaction.atomic():
        clip, made = Clip.objects.get_or_create(uuid=known, defaults=fields)
        if made:
            transaction.on_commit(lambda: send_ingest(clip), robust=True)

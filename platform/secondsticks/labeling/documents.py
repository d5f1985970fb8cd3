"""What the labelling API answers, as JSON types: the one place of its field names (docs/labelling.md)."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from secondsticks.labeling.models import Annotation
from secondsticks.labeling.queue import OpenFrame

Document = dict[str, Any]
#: Frames on each side of a frame that can be looked at, to see it in motion.
NEIGHBOURS = 12


def open_frame(found: OpenFrame) -> Document:
    """A frame that was leased to whoever asks."""
    frame, clip = found.frame, found.frame.clip
    last = (clip.frames or 1) - 1
    return {
        "uuid": str(frame.uuid),
        "key": frame.frame_key,
        "clip": {"uuid": str(clip.uuid), "name": clip.name, "frames": clip.frames},
        "frame": frame.frame,
        "timecode": frame.timecode,
        "width": frame.width,
        "height": frame.height,
        "picture": reverse("labeling:picture", args=[frame.uuid]),
        "neighbours": {
            "first": max(frame.frame - NEIGHBOURS, 0),
            "last": min(frame.frame + NEIGHBOURS, last),
            "picture": reverse("labeling:neighbour", args=[frame.uuid, 0]).replace("/0.jpg", "/{frame}.jpg"),
        },
        "why": frame.why,
        "worth": frame.worth,
        "reasons": frame.reasons,
        "proposals": frame.proposals,
        "version": frame.version,
        "opinions": {"wanted": frame.opinions, "given": len(frame.people)},
        "lease": {"token": str(frame.lease_token), "seconds": found.lease_seconds},
        "draft": found.draft,
    }


def boxes(said: list[Document] | None) -> list[Document] | None:
    """In our order, not in the database's: the same answer is the same bytes."""
    return said and [{name: box[name] for name in ("x", "y", "w", "h", "state")} for box in said]


def annotation(row: Annotation) -> Document:
    return {
        "uuid": str(row.uuid),
        "version": row.number,
        "made_on": row.made_on,
        "boxes": boxes(row.boxes),
        "skip_reason": row.skip_reason,
        "origin": row.origin,
        "undoes": row.undoes.number if row.undoes else None,
        "by": row.by_name,
        "at": row.at.isoformat(),
        "seconds": row.seconds,
    }

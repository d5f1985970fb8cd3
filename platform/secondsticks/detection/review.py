"""Reviewing: what the clip page offers to decide on, and which clip comes next."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db.models import Q, QuerySet
from django.urls import reverse

from secondsticks.detection.decisions import new_key
from secondsticks.detection.models import Decision, DecisionKind, Scan
from secondsticks.detection.standing import active
from secondsticks.detection.statuses import ShownClip, scan_of, with_scans, with_status
from secondsticks.footage.models import Clip, Project
from training.claps.claps import Verdict

#: Frames on each side of the middle one of the filmstrip.
AROUND = 4
DID = {
    DecisionKind.ACCEPT: "accepted the clap at frame {before}",
    DecisionKind.MOVE: "moved the clap from frame {before} to {after}",
    DecisionKind.ADD: "added a clap at frame {after}",
    DecisionKind.REJECT: "rejected the clap at frame {before}",
    DecisionKind.MOS: "said MOS: no clap",
    DecisionKind.NO_SLATE: "said that there is no slate",
}


@dataclass(frozen=True)
class Review(ShownClip):
    """What can be decided about a clip whose scan is done."""

    upcoming: Clip | None = None  # from `with_scans`

    @cached_property
    def done(self) -> Scan:
        assert self.scan is not None
        return self.scan

    @property
    def key(self) -> str:
        return new_key()

    @cached_property
    def decisions(self) -> list[Decision]:
        return list(self.clip.decisions.all())

    @property
    def can_undo(self) -> bool:
        return bool(active(self.decisions))

    @property
    def can_accept(self) -> bool:
        """Whether Enter has something to agree with: a clap, or a verdict that needs none."""
        return bool(self.claps) or self.standing.verdict in (Verdict.MOS, Verdict.NO_SLATE)

    @property
    def more(self) -> int:
        """How many other clips need a look."""
        return to_look_at(self.clip.project).exclude(pk=self.clip.pk).count()

    @property
    def history(self) -> list[dict[str, Any]]:
        """All decisions, the latest first: who, when, what."""
        by_pk = {decision.pk: decision for decision in self.decisions}
        return [
            {"by": one.by_name, "at": one.at, "did": in_words(one, by_pk), "bulk": one.batch is not None}
            for one in reversed(self.decisions)
        ]

    @property
    def start(self) -> int:
        """Where to look first if there is no clap: where one was heard, or at the end of the last slate."""
        if self.claps:
            return self.claps[0].frame
        if self.done.heard:
            return min(int(self.done.heard[0]["seconds"] * self.clip.rate), (self.clip.frames or 1) - 1)
        return int(self.done.slate_spans[-1]["last"]) if self.done.slate_spans else 0

    @property
    def strip(self) -> list[dict[str, Any]]:
        """The nine frames around the first clap; None in place of those outside of the clip."""
        return [
            {
                "frame": frame if 0 <= frame < (self.clip.frames or 0) else None,
                "address": frame_address(self.clip, self.done, frame),
                "closed": bool(self.claps) and frame == self.start,
            }
            for frame in range(self.start - AROUND, self.start + AROUND + 1)
        ]

    def state(self) -> dict[str, Any]:
        """What review.js needs to know."""
        return {
            "decisions": len(self.decisions),
            "confirmed": self.standing.is_confirmed,
            "verdict": self.standing.verdict,
            "claps": [
                {
                    "id": str(shown.clap.id),
                    "frame": shown.frame,
                    "seconds": shown.seconds,
                    "confirmed": shown.clap.is_confirmed,
                    "heard": shown.heard_at,
                }
                for shown in self.claps
            ],
            "start": self.start,
            "frames": self.clip.frames,
            "frameAddress": frame_address(self.clip, self.done, 0),
            "soundAddress": reverse("detection:clip-sound", args=[self.clip.uuid]),
            "prefetch": self.prefetch(),
        }

    def prefetch(self) -> list[str]:
        """The pictures and the sound that the next clip's page begins with, at the addresses it asks for."""
        if self.upcoming is None or (scan := scan_of(self.upcoming)) is None or not scan.slate_spans:
            return []
        shown = [frame for frame in Review(self.upcoming).strip if frame["frame"] is not None]
        sound = reverse("detection:clip-sound", args=[self.upcoming.uuid])
        return [
            *(frame["address"] for frame in shown),
            f"{sound}?first={shown[0]['frame']}&last={shown[-1]['frame']}",
        ]


def in_words(decision: Decision, by_pk: dict[int, Decision]) -> str:
    if decision.kind == DecisionKind.UNDO:
        undone = by_pk.get(decision.undoes_id or 0)
        return f"took back: {in_words(undone, by_pk)}" if undone else "took something back"
    words = DID[DecisionKind(decision.kind)]
    return words.format(before=decision.frame_before, after=decision.frame_after)


def frame_address(clip: Clip, scan: Scan, frame: int) -> str:
    """A frame's picture; named for the scan too, whose claps say what part of it is shown."""
    address = reverse("detection:clip-frame", args=[clip.uuid, max(frame, 0)])
    return f"{address}?scan={scan.uuid}"


def to_look_at(project: Project) -> QuerySet[Clip]:
    """The clips that need a person's look, in the order in which they come."""
    clips = with_status(Clip.objects.filter(project=project))
    return clips.filter(status="look").order_by("name", "pk")  # type: ignore[misc]


def next_clip(project: Project, after: Clip | None) -> Clip | None:
    """The next clip that needs a look: after this one, or else from the beginning."""
    clips = to_look_at(project)
    if after is None:
        return clips.first()
    later = clips.filter(Q(name__gt=after.name) | Q(name=after.name, pk__gt=after.pk))
    return later.first() or clips.exclude(pk=after.pk).first()


def upcoming(clip: Clip) -> Clip | None:
    """The next clip with all that its page shows first."""
    coming = next_clip(clip.project, clip)
    return with_scans(Clip.objects.filter(pk=coming.pk)).first() if coming else None

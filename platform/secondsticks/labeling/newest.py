"""The frames that were labelled last, as small pictures: what holds for each, who said it and when."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from secondsticks.footage.models import Project
from secondsticks.labeling.models import Annotation, FrameState, Origin

#: So many are shown; of the newest so many versions, those that no longer hold are left out.
SHOWN, LOOKED_AT = 12, 60


@dataclass(frozen=True)
class Labelled:
    said: Annotation

    @property
    def boxes(self) -> list[dict[str, Any]]:
        return self.said.boxes or []

    @property
    def what(self) -> str:
        """As "open", "2 × closed, open" or "no slate"."""
        states = Counter(box["state"] for box in self.boxes)
        words = [f"{many} × {state}" if many > 1 else state for state, many in sorted(states.items())]
        return ", ".join(words) or "no slate"

    @property
    def how(self) -> str:
        return "in Label Studio" if self.said.origin == Origin.LABEL_STUDIO else self.said.origin

    @property
    def is_derived(self) -> bool:
        return self.said.origin == Origin.DERIVED


def labelled_last(project: Project, *, derived: bool) -> list[Labelled]:
    """The newest frames that are labelled, by people or, `derived`, by their decisions about clips."""
    said = Annotation.objects.filter(project=project, boxes__isnull=False).order_by("-at", "-pk")
    said = said.filter(origin=Origin.DERIVED) if derived else said.exclude(origin=Origin.DERIVED)
    rows = said.select_related("frame", "frame__clip")[:LOOKED_AT]
    holds = [row for row in rows if _holds(row)]
    return [Labelled(row) for row in holds[:SHOWN]]


def _holds(said: Annotation) -> bool:
    return said.frame.standing_id == said.pk and said.frame.state == FrameState.LABELLED

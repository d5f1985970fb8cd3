"""What is to be derived from people's decisions: one row a clip, waiting again after each decision."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import models
from django.db.models import QuerySet

from secondsticks.footage.models import Clip
from secondsticks.labeling.work import Work, WorkState

GIVEN_UP = "Labels could not be derived from what people said about this clip; the server's log says more."
SOON_AT_MOST = 20


class Derivation(Work):
    """Annotations that follow from what people said about a clip."""

    clip = models.OneToOneField("footage.Clip", models.CASCADE, related_name="derivation")

    def __str__(self) -> str:
        return f"labels derived for {self.clip}"


def ask_for(clips: Iterable[int]) -> list[Derivation]:
    """Rows for clips that somebody has decided on, in the transaction of the decisions.

    Work on what was said before is void. Returns what to send at once; the sweep sends the rest.
    """
    waiting = {"state": WorkState.WAITING, "failures": 0, "leased_until": None, "error": "", "sent_at": None}
    rows = Derivation.objects.bulk_create(
        [Derivation(clip_id=clip, **waiting) for clip in clips],
        update_conflicts=True,
        unique_fields=["clip"],
        update_fields=list(waiting),
        batch_size=1000,
    )
    return rows[:SOON_AT_MOST]


def without_derivation() -> QuerySet[Clip]:
    """Clips that were decided on before labels were derived."""
    return Clip.objects.filter(decisions__isnull=False, derivation__isnull=True).distinct()[:100]

"""How labelling goes: what waits, what is done and by whom, how far people agree. A few queries in all."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from statistics import fmean

from django.db.models import Count, Q
from django.db.models.functions import Now

from secondsticks.footage.models import Project
from secondsticks.labeling.agreement import agreement_of_all
from secondsticks.labeling.models import Annotation, Batch, FrameState, Origin, QueuedFrame
from secondsticks.labeling.work import WorkState

#: Agreement is that of the newest so many frames that several people have labelled.
COMPARED = 300
FROM_PROPOSALS = (Origin.ACCEPTED, Origin.CHANGED, Origin.DRAWN)


@dataclass(frozen=True)
class Person:
    """`answers` counts versions that hold something: labels and skips."""

    name: str
    answers: int
    skipped: int


@dataclass(frozen=True)
class Progress:
    waiting: int
    labelled: int
    skipped: int
    open_now: int
    people: tuple[Person, ...]
    #: Of labels that people gave, the share that accepted the proposals unchanged; None without one.
    accepted: float | None
    agreement: float | None
    compared: int
    filling: bool
    error: str

    @property
    def accepted_percent(self) -> int | None:
        return None if self.accepted is None else round(100 * self.accepted)

    @property
    def agreement_percent(self) -> int | None:
        return None if self.agreement is None else round(100 * self.agreement)


def progress_of(project: Project) -> Progress:
    frames = QueuedFrame.objects.filter(project=project)
    states = dict(frames.order_by().values_list("state").annotate(Count("pk")))
    people, origins = said_by_people(project)
    told = sum(origins[origin] for origin in FROM_PROPOSALS)
    agreed, compared = agreement_in(project)
    last = Batch.objects.filter(project=project).order_by("-number").first()
    return Progress(
        waiting=states.get(FrameState.WAITING, 0),
        labelled=states.get(FrameState.LABELLED, 0),
        skipped=states.get(FrameState.SKIPPED, 0),
        open_now=frames.filter(leased_to__isnull=False, leased_until__gt=Now()).count(),
        people=people,
        accepted=origins[Origin.ACCEPTED] / told if told else None,
        agreement=agreed,
        compared=compared,
        filling=last is not None and last.state in (WorkState.WAITING, WorkState.RUNNING),
        error=last.error if last is not None and last.state == WorkState.FAILED else "",
    )


def said_by_people(project: Project) -> tuple[tuple[Person, ...], Counter[str]]:
    """Who gave how many answers, the busiest first; and how labels came to be."""
    rows = Annotation.objects.filter(project=project, undoes=None).exclude(origin=Origin.DERIVED).order_by()
    told: defaultdict[str, Counter[str]] = defaultdict(Counter)
    origins: Counter[str] = Counter()
    for name, origin, count in rows.values_list("by_name", "origin").annotate(Count("pk")):
        told[name][origin] += count
        origins[origin] += count
    people = [Person(name, counts.total(), counts[Origin.SKIPPED]) for name, counts in told.items()]
    return tuple(sorted(people, key=lambda one: (-one.answers, one.name))), origins


def agreement_in(project: Project) -> tuple[float | None, int]:
    """How far people agree where several labelled the same frame, and in how many frames."""
    frames = QueuedFrame.objects.filter(project=project, people__len__gt=1, state=FrameState.LABELLED)
    newest = list(frames.order_by("-pk").values_list("pk", flat=True)[:COMPARED])
    opinions: defaultdict[int, dict[int | None, list | None]] = defaultdict(dict)
    rows = Annotation.objects.filter(~Q(by=None), frame__in=newest).exclude(origin=Origin.DERIVED)
    for frame, person, boxes in rows.order_by("number").values_list("frame", "by", "boxes"):
        opinions[frame][person] = boxes
    agreed = [
        agreement_of_all([boxes for boxes in each.values() if boxes is not None])
        for each in opinions.values()
    ]
    known = [one for one in agreed if one is not None]
    return (fmean(known) if known else None), len(known)

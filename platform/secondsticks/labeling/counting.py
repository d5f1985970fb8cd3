"""How labelling goes: what waits, what is done and by whom, how far people agree. A few queries in all."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from statistics import fmean

from django.db.models import Aggregate, Count, Exists, F, FloatField, OuterRef, Q
from django.db.models.functions import Now

from secondsticks.detection.models import Checkpoint
from secondsticks.footage.models import Project
from secondsticks.labeling.agreement import agreement_of_all
from secondsticks.labeling.estimates import Estimate, Share
from secondsticks.labeling.models import Annotation, Batch, FrameState, Origin, QueuedFrame
from secondsticks.labeling.work import WorkState

#: Agreement is that of the newest so many frames that several people have labelled.
COMPARED = 300
#: What the next answers are worth is told from the newest so many.
LOOKED_BACK = 200
FROM_PROPOSALS = (Origin.ACCEPTED, Origin.CHANGED, Origin.DRAWN)
#: Answers to a champion's proposals: what is drawn where none had looked is no answer to any. Only what is
#: drawn has its frame looked up, so that counting does not read all frames.
HAD_PROPOSALS = Q(origin__in=(Origin.ACCEPTED, Origin.CHANGED)) | (
    Q(origin=Origin.DRAWN)
    & Q(Exists(QueuedFrame.objects.filter(pk=OuterRef("frame"), checkpoint__isnull=False)))
)


class Median(Aggregate):
    function = "PERCENTILE_CONT"
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = FloatField()


@dataclass(frozen=True)
class Person:
    """`answers` counts labels and skips that were not taken back; `seconds` is the median of a frame.

    `accepted`, of `proposed`: labels that left the proposals as they were, of those that had any to leave.
    """

    name: str
    answers: int
    skipped: int
    accepted: int
    proposed: int
    seconds: float | None

    @property
    def accepted_share(self) -> Share:
        return Share(self.accepted, self.proposed)


@dataclass(frozen=True)
class Progress:
    waiting: int
    labelled: int
    derived: int
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
    """`labelled` includes what was `derived` from decisions about clips."""
    frames = QueuedFrame.objects.filter(project=project)
    states = dict(frames.order_by().values_list("state").annotate(Count("pk")))
    people = said_by_people(project)
    proposed, accepted = sum(one.proposed for one in people), sum(one.accepted for one in people)
    agreed, compared = agreement_in(project)
    last = Batch.objects.filter(project=project).order_by("-number").first()
    return Progress(
        waiting=states.get(FrameState.WAITING, 0),
        labelled=states.get(FrameState.LABELLED, 0),
        derived=Annotation.objects.filter(_STANDS, project=project, origin=Origin.DERIVED).count(),
        skipped=states.get(FrameState.SKIPPED, 0),
        open_now=frames.filter(leased_to__isnull=False, leased_until__gt=Now()).count(),
        people=people,
        accepted=accepted / proposed if proposed else None,
        agreement=agreed,
        compared=compared,
        filling=last is not None and last.state in (WorkState.WAITING, WorkState.RUNNING),
        error=last.error if last is not None and last.state == WorkState.FAILED else "",
    )


_STANDS = Q(frame__standing=F("pk"), frame__state=FrameState.LABELLED)


def answers_in(project: Project):
    """What people said and have not taken back."""
    undos = Annotation.objects.filter(undoes=OuterRef("pk"))
    rows = Annotation.objects.filter(~Exists(undos), project=project, undoes=None)
    return rows.exclude(origin=Origin.DERIVED).order_by()


def said_by_people(project: Project) -> tuple[Person, ...]:
    """Who gave how many answers, the busiest first."""
    rows = answers_in(project).values("by_name").annotate(
        answers=Count("pk"),
        skipped=Count("pk", filter=Q(origin=Origin.SKIPPED)),
        accepted=Count("pk", filter=HAD_PROPOSALS & Q(origin=Origin.ACCEPTED)),
        proposed=Count("pk", filter=HAD_PROPOSALS),
        median=Median("seconds"),
    )  # fmt: skip
    people = [
        Person(
            row["by_name"], row["answers"], row["skipped"], row["accepted"], row["proposed"], row["median"]
        )
        for row in rows
    ]
    return tuple(sorted(people, key=lambda one: (-one.answers, one.name)))


def estimate_in(project: Project) -> Estimate:
    """What the next answers are worth, told from the newest ones about what the present champion proposed."""
    champion = _champion_of(project)
    newest = answers_in(project).filter(origin__in=FROM_PROPOSALS).order_by("-at", "-pk")
    said = newest.values_list("frame", "by", "origin", "frame__why", "frame__checkpoint")[:LOOKED_BACK]
    last: dict[tuple[int, int | None], tuple[bool, bool]] = {}  # the newest word of each person about a frame
    for frame, person, origin, why, checkpoint in said:
        if checkpoint is not None and checkpoint == champion:
            last.setdefault((frame, person), (origin != Origin.ACCEPTED, why == "random"))
    return Estimate.of(last.values())


def _champion_of(project: Project) -> int | None:
    """The checkpoint that makes proposals now; nothing is registered if there is none yet."""
    champions = Checkpoint.objects.filter(Q(project=project) | Q(project=None), is_champion=True)
    return champions.order_by(F("project").asc(nulls_last=True)).values_list("pk", flat=True).first()


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

"""What people decide about clips: kept append-only, made on a known number of earlier decisions, undoable.

The clip's row is locked while a decision is written, so decisions of two people come one after the other, and
the second one, made on what is no longer there, is refused as stale.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID, uuid4

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from secondsticks.detection.models import Decision, DecisionKind, Scan, StandingVerdict
from secondsticks.detection.moves import ScanState
from secondsticks.detection.signals import decided
from secondsticks.detection.standing import Standing, StandingClap, active, stand
from secondsticks.footage.models import Clip


class Stale(Exception):
    """Somebody else has decided on this clip since the page was made."""


class Impossible(ValueError):
    """A decision that makes no sense here; says so in a sentence."""


@dataclass(frozen=True)
class Wanted:
    """A decision somebody asks for. `made_on`: how many decisions they knew of. `seconds`: of `frame`."""

    kind: DecisionKind
    made_on: int
    key: str
    clap: UUID | None = None
    frame: int | None = None
    seconds: float | None = None


def decide(clip: Clip, user: User, wanted: Wanted) -> None:
    """Keep a decision. One that was kept before (same key) is nothing new. Raises Stale and Impossible."""
    with transaction.atomic():
        lock([clip.pk])
        earlier = list(Decision.objects.filter(clip=clip))
        if any(decision.key == wanted.key for decision in earlier):
            return
        if len(earlier) != wanted.made_on:
            raise Stale
        scan = Scan.objects.filter(clip=clip, is_current=True).prefetch_related("claps").first()
        decision = Decision(
            clip=clip, scan=scan, number=len(earlier) + 1, kind=wanted.kind, by=user,
            by_name=user.get_username(), key=wanted.key, at=timezone.now(),
        )  # fmt: skip
        fill(decision, wanted, clip, standing_from(scan, earlier), earlier)
        decision.save(force_insert=True)
        keep_verdicts([(clip, scan, [*earlier, decision])])
        decided.send(sender=Decision, clips=[clip.pk])


def fill(decision: Decision, wanted: Wanted, clip: Clip, standing: Standing, earlier: list[Decision]) -> None:
    """Say in the decision what it is about; raise Impossible if there is no such thing."""
    claps = {clap.id: clap for clap in standing.claps}
    if wanted.kind == DecisionKind.UNDO:
        decision.undoes = last_active(earlier)
        return
    if wanted.kind in (DecisionKind.ACCEPT, DecisionKind.MOVE, DecisionKind.REJECT):
        clap = claps.get(wanted.clap) if wanted.clap else None
        if clap is None:
            raise Impossible("This clap is not there any more.")
        decision.clap, decision.frame_before = clap.id, clap.frame
        decision.frame_after = clap.frame if wanted.kind == DecisionKind.ACCEPT else None
        decision.seconds = seconds_of(clap, clip)
    if wanted.kind in (DecisionKind.MOVE, DecisionKind.ADD):
        frame = in_clip(wanted.frame, clip)
        if any(one.frame == frame for one in claps.values()):
            raise Impossible("There is a clap at this frame already.")
        decision.frame_after, decision.seconds = frame, wanted.seconds


def in_clip(frame: int | None, clip: Clip) -> int:
    if frame is None or not 0 <= frame < (clip.frames or 0):
        raise Impossible("The clip has no such frame.")
    return frame


def last_active(decisions: Iterable[Decision]) -> Decision:
    standing = active(decisions)
    if not standing:
        raise Impossible("There is nothing to undo.")
    return standing[-1]


def seconds_of(clap: StandingClap, clip: Clip) -> float:
    """From the first frame: as the scan measured it, or as it was kept with the decision."""
    if clap.seen is not None and clap.seen.frame == clap.frame:
        return clap.seen.seconds
    return clap.seconds if clap.seconds is not None else float(clap.frame / clip.rate)


def standing_from(scan: Scan | None, decisions: Iterable[Decision]) -> Standing:
    """What stands, from a clip's current scan and its decisions. A scan that is not done says nothing."""
    if scan is None or scan.state != ScanState.DONE:
        return stand("", "", (), decisions)
    return stand(scan.verdict, scan.reason, scan.claps.all(), decisions)


def keep_verdicts(known: Iterable[tuple[Clip, Scan | None, Iterable[Decision]]]) -> None:
    """Keep standing verdicts for the board's counts. Inside the transaction of what changed them."""
    rows = [verdict_row(clip, standing_from(scan, decisions)) for clip, scan, decisions in known]
    StandingVerdict.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["clip"],
        update_fields=["verdict", "is_confirmed", "is_tail"],
        batch_size=1000,
    )


def verdict_row(clip: Clip, standing: Standing) -> StandingVerdict:
    return StandingVerdict(
        clip=clip,
        verdict=standing.verdict,
        is_confirmed=standing.is_confirmed,
        is_tail=standing.is_tail(clip.frames),
    )


def scan_is_done(scan: Scan) -> None:
    """Called where a scan's result is written: people's word and the new claps make a new verdict."""
    lock([scan.clip_id])
    decisions = list(Decision.objects.filter(clip=scan.clip))
    if decisions:
        fresh = Scan.objects.prefetch_related("claps").get(pk=scan.pk)
        keep_verdicts([(scan.clip, fresh, decisions)])


def lock(clips: list[int]) -> None:
    """Let nobody else decide on these clips until the transaction ends. In one order: no ring of waiters."""
    list(Clip.objects.select_for_update(no_key=True).filter(pk__in=clips).order_by("pk").values_list("pk"))


def new_key() -> str:
    return str(uuid4())

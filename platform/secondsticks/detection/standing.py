"""What stands for a clip: the claps of its scan, and what people have said since. Pure.

A person's word outlives every scan: a confirmed clap keeps its frame, a rejected one stays away, and a new
scan's clap within SAME frames of either is taken for the same clap.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from secondsticks.detection.models import Clap, Decision, DecisionKind
from training.claps.claps import LATE, Verdict

#: Two claps of one slate are never this close (frames): sticks need longer to be opened again.
SAME = 5

#: Kinds that say what the whole clip is, and the verdict they say.
VERDICT_OF = {DecisionKind.MOS.value: Verdict.MOS, DecisionKind.NO_SLATE.value: Verdict.NO_SLATE}


@dataclass(frozen=True, slots=True)
class StandingClap:
    """A clap that counts. `seen` is the scan's own, if a scan saw it; `seconds` is None for that one's."""

    id: UUID
    frame: int
    seen: Clap | None = None
    seconds: float | None = None
    confirmed_by: str = ""
    confirmed_at: datetime | None = None
    added: bool = False
    was: int | None = None  # where a scan had it when a person first decided

    @property
    def is_confirmed(self) -> bool:
        return bool(self.confirmed_by)

    @property
    def moved(self) -> int:
        """By how many frames a person moved it from where it was seen."""
        return self.frame - self.was if self.was is not None and not self.added else 0


@dataclass(frozen=True, slots=True)
class Standing:
    claps: tuple[StandingClap, ...]
    verdict: str  # empty while there is neither a scan nor a person's word
    reason: str
    confirmed_by: str = ""
    confirmed_at: datetime | None = None

    @property
    def is_confirmed(self) -> bool:
        return bool(self.confirmed_by)

    def is_tail(self, frames: int | None) -> bool:
        return is_tail([clap.frame for clap in self.claps], frames)


def is_tail(claps: Sequence[int], frames: int | None) -> bool:
    """Whether all claps of a clip lie near its end."""
    return bool(claps and frames) and min(claps) > LATE * ((frames or 0) - 1)


def active(decisions: Iterable[Decision]) -> list[Decision]:
    """Decisions in order, without those that were undone and without the undoing."""
    decisions = sorted(decisions, key=lambda decision: decision.number)
    undone = {decision.undoes_id for decision in decisions if decision.undoes_id is not None}
    return [
        decision for decision in decisions if decision.kind != DecisionKind.UNDO and decision.pk not in undone
    ]


def stand(verdict: str, reason: str, seen: Iterable[Clap], decisions: Iterable[Decision]) -> Standing:
    """What stands, from a scan's verdict, reason and claps and from all decisions on the clip."""
    said = active(decisions)
    if not said:
        claps = tuple(StandingClap(clap.uuid, clap.frame, clap) for clap in seen)
        return Standing(claps, verdict, reason)
    last = said[-1]
    if last.kind in VERDICT_OF:
        words = f"{last.by_name} said: {'MOS, no clap' if last.kind == DecisionKind.MOS else 'no slate'}"
        return Standing((), VERDICT_OF[DecisionKind(last.kind)], words, last.by_name, last.at)
    claps = _claps(list(seen), said)
    if claps and all(clap.is_confirmed for clap in claps):
        return Standing(claps, Verdict.SURE, _confirmed(claps), last.by_name, last.at)
    return _doubtful(claps, verdict, reason)


def _confirmed(claps: tuple[StandingClap, ...]) -> str:
    frames = " and ".join(str(clap.frame) for clap in claps)
    names = ", ".join(dict.fromkeys(clap.confirmed_by for clap in claps))
    return f"the slate closes at frame{'s' if len(claps) > 1 else ''} {frames}, confirmed by {names}"


def _doubtful(claps: tuple[StandingClap, ...], verdict: str, reason: str) -> Standing:
    """What is left when people have said something, but not all."""
    open_ones = [clap for clap in claps if not clap.is_confirmed]
    if not claps:
        words = "every clap was rejected: is it MOS, or is there no slate?"
    elif len(open_ones) < len(claps):
        frames = " and ".join(str(clap.frame) for clap in open_ones)
        words = f"a clap at frame {frames} is not confirmed yet"
    else:
        return Standing(claps, verdict, reason)
    return Standing(claps, Verdict.LOOK, words)


def _claps(seen: list[Clap], said: list[Decision]) -> tuple[StandingClap, ...]:
    placed: dict[UUID, StandingClap] = {}
    rejected: dict[UUID, int] = {}
    for decision in said:
        _apply(decision, placed, rejected)
    own = {clap.uuid for clap in seen}
    for clap in seen:
        if clap.uuid in rejected:
            continue
        same = placed.get(clap.uuid) or _near(clap, [one for one in placed.values() if one.id not in own])
        if same is not None:
            placed[same.id] = replace(same, seen=clap)
        elif not any(abs(clap.frame - frame) <= SAME for frame in rejected.values()):
            placed[clap.uuid] = StandingClap(clap.uuid, clap.frame, clap)
    return tuple(sorted(placed.values(), key=lambda clap: clap.frame))


def _apply(decision: Decision, placed: dict[UUID, StandingClap], rejected: dict[UUID, int]) -> None:
    identity = decision.uuid if decision.kind == DecisionKind.ADD else decision.clap
    if identity is None:
        return  # it said what the whole clip is, and something else has been said since
    before = placed.pop(identity, None)
    rejected.pop(identity, None)
    if decision.kind == DecisionKind.REJECT:
        if before is None or not before.added:
            rejected[identity] = decision.frame_before or 0
        return
    placed[identity] = StandingClap(
        identity,
        decision.frame_after or 0,
        seconds=decision.seconds,
        confirmed_by=decision.by_name,
        confirmed_at=decision.at,
        added=decision.kind == DecisionKind.ADD or (before is not None and before.added),
        was=before.was if before is not None else decision.frame_before,
    )


def _near(clap: Clap, placed: list[StandingClap]) -> StandingClap | None:
    """The clap, confirmed on an earlier scan, that this one of a newer scan is: the nearest, if near."""

    def away(one: StandingClap) -> int:
        return min(abs(clap.frame - frame) for frame in (one.frame, one.was) if frame is not None)

    nearest = min(placed, key=away, default=None)
    return nearest if nearest is not None and nearest.seen is None and away(nearest) <= SAME else None

"""Which of a project's frames make a good batch: worth asking about, unlike each other, some by chance."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from training.uncertainty.looks import Worth
from training.uncertainty.picking import Candidates, Key, Pool

__all__ = ["Candidates", "Chosen", "Strategy", "Why", "choose"]


class Strategy(StrEnum):
    """How a project picks frames. DIVERSE is the default; the others are there to compare it with."""

    DIVERSE = "diverse"
    UNCERTAIN = "uncertain"
    ONE_PER_CLIP = "one per clip"
    RANDOM = "random"


class Why(StrEnum):
    """Why a frame was picked: because something is in doubt, or by chance."""

    UNCERTAIN = "uncertain"
    RANDOM = "random"


@dataclass(frozen=True, slots=True)
class Chosen:
    """A frame of a batch."""

    clip: str
    worth: Worth
    why: Why

    @property
    def key(self) -> Key:
        return self.clip, self.worth.frame


def choose(
    clips: Sequence[Candidates],
    *,
    size: int,
    seed: int,
    strategy: Strategy = Strategy.DIVERSE,
    random_share: float = 0.15,
    per_appearance: int = 2,
    taken: Collection[Key] = frozenset(),
) -> list[Chosen]:
    """A batch of at most `size` frames of a project's clips, in the order to ask for them.

    `taken`: frames that are labelled or asked for already; they are not chosen again. DIVERSE and UNCERTAIN
    draw `random_share` of the batch by chance: a clip, then one of its frames, each as likely as the other.
    They keep to that share where little is in doubt, and the batch is smaller then. DIVERSE takes at most
    `per_appearance` frames of one appearance of a slate. The same arguments, with the clips in any order,
    give the same batch. Raises ValueError for a clip that comes twice, a negative size, a share that is none.
    """
    if size < 0 or not 0 <= random_share <= 1:
        raise ValueError(f"a batch has no {size} frames, {random_share} of them by chance")
    cap = per_appearance if strategy is Strategy.DIVERSE else None
    pool = Pool(clips, taken=taken, per_appearance=cap, rng=Random(seed))
    if strategy is Strategy.ONE_PER_CLIP:
        return [Chosen(clip, worth, Why.RANDOM) for clip, worth in pool.one_per_clip(size)]
    if strategy is Strategy.RANDOM:
        return [Chosen(clip, worth, Why.RANDOM) for clip, worth in pool.at_random(size)]
    by_chance = pool.at_random(_by_chance(size, random_share, in_doubt=pool.in_doubt()))
    wanted = size - len(by_chance)
    picked = pool.diverse(wanted) if strategy is Strategy.DIVERSE else pool.best(wanted)
    return _mixed(
        [Chosen(clip, worth, Why.UNCERTAIN) for clip, worth in picked],
        [Chosen(clip, worth, Why.RANDOM) for clip, worth in by_chance],
        Random(seed),
    )


def _by_chance(size: int, share: float, *, in_doubt: int) -> int:
    wanted = round(size * share)
    if in_doubt == 0 or in_doubt >= size - wanted:
        return wanted
    return min(wanted, round(in_doubt * share / (1 - share)))


def _mixed(picked: list[Chosen], by_chance: list[Chosen], rng: Random) -> list[Chosen]:
    """Frames drawn by chance anywhere between the others: a batch that is left half done stays honest."""
    total = len(picked) + len(by_chance)
    places = set(rng.sample(range(total), len(by_chance)))
    chance, rest = iter(by_chance), iter(picked)
    return [next(chance) if place in places else next(rest) for place in range(total)]

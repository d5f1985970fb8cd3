"""What the next answers are worth: how many would correct the proposals, and how sure that is. Pure.

No gain in average precision is promised: that depends on what is trained. What can be counted is how often
people changed a proposal. Frames drawn by chance stand for all frames; those chosen by doubt are asked first
because they are wrong more often.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from math import sqrt

#: So many answers are looked ahead, and so many are needed before anything is said.
AHEAD, ENOUGH, ENOUGH_BY_CHANCE = 50, 20, 10
Z95 = 1.959964


def wilson(hits: int, tries: int, z: float = Z95) -> tuple[float, float]:
    """The 95 % interval of a share (E. B. Wilson 1927); all of 0 to 1 without a try."""
    if not tries:
        return 0.0, 1.0
    share, squared = hits / tries, z * z
    middle = share + squared / (2 * tries)
    around = z * sqrt(share * (1 - share) / tries + squared / (4 * tries * tries))
    whole = 1 + squared / tries
    return max(0.0, (middle - around) / whole), min(1.0, (middle + around) / whole)


@dataclass(frozen=True)
class Share:
    """So many of so many."""

    hits: int
    tries: int

    @property
    def percent(self) -> int:
        return round(100 * self.hits / self.tries) if self.tries else 0

    @cached_property
    def interval(self) -> tuple[float, float]:
        return wilson(self.hits, self.tries)

    @property
    def low_percent(self) -> int:
        return round(100 * self.interval[0])

    @property
    def high_percent(self) -> int:
        return round(100 * self.interval[1])


@dataclass(frozen=True)
class Estimate:
    """How many of the last answers changed what the champion proposed, by how frames were chosen."""

    all: Share
    by_doubt: Share
    by_chance: Share

    @classmethod
    def of(cls, answers: Iterable[tuple[bool, bool]]) -> Estimate:
        """From (it changed the proposal, its frame was drawn by chance) of each answer."""
        known = list(answers)
        doubted = [changed for changed, chance in known if not chance]
        chances = [changed for changed, chance in known if chance]
        by_doubt, by_chance = Share(sum(doubted), len(doubted)), Share(sum(chances), len(chances))
        return cls(Share(by_doubt.hits + by_chance.hits, len(known)), by_doubt, by_chance)

    @property
    def is_known(self) -> bool:
        return self.all.tries >= ENOUGH

    @property
    def is_known_by_chance(self) -> bool:
        return self.by_chance.tries >= ENOUGH_BY_CHANCE

    @property
    def ahead(self) -> tuple[int, int, int]:
        """Of the next AHEAD answers, about how many would correct something, at least, and at most."""
        low, high = self.all.interval
        return round(AHEAD * self.all.hits / self.all.tries), round(AHEAD * low), round(AHEAD * high)

    @property
    def sentences(self) -> list[str]:
        """What is known, for people."""
        if not self.is_known:
            return [self._too_few()]
        return [self._so_far(), self._next(), self._at_large()]

    def _too_few(self) -> str:
        if not self.all.tries:
            return (
                "Nobody has answered yet for frames that the present champion made proposals for. After "
                f"{ENOUGH} answers this says how many of the next {AHEAD} would correct something."
            )
        return (
            f"Too few answers to tell: {self.all.tries} so far about proposals of the present champion, of "
            f"which {self.all.hits} changed them. After {ENOUGH} this says how many of the next {AHEAD} "
            "would correct something."
        )

    def _so_far(self) -> str:
        said = f"Of the last {self.all.tries} answers, {self.all.hits} changed what the champion proposed "
        said += f"({self.all.percent}\N{NO-BREAK SPACE}%)"
        if self.by_chance.tries:
            said += (
                f"; of those about frames drawn by chance, {self.by_chance.hits} of {self.by_chance.tries}"
            )
        return f"{said}."

    def _next(self) -> str:
        about, low, high = self.ahead
        frames = "frame" if about == 1 else "frames"
        return f"At this rate the next {AHEAD} would correct about {about} {frames} ({low} to {high})."

    def _at_large(self) -> str:
        if not self.by_chance.tries:
            return (
                "No frame drawn by chance has been answered: how the champion does on all frames is unknown."
            )
        if not self.is_known_by_chance:
            return (
                f"{self.by_chance.tries} drawn by chance are too few to tell how the champion does on all "
                "frames, also those that are in no doubt."
            )
        share = self.by_chance
        between = f"{share.low_percent} to {share.high_percent}\N{NO-BREAK SPACE}%"
        return (
            "On all frames, also those in no doubt, people would change about "
            f"{share.percent}\N{NO-BREAK SPACE}% of what the champion proposes ({between})."
        )

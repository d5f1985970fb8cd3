"""One slate from coming into the picture to leaving it: its states, its claps, and the doubts about each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise, takewhile
from math import ceil

from training.slates import Box, State
from training.sticks import frame_weight, read_sticks

#: Below this a score is noise of the detector and says nothing about the sticks.
NOISE = 0.1
#: From here on a slate may be there: bounds an appearance.
SEEN = 0.2
#: A slate is there when it is this clear in CLEAR_FRAMES frames.
CLEAR = 0.5
CLEAR_FRAMES = 2
#: A slate gone for longer than this comes back as another appearance (seconds).
APPEARANCE_GAP = Fraction(1)
#: A frame tells open from closed when the two scores differ by this.
TELLING = 0.3
#: A sure clap has this many telling frames on each side within NEAR seconds, at up to 25 frames a second ...
SURE_FRAMES = 3
NEAR = Fraction(1, 2)
#: ... at least this confidence, and no frame that contradicts it within AROUND frames.
SURE_CONFIDENCE = 0.55
AROUND = 3
#: What is left of the confidence for each frame in which the sticks are not seen, and for each contradiction.
UNSEEN_FACTOR = 0.8
CONTRADICTION_FACTOR = 0.8


@dataclass(frozen=True, slots=True)
class Sighting:
    """A frame that was looked at: the best score per state, 0 and 0 where nothing is there."""

    frame: int
    open: float
    closed: float
    box: Box | None = None

    @property
    def strength(self) -> float:
        return max(self.open, self.closed)

    @property
    def scores(self) -> tuple[float, float]:
        """Open and closed, without noise."""
        return (self.open, self.closed) if self.strength >= NOISE else (0.0, 0.0)

    def margin(self, state: State) -> float:
        """How much the scores speak for the state: -1 to 1."""
        opened, closed = self.scores
        return opened - closed if state is State.OPEN else closed - opened


@dataclass(frozen=True, slots=True)
class Clap:
    """The first closed frame, the last one seen open before it, and the slate's box in the closed one."""

    frame: int
    confidence: float
    last_open: int
    box: Box | None = None


def split_appearances(sightings: Sequence[Sighting], *, rate: Fraction) -> Iterator[list[Sighting]]:
    """One list per appearance of a slate, from the first to the last frame in which it is seen."""
    start: int | None = None
    end = 0
    for i, sighting in enumerate(sightings):
        if sighting.strength < SEEN:
            continue
        if start is not None and sighting.frame - sightings[end].frame - 1 > APPEARANCE_GAP * rate:
            yield list(sightings[start : end + 1])
            start = None
        start, end = i if start is None else start, i
    if start is not None:
        yield list(sightings[start : end + 1])


class Appearance:
    """A slate's sightings, sorted, as one story. `clip_end`: the clip's last frame that was looked at."""

    def __init__(self, sightings: list[Sighting], *, rate: Fraction, clip_end: int) -> None:
        self.sightings = sightings
        self.clip_end = clip_end
        self.states = read_sticks([one.scores for one in sightings], rate=rate)
        self._near = ceil(NEAR * rate)
        self._needed = round(SURE_FRAMES / frame_weight(rate))
        self._around = round(AROUND / frame_weight(rate))

    @property
    def first(self) -> int:
        return self.sightings[0].frame

    @property
    def last(self) -> int:
        return self.sightings[-1].frame

    @property
    def is_slate(self) -> bool:
        return sum(one.strength >= CLEAR for one in self.sightings) >= CLEAR_FRAMES

    @property
    def ends_open(self) -> bool:
        return self.states[-1] is State.OPEN

    def telling(self, state: State) -> list[int]:
        """The frames whose own scores clearly say this state."""
        return [one.frame for one in self.sightings if one.margin(state) >= TELLING]

    @cached_property
    def claps(self) -> list[tuple[Clap, list[str]]]:
        """Each clap with its doubts in words; without doubts it is sure."""
        if not self.is_slate:
            return []
        closings = [
            i for i, pair in enumerate(pairwise(self.states), 1) if pair == (State.OPEN, State.CLOSED)
        ]
        return [self._clap(i) for i in closings]

    def _clap(self, closing: int) -> tuple[Clap, list[str]]:
        opened = self._run(range(closing - 1, -1, -1), State.OPEN)
        closed = self._run(range(closing, len(self.sightings)), State.CLOSED)
        frame, last_open = closed[0].frame, opened[0].frame
        contradictions = self._contradictions(frame)
        confidence = (self._strength(opened, State.OPEN) * self._strength(closed, State.CLOSED)) ** 0.5
        confidence *= UNSEEN_FACTOR ** (frame - last_open - 1) * CONTRADICTION_FACTOR**contradictions
        clap = Clap(frame, round(confidence, 4), last_open, closed[0].box)
        return clap, list(self._doubts(clap, opened, closed, contradictions))

    def _run(self, indices: range, state: State) -> list[Sighting]:
        """The sightings with evidence, as long as the state lasts."""
        run = takewhile(lambda i: self.states[i] is state, indices)
        return [self.sightings[i] for i in run if self.sightings[i].strength >= NOISE]

    def _strength(self, side: list[Sighting], state: State) -> float:
        """Half from the frame at the clap, half from the frames needed there. A missing frame counts as 0."""
        margins = [max(0.0, one.margin(state)) for one in side[: self._needed]]
        return (margins[0] + sum(margins) / self._needed) / 2

    def _contradictions(self, clap: int) -> int:
        """Frames around the clap whose own scores say the opposite of the story."""
        return sum(
            one.margin(State.OPEN if one.frame >= clap else State.CLOSED) >= TELLING
            for one in self.sightings
            if abs(one.frame - clap) <= self._around
        )

    def _telling_beside(self, side: list[Sighting], state: State, clap: int) -> int:
        return sum(abs(one.frame - clap) <= self._near and one.margin(state) >= TELLING for one in side)

    def _doubts(
        self, clap: Clap, opened: list[Sighting], closed: list[Sighting], contradictions: int
    ) -> Iterator[str]:
        unseen = clap.frame - clap.last_open - 1
        before = self._telling_beside(opened, State.OPEN, clap.frame)
        after = self._telling_beside(closed, State.CLOSED, clap.frame)
        if unseen:
            yield f"the sticks are not seen for {frames(unseen)} between open and closed"
        if before < self._needed:
            yield f"{few(before)} clearly showing the sticks open before it"
        if after < self._needed:
            yield f"{few(after)} clearly showing them closed before {self._end(closed[-1])}"
        if contradictions:
            yield "the sticks flicker between open and closed around it"
        at_clap = min(opened[0].margin(State.OPEN), closed[0].margin(State.CLOSED))
        if at_clap < TELLING or clap.confidence < SURE_CONFIDENCE:
            yield "open and closed are hard to tell apart there"

    def _end(self, last_closed: Sighting) -> str:
        if last_closed.frame < self.last:
            return "they open again"
        return "the clip ends" if last_closed.frame == self.clip_end else "the slate leaves"


def few(count: int) -> str:
    return f"only {frames(count)}" if count else "no frame"


def frames(count: int) -> str:
    return f"{count} frame" if count == 1 else f"{count} frames"

"""One slate from coming into the picture to leaving it: its states, its claps, and the doubts about each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise, takewhile
from math import ceil

from training.claps.evidence import NOISE, bias_of, evidence_of, frame_weight, log_odds, margin_of
from training.claps.sticks import read_sticks
from training.slates import Box, State

#: From here on a slate may be there: bounds an appearance.
SEEN = 0.2
#: A slate is there when it is this clear in CLEAR_FRAMES frames.
CLEAR = 0.5
CLEAR_FRAMES = 2
#: A slate gone for longer than this comes back as another appearance (seconds).
APPEARANCE_GAP = Fraction(1)
#: A frame tells open from closed from this margin on (see evidence.margin_of). A MOS slate says more.
TELLING = 0.3
PLAINLY = 0.6
#: A sure clap has this many telling frames on each side within NEAR seconds, at up to 25 frames a second ...
SURE_FRAMES = 3
NEAR = Fraction(1, 2)
#: ... at least this confidence, and no frame that contradicts it within AROUND frames.
SURE_CONFIDENCE = 0.6
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
        return self.open, self.closed


@dataclass(frozen=True, slots=True)
class Clap:
    """The first closed frame, the last one seen open before it, and the slate's box in the closed one.

    The rest comes with the clip's sound (training.claps.fusion): `confidence` is then of both together, and
    `sample` is when the clap is heard, counted from the start of the clip's first frame. `sound_confidence`
    is None where there is no sound, 0 where a clap should be heard and is not.
    """

    frame: int
    confidence: float
    last_open: int
    box: Box | None = None
    picture_confidence: float | None = None
    sound_confidence: float | None = None
    sample: int | None = None
    sample_rate: int | None = None
    disagreement_ms: float | None = None  # negative: the sound comes before the picture


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
        scores = [one.scores for one in sightings]
        bias = bias_of(scores, rate=rate)
        evidence = [evidence_of(pair, bias=bias) for pair in scores]
        self.states = read_sticks(evidence, rate=rate)
        self._margins = [margin_of(said) for said in evidence]
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

    @property
    def is_plainly_closed(self) -> bool:
        """Whether at least half of the frames say so beyond doubt."""
        return 2 * len(self.telling(State.CLOSED, PLAINLY)) >= len(self.sightings)

    def telling(self, state: State, least: float = TELLING) -> list[int]:
        """The frames that by themselves say this state."""
        return [one.frame for i, one in enumerate(self.sightings) if self._says(i, state) >= least]

    @cached_property
    def claps(self) -> list[tuple[Clap, list[str]]]:
        """Each clap with its doubts in words; without doubts it is sure."""
        if not self.is_slate:
            return []
        moves = list(pairwise(self.states))
        return [self._clap(i + 1) for i, move in enumerate(moves) if move == (State.OPEN, State.CLOSED)]

    def _says(self, index: int, state: State) -> float:
        return self._margins[index] if state is State.OPEN else -self._margins[index]

    def _clap(self, closing: int) -> tuple[Clap, list[str]]:
        opened = self._run(range(closing - 1, -1, -1), State.OPEN)
        closed = self._run(range(closing, len(self.sightings)), State.CLOSED)
        last_open, first_closed = self.sightings[opened[0]], self.sightings[closed[0]]
        unseen = first_closed.frame - last_open.frame - 1
        contradictions = self._contradictions(first_closed.frame)
        confidence = (self._strength(opened, State.OPEN) * self._strength(closed, State.CLOSED)) ** 0.5
        confidence *= UNSEEN_FACTOR**unseen * CONTRADICTION_FACTOR**contradictions
        clap = Clap(first_closed.frame, round(confidence, 4), last_open.frame, first_closed.box)
        doubts = list(self._doubts(clap, opened, closed))
        if contradictions:
            doubts.append("the sticks flicker between open and closed around it")
        if not doubts and confidence < SURE_CONFIDENCE:
            doubts.append("open and closed are hard to tell apart")
        return clap, doubts

    def _run(self, indices: range, state: State) -> list[int]:
        """The sightings with evidence (their indices), as long as the state lasts."""
        run = takewhile(lambda i: self.states[i] is state, indices)
        return [i for i in run if self.sightings[i].strength >= NOISE]

    def _strength(self, side: list[int], state: State) -> float:
        """Half from the frame at the clap, half from the frames needed there. A missing frame counts as 0."""
        margins = [max(0.0, self._says(i, state)) for i in side[: self._needed]]
        return (margins[0] + sum(margins) / self._needed) / 2

    def _contradictions(self, clap: int) -> int:
        """Frames around the clap that say the opposite of the story."""
        return sum(
            self._says(i, State.OPEN if one.frame >= clap else State.CLOSED) >= TELLING
            for i, one in enumerate(self.sightings)
            if abs(one.frame - clap) <= self._around
        )

    def _doubts(self, clap: Clap, opened: list[int], closed: list[int]) -> Iterator[str]:
        unseen = clap.frame - clap.last_open - 1
        before = self._telling_beside(opened, State.OPEN, clap.frame)
        after = self._telling_beside(closed, State.CLOSED, clap.frame)
        if unseen:
            yield f"the sticks are not seen for {frames(unseen)} between open and closed"
        if before < self._needed:
            yield f"{few(before)} clearly showing the sticks open before it"
        if after < self._needed:
            yield f"{few(after)} clearly showing them closed before {self._end(closed[-1])}"
        if min(self._says(opened[0], State.OPEN), self._says(closed[0], State.CLOSED)) < TELLING:
            yield "open and closed are hard to tell apart at that frame"
        first_odds, then_odds = (log_odds(self.sightings[side[0]].scores) for side in (opened, closed))
        if first_odds <= 0 or then_odds >= 0:
            yield "the detector sees the change, but takes both sides for the same state"

    def _telling_beside(self, side: list[int], state: State, clap: int) -> int:
        near = (i for i in side if abs(self.sightings[i].frame - clap) <= self._near)
        return sum(self._says(i, state) >= TELLING for i in near)

    def _end(self, last_closed: int) -> str:
        if last_closed + 1 < len(self.sightings):
            return "they open again"
        return "the clip ends" if self.last == self.clip_end else "the slate leaves"


def few(count: int) -> str:
    return f"only {frames(count)}" if count else "no frame"


def frames(count: int) -> str:
    return f"{count} frame" if count == 1 else f"{count} frames"

"""The most likely story of a pair of sticks: open, closed, or bouncing for a moment after contact.

A small hidden Markov chain, solved exactly (Viterbi, O(frames)). What each frame says is evidence, not truth:
a flip of one or two frames costs more than to call those frames misread; sticks that really reopen pay once.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from training.claps.evidence import frame_weight
from training.slates import State

#: One clear frame is enough to close. Closing and opening again costs more than two: closed for 2 frames amid
#: open ones is misread, closed for 3 is not.
CLOSE_COST = 1.0
REOPEN_COST = 3.4
#: Sticks that hit may spring open for a moment. That is one clap, at the first contact, and cheaper than
#: to call that contact misread; but open for 4 frames is no bounce.
BOUNCE_COST = 1.4
BOUNCE_FRAME_COST = 0.1
BOUNCE_FRAMES = 2


def bounce_frames(rate: Fraction) -> int:
    """The longest bounce in frames."""
    return round(BOUNCE_FRAMES / frame_weight(rate))


def read_sticks(frames: Sequence[float], *, rate: Fraction) -> list[State]:
    """The state of the sticks in each frame of one slate's appearance, from the evidence of each for open.

    Frames without evidence (0) say nothing. Frames in which closed sticks bounce count as closed. Of two
    equally good stories, the one in which the sticks close later.
    """
    if not frames:
        return []
    weight = frame_weight(rate)
    steps = _moves(bounce_frames(rate))
    best = [0.0, 0.0] + [float("-inf")] * (len(steps) - 2)
    came_from: list[list[int]] = []
    for said in frames:
        evidence = weight * said
        arrivals = [_best_arrival(best, moves) for moves in steps] if came_from else _start(best)
        came_from.append([origin for _, origin in arrivals])
        best = [value + _emission(place, evidence) for place, (value, _) in enumerate(arrivals)]
    return _walk_back(best, came_from)


# Places of the chain: 0 is open, 1 is closed, 2 and up are the frames of a bounce.
OPEN, CLOSED, FIRST_BOUNCE = 0, 1, 2
Moves = tuple[tuple[int, float], ...]  # where one may come from, and what it costs


def _moves(bounces: int) -> list[Moves]:
    in_bounce = range(FIRST_BOUNCE, FIRST_BOUNCE + bounces)
    to_open = ((OPEN, 0.0), (CLOSED, REOPEN_COST))
    to_closed = ((OPEN, CLOSE_COST), (CLOSED, 0.0), *((place, 0.0) for place in in_bounce))
    enter = ((CLOSED, BOUNCE_COST),)
    go_on = (((place - 1, BOUNCE_FRAME_COST),) for place in in_bounce if place > FIRST_BOUNCE)
    return [to_open, to_closed, enter, *go_on]


def _start(best: list[float]) -> list[tuple[float, int]]:
    return [(value, place) for place, value in enumerate(best)]


def _best_arrival(best: list[float], moves: Moves) -> tuple[float, int]:
    """The first of equals: `_moves` lists the places in the order of preference."""
    chosen, value = moves[0][0], best[moves[0][0]] - moves[0][1]
    for origin, cost in moves[1:]:
        if best[origin] - cost > value:
            chosen, value = origin, best[origin] - cost
    return value, chosen


def _emission(place: int, evidence: float) -> float:
    return -evidence / 2 if place == CLOSED else evidence / 2


def _walk_back(best: list[float], came_from: list[list[int]]) -> list[State]:
    # A story may not end in the middle of a bounce: those sticks were seen open last.
    place = OPEN if best[OPEN] >= best[CLOSED] else CLOSED
    story = []
    for origins in reversed(came_from):
        story.append(State.OPEN if place == OPEN else State.CLOSED)
        place = origins[place]
    return story[::-1]

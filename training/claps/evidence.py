"""How much a frame's scores speak for open or for closed sticks, also from a detector that leans to one side.

A detector is often biased for one slate: closed sticks of an odd design may score 0.7 open and 0.6 closed in
every frame, open ones 0.99 and 0.2. The change is plain, the scores are not. Where the frames of a slate fall
into two clear groups, evidence is therefore counted from the middle between the two.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import log, tanh

#: How much a pair of scores (open, closed) says is counted in log odds: positive for open.
Scores = tuple[float, float]
#: Below this a score is noise of the detector and says nothing about the sticks.
NOISE = 0.1
#: Score that a state gets where the detector said nothing.
FLOOR = 0.05
#: From this score on a frame counts in full.
FULL = 0.5
#: No frame says more than this, so that none can outvote two neighbours. A clear frame says 1.6 to 2.
MOST = 2.0
#: Frames are weighed as at this rate: at 60 a second, neighbours tell the same thing twice.
USUAL_RATE = Fraction(25)

#: Two groups are clear when each has so many frames (at up to 25 a second), when their middles lie this far
#: apart and each spreads (standard deviation) no more than a part of that ...
GROUP = 6
APART = 1.0
SPREAD = 1 / 3
#: ... and they count when one of them does not plainly say its state. A larger bias is not believed.
PLAIN = 0.5
MOST_BIAS = 1.25


def frame_weight(rate: Fraction) -> float:
    """How much one frame counts: 1 up to 25 frames a second, less above."""
    return min(1.0, float(USUAL_RATE / rate))


def log_odds(scores: Scores) -> float:
    """Of open against closed, within what scores can tell; 0 for noise."""
    opened, closed = scores
    if max(scores) < NOISE:
        return 0.0
    return max(-1.25 * MOST, min(1.25 * MOST, log((opened + FLOOR) / (closed + FLOOR))))


def evidence_of(scores: Scores, *, bias: float = 0.0) -> float:
    """What one frame says about the sticks: positive for open, negative for closed, at most MOST."""
    if max(scores) < NOISE:
        return 0.0
    said = (log_odds(scores) - bias) * min(1.0, max(scores) / FULL)
    return max(-MOST, min(MOST, said))


def margin_of(evidence: float) -> float:
    """Evidence as a number from -1 (closed) to 1 (open)."""
    return tanh(0.75 * evidence)


def bias_of(frames: Sequence[Scores], *, rate: Fraction) -> float:
    """The log odds in the middle between a slate's open and closed frames, where that is clearly not 0.

    Splits the frames in two groups with the least spread (Otsu 1979).
    """
    odds = sorted(log_odds(scores) for scores in frames if max(scores) >= FULL / 2)
    group = round(GROUP / frame_weight(rate))
    if len(odds) < 2 * group:
        return 0.0
    _, widest, closed, opened = min(_splits(odds, group))
    apart = opened - closed
    if apart < APART or widest > SPREAD * apart:
        return 0.0
    if closed < -PLAIN and opened > PLAIN:
        return 0.0
    return max(-MOST_BIAS, min(MOST_BIAS, (opened + closed) / 2))


def _splits(odds: Sequence[float], group: int) -> Iterator[tuple[float, float, float, float]]:
    """Each way to split sorted odds: squared distances to the means, the wider deviation, the two means."""
    count, total, squares = len(odds), sum(odds), sum(value * value for value in odds)
    low, low_squares = sum(odds[: group - 1]), sum(value * value for value in odds[: group - 1])
    for size in range(group, count - group + 1):
        low += odds[size - 1]
        low_squares += odds[size - 1] ** 2
        closed, opened = low / size, (total - low) / (count - size)
        # Rounding may leave a little less than nothing of equal values.
        below = max(0.0, low_squares - size * closed**2)
        above = max(0.0, squares - low_squares - (count - size) * opened**2)
        widest = max(below / size, above / (count - size)) ** 0.5
        yield below + above, widest, closed, opened

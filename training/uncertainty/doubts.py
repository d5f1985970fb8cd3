"""What a single frame's detections leave open: the state, whether it is a slate at all, and where it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from training.claps.appearance import CLEAR, SEEN, Sighting
from training.claps.evidence import MOST, evidence_of, margin_of
from training.claps.tracks import objects_of
from training.slates import Detection, State
from training.uncertainty.looks import Doubt

#: The most that each doubt weighs.
STATE, PRESENCE, PLACE = 0.9, 0.7, 0.6
#: A score this far from the operating threshold (CLEAR) leaves no doubt whether it is a slate.
UNSURE = 0.3
#: Boxes of the two states that overlap less than this disagree about where the slate is; ...
AGREE = 0.75
#: ... at this overlap, altogether. The weaker of the two needs this part of the stronger one's score.
APART = 0.35
RIVAL = 0.3
#: Less than this is not worth a word.
LIGHTEST = 0.05


def frame_doubt(detections: Sequence[Detection]) -> float:
    """How much one frame's detections leave open, 0 to 1. Nothing detected: 0. See `together`."""
    return together(frame_doubts(detections))


def frame_doubts(detections: Sequence[Detection]) -> list[Doubt]:
    """The same as single doubts with their reasons, heaviest first; boxes of any one size of picture."""
    doubts = [doubt for one in objects_of(0, detections) for doubt in _of_object(one, detections)]
    return sorted(doubts, key=lambda doubt: (-doubt.weight, doubt.reason))


def together(doubts: Iterable[Doubt]) -> float:
    """Several doubts as one number: at least the heaviest, never over 1, whatever the order (noisy or)."""
    certain = 1.0
    for weight in sorted(doubt.weight for doubt in doubts):
        certain *= 1 - weight
    return min(1.0, max(0.0, 1 - certain))


def _of_object(one: Sighting, detections: Sequence[Detection]) -> Iterator[Doubt]:
    if one.strength < SEEN:
        return
    # The states share what is not background: torn between them, it is a slate all the same.
    presence = min(1.0, one.open + one.closed)
    unsure = 1 - abs(presence - CLEAR) / UNSURE
    if unsure > 0:
        yield Doubt(PRESENCE * unsure, f"it is not clear whether this is a slate ({presence:.2f})")
    # A faint shape's state matters less than whether it is a slate at all.
    unclear = 1 - abs(margin_of(evidence_of(one.scores))) / margin_of(MOST)
    weight = STATE * min(1.0, one.strength / CLEAR) * unclear
    if weight > LIGHTEST:
        yield Doubt(weight, f"the sticks could be open ({one.open:.2f}) or closed ({one.closed:.2f})")
    apart = _apart(one, detections)
    if apart > 0:
        yield Doubt(PLACE * apart, "two boxes disagree about where the slate is")


def _apart(one: Sighting, detections: Sequence[Detection]) -> float:
    """How far the best boxes of the two states over this object disagree, 0 to 1."""
    best = [_best_over(one, state, detections) for state in State]
    if best[0] is None or best[1] is None:
        return 0.0
    weaker, stronger = sorted(found.score for found in best if found)
    if weaker < RIVAL * stronger:
        return 0.0
    return min(1.0, max(0.0, (AGREE - best[0].box.iou(best[1].box)) / (AGREE - APART)))


def _best_over(one: Sighting, state: State, detections: Sequence[Detection]) -> Detection | None:
    over = [
        found for found in detections
        if found.state is state and one.box is not None and found.box.iou(one.box) > 0
    ]  # fmt: skip
    return max(over, key=lambda found: (found.score, found.box.x, found.box.y), default=None)

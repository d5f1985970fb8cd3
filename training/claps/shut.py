"""Whether sticks are quite shut in the first frame read as closed, or still a finger apart.

Just before they meet, sticks look shut to a detector that knows single frames only; but the frames after
them look more so. How far the first closed frame still leans to the open ones before it, measured between the
two sides, tells the cases apart: on rendered clips mostly up to 0.06 where the sticks had met, 0.10 and more
where not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from statistics import median

from training.claps.appearance import SEEN, Clap, Sighting
from training.claps.evidence import log_odds

#: From this part of the way back to open on, the sticks may be a finger apart.
LEANS = 0.08
#: Each side is the middle of so many frames, of which at least FEWEST show the slate.
SIDE, FEWEST = 5, 2


def almost_shut(clap: Clap, seen: Mapping[int, Sighting]) -> bool:
    """Whether the sticks may not have met yet in the clap's frame, and meet by the next one."""
    first = seen.get(clap.frame)
    before = _odds(seen, range(clap.last_open - 1, clap.last_open - 1 - SIDE, -1))
    after = _odds(seen, range(clap.frame + 1, clap.frame + 1 + SIDE))
    if first is None or clap.frame + 1 not in seen or min(len(before), len(after)) < FEWEST:
        return False
    opened, closed = median(before), median(after)
    return opened > closed and (log_odds(first.scores) - closed) / (opened - closed) > LEANS


def one_later(clap: Clap, seen: Mapping[int, Sighting]) -> Clap:
    """The clap in the next frame, with the almost shut one as the last open."""
    return replace(clap, frame=clap.frame + 1, last_open=clap.frame, box=seen[clap.frame + 1].box or clap.box)


def _odds(seen: Mapping[int, Sighting], frames: Iterable[int]) -> list[float]:
    sightings = (seen[frame] for frame in frames if frame in seen)
    return [log_odds(one.scores) for one in sightings if one.strength >= SEEN]

"""Where a clip shows a slate, as runs of frames: what the bar under the player draws."""

from __future__ import annotations

from collections.abc import Sequence

#: A box under this score does not count as a slate on the bar.
SHOWN_FROM = 0.5


def slate_spans(looks: Sequence[dict], *, shown_from: float = SHOWN_FROM) -> list[dict]:
    """Runs of frames whose best box has the same state: [{"state", "first", "last"}], both included.

    `looks` are the frames a scan looked at, in order, as in the scanner's result: {"frame", "boxes": [...]}.
    Frames between two looks of one run count to the run.
    """
    spans: list[dict] = []
    previous = None
    for look in looks:
        best = max(look["boxes"], key=lambda box: box["score"], default=None)
        state = best["state"] if best is not None and best["score"] >= shown_from else None
        if state is not None and state == previous:
            spans[-1]["last"] = look["frame"]
        elif state is not None:
            spans.append({"state": state, "first": look["frame"], "last": look["frame"]})
        previous = state
    return spans

"""Proposals for waiting frames that the champion has not looked at: drawn by chance, or older than it is."""

from __future__ import annotations

import logging
import time
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from secondsticks.detection import champions
from secondsticks.detection.models import Checkpoint
from secondsticks.detection.scanner import ClipRefused, Scanner, ScannerDied
from secondsticks.footage.models import Project
from secondsticks.labeling import doubts
from secondsticks.labeling.filling import UNTOUCHED
from secondsticks.labeling.models import FrameState, QueuedFrame
from secondsticks.store import store
from training.slates import Box, Detection, State

log = logging.getLogger(__name__)

#: Frames of one message: scans wait meanwhile.
AT_A_TIME = 20
TICK = 2.0
PATIENCE = 300.0


def to_propose(project: Project, champion: Checkpoint):
    """Frames that wait for proposals, the first in the queue first."""
    waiting = QueuedFrame.objects.filter(UNTOUCHED, project=project, state=FrameState.WAITING)
    return waiting.exclude(checkpoint=champion).order_by("rank", "pk")


def propose(project: Project, scanner: Scanner) -> None:
    """Let the champion look at the next few of these frames. Hold the scanner's lock.

    A picture that cannot be looked at has no proposals, and is not tried again with this champion.
    """
    champion = champions.champion_for(project)
    with TemporaryDirectory() as folder:
        for frame in to_propose(project, champion).select_related("clip")[:AT_A_TIME]:
            path = Path(folder) / "frame.jpg"
            store().download(frame.picture_key, path)
            try:
                found = look(scanner, champion, path)
            except (ClipRefused, ScannerDied) as error:
                log.warning("No proposals for frame %s: %s", frame.frame_key, error)
                found = []
            proposals = doubts.proposals_of(found, width=frame.width, height=frame.height)
            rows = QueuedFrame.objects.filter(UNTOUCHED, pk=frame.pk)
            rows.update(proposals=proposals, checkpoint=champion)


def look(scanner: Scanner, champion: Checkpoint, path: Path) -> list[Detection]:
    """What the champion sees in a picture. Raises ClipRefused and ScannerDied."""
    weights = champions.weights_of(champion)
    events = scanner.detect(path, weights=weights, sha256=champion.sha256, tick=TICK, score_threshold=0.1)
    began = time.monotonic()
    with closing(events):
        for event in events:
            if event is not None and event["event"] == "result":
                return [detection(one) for one in event["result"]["detections"]]
            if time.monotonic() - began > PATIENCE:
                break
    raise ScannerDied("The scanner gave no answer about a picture.")


def detection(said: dict) -> Detection:
    return Detection(Box(*said["bbox"]), State(said["state"]), said["score"])

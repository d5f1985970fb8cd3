"""What a scan leaves in doubt, from its rows: looks, worths, proposals, hashes of pictures."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models.functions import Now

from secondsticks.detection.models import Scan
from secondsticks.detection.moves import ScanState
from secondsticks.footage.fetching import at_hand
from secondsticks.footage.models import Clip, ClipState
from secondsticks.labeling.models import ClipDoubts
from secondsticks.labeling.work import Lost, WorkState
from training.claps.tracks import objects_of
from training.footage.footage import Footage, FootageError
from training.slates import Box, Detection, State
from training.uncertainty import Look, Worth, frames_worth_asking
from training.uncertainty.pictures import picture_hash

log = logging.getLogger(__name__)

#: Of so many frames of a clip, the best, the pictures are compared.
HASHED = 24
HASH_SIDE = 320
#: A slate that is seen from this score on is proposed to people.
PROPOSED = 0.25
GIVEN_UP = "What is in doubt about this clip could not be worked out; the server's log says more."


def of_scan(scan: Scan) -> ClipDoubts:
    """The row for a scan that is done; work on an earlier scan of the clip is void. In its transaction."""
    wanted = {"scan": scan, "state": WorkState.WAITING, "failures": 0, "leased_until": None, "error": ""}
    wanted |= {"sent_at": Now()}
    doubts, _ = ClipDoubts.objects.update_or_create(clip_id=scan.clip_id, defaults=wanted)
    return doubts


def without_doubts() -> Iterable[Scan]:
    """Scans that are done and whose doubts nobody has asked for: from before there was a queue."""
    done = Scan.objects.filter(is_current=True, state=ScanState.DONE, clip__state=ClipState.READY)
    return done.exclude(clip__doubts__isnull=False)[:100]


def work_out(doubts: ClipDoubts) -> None:
    """Find the frames worth asking about, and hash their pictures. For the worker that has claimed it."""
    clip = Clip.objects.select_related("project").get(pk=doubts.clip_id)
    try:
        looks = looks_of(doubts.scan)
        worths = worths_of(doubts.scan, clip, looks)
        hashes = hashes_of(doubts, clip, worths, looks)
        doubts.end(worths=[as_json(worth) for worth in worths], hashes=hashes)
    except Lost:
        log.info("Doubts about clip %s are no longer ours: nothing written.", clip.uuid)
    except Exception:
        doubts.hand_back(GIVEN_UP)
        raise


def looks_of(scan: Scan) -> dict[int, Look]:
    """Frame -> what the scan saw in it."""
    found: defaultdict[int, list[Detection]] = defaultdict(list)
    seconds = {int(frame): float(at) for frame, at in scan.nothing_seen}
    rows = scan.detections.order_by("frame", "-score")
    for row in rows.values_list("frame", "seconds", "x", "y", "w", "h", "state", "score"):
        frame, at, x, y, w, h, state, score = row
        seconds[frame] = at
        found[frame].append(Detection(Box(x, y, w, h), State(state), score))
    return {frame: Look(frame, at, tuple(found.get(frame, ()))) for frame, at in sorted(seconds.items())}


def worths_of(scan: Scan, clip: Clip, looks: Mapping[int, Look]) -> list[Worth]:
    return frames_worth_asking(
        list(looks.values()),
        claps=list(scan.claps.values_list("frame", flat=True)),
        heard=[float(one["seconds"]) for one in scan.heard],
        rate=clip.rate,
        frames=clip.frames or 0,
    )


def hashes_of(
    doubts: ClipDoubts, clip: Clip, worths: list[Worth], looks: Mapping[int, Look]
) -> dict[str, int]:
    """Frame -> hash, of the best frames; of what can be read. A clip that cannot be read has none."""
    hashes: dict[str, int] = {}
    try:
        with at_hand(clip, tick=doubts.renew) as path, Footage(path, longest_side=HASH_SIDE) as footage:
            for worth in sorted(worths[:HASHED], key=lambda worth: worth.frame):
                doubts.renew()
                picture = footage.frame_at(worth.frame).picture
                box = best_box(looks.get(worth.frame))
                scale = picture.shape[1] / footage.facts.width
                hashes[str(worth.frame)] = picture_hash(picture, box and box.scaled(scale, scale))
    except (FootageError, IndexError) as error:
        log.info("Pictures of clip %s cannot be compared: %s", clip.uuid, error)
    return hashes


def best_box(look: Look | None) -> Box | None:
    return max(look.detections, key=lambda one: one.score).box if look and look.detections else None


def proposals_of(detections: Iterable[Detection], *, width: int, height: int) -> list[dict[str, Any]]:
    """Each slate in a frame once, in its likelier state, inside the picture: what people are shown."""
    proposals = []
    for one in objects_of(0, detections):
        if one.strength < PROPOSED or one.box is None:
            continue
        left, top = max(one.box.x, 0.0), max(one.box.y, 0.0)
        w = min(one.box.x + one.box.w, width) - left
        h = min(one.box.y + one.box.h, height) - top
        if min(w, h) >= 2:
            state = State.OPEN if one.open >= one.closed else State.CLOSED
            sides = {"x": round(left, 2), "y": round(top, 2), "w": round(w, 2), "h": round(h, 2)}
            proposals.append(sides | {"state": str(state), "score": round(one.strength, 4)})
    return proposals


def as_json(worth: Worth) -> dict[str, Any]:
    return {
        "frame": worth.frame,
        "score": worth.score,
        "reasons": list(worth.reasons),
        "appearance": worth.appearance,
    }


def from_json(worth: Mapping[str, Any]) -> Worth:
    return Worth(worth["frame"], worth["score"], tuple(worth["reasons"]), worth["appearance"])

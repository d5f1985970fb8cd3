"""What a worker does with a scan it has claimed: ask the scanner, renew the lease, write the result once."""

from __future__ import annotations

import logging
import time
from contextlib import closing
from pathlib import Path

from django.db import transaction
from django.db.models.functions import Now
from dramatiq.middleware import Shutdown

from secondsticks.detection import champions, decisions, pictures, quiet, scans, timeline
from secondsticks.detection.models import Checkpoint, Clap, Detection, Scan
from secondsticks.detection.moves import ScanState
from secondsticks.detection.scanner import ClipRefused, Scanner, ScannerDied
from secondsticks.detection.signals import scan_done
from secondsticks.detection.standing import is_tail
from secondsticks.footage.fetching import at_hand
from training.footage.facts import FootageError

log = logging.getLogger(__name__)

#: Seconds between two renewals of the lease (20 s), and between two writes of progress.
RENEW_EVERY = 2.0
#: Refusals that come from this machine at this moment rather than from the file.
WORTH_ANOTHER_TRY = {"memory", "timeout", "no_space", "detector"}
#: What a clap has where the scan listened too.
OF_SOUND = ("picture_confidence", "sound_confidence", "sample", "sample_rate", "disagreement_ms")


class LostScan(Exception):
    """The scan was cancelled, or another worker has taken it over."""


def perform(claimed: scans.Claim, scanner: Scanner) -> None:
    """Bring a claimed scan to its end, or leave it to the next worker."""
    scan, token = claimed
    try:
        checkpoint = champions.champion_for(scan.clip.project)
        with at_hand(scan.clip, tick=lambda: renew(claimed)) as path:
            result = ask_scanner(claimed, scanner, checkpoint, path)
            saved = pictures.save(scan, path, result, still_ours=lambda: renew(claimed))
        write(claimed, checkpoint, result, saved)
    except LostScan:
        log.info("Scan %s is no longer ours (attempt %s): nothing written.", scan.uuid, token)
    except ClipRefused as refusal:
        if refusal.kind in WORTH_ANOTHER_TRY:
            scans.hand_back(claimed, failed=str(refusal))
        else:
            scans.fail(claimed, error=str(refusal))
    except FootageError as error:  # of the file itself, before the scanner saw it
        if error.kind in WORTH_ANOTHER_TRY:
            scans.hand_back(claimed, failed=str(error))
        else:
            scans.fail(claimed, error=str(error))
    except champions.NoCheckpoint as error:
        scans.fail(claimed, error=str(error))
    except ScannerDied as error:
        log.warning("Scan %s, attempt %s: %s", scan.uuid, token, error)
        scans.hand_back(claimed, failed=str(error))
    except Shutdown:
        scans.hand_back(claimed)
        raise
    except Exception:
        scans.hand_back(claimed, failed="Something broke on our side.")
        raise


def ask_scanner(claimed: scans.Claim, scanner: Scanner, checkpoint: Checkpoint, path: Path) -> dict:
    """The scanner's result for the clip. Renews the lease all along, and raises LostScan if it is gone."""
    renew(claimed)
    renewed, progress = time.monotonic(), {}
    events = scanner.scan(
        path,
        weights=champions.weights_of(checkpoint),
        sha256=checkpoint.sha256,
        tick=RENEW_EVERY,
    )
    with closing(events):
        for event in events:
            if event is not None and event["event"] == "result":
                return event["result"]
            if event is not None and event["event"] == "progress":
                progress = {name: event[name] for name in ("done", "total", "stage")}
            if time.monotonic() - renewed >= RENEW_EVERY:
                renew(claimed, **progress)
                renewed = time.monotonic()
    raise ScannerDied("The scanner ended without a result.")


def renew(claimed: scans.Claim, **progress: object) -> None:
    if not claimed.scan.renew(claimed.token, **progress):
        raise LostScan


def write(claimed: scans.Claim, checkpoint: Checkpoint, result: dict, saved: pictures.Saved) -> None:
    """Store the whole result at once, if the scan is still ours."""
    scan, token = claimed
    with transaction.atomic():
        done = scan.move(
            ScanState.DONE,
            token=token,
            checkpoint=checkpoint,
            verdict=result["verdict"],
            reason=result["reason"],
            warnings=[said for said in result["facts"]["warnings"] if said not in scan.clip.warnings],
            nothing_seen=[[one["frame"], one["seconds"]] for one in result["detections"] if not one["boxes"]],
            slate_spans=timeline.slate_spans(result["detections"]),
            is_tail=is_tail([clap["frame"] for clap in result["claps"]], scan.clip.frames),
            slate_frame=saved.slate,
            slate_picture=saved.slate_picture,
            **heard_in(result),
            done=1,
            total=1,
            finished_at=Now(),
            lease_expires_at=None,
        )
        if not done:
            raise LostScan
        Detection.objects.bulk_create(detections_of(scan, result), batch_size=1000)
        Clap.objects.bulk_create(claps_of(scan, result, saved.claps))
        if scan.is_quiet and not quiet.take_place(scan):
            return
        decisions.scan_is_done(scan)
        scan_done.send(sender=Scan, scan=scan)


def heard_in(result: dict) -> dict:
    """What the sound said, of a scan that listened."""
    sound = result.get("sound") or {}
    return {"av_offset_ms": sound.get("av_offset_ms"), "heard": sound.get("heard") or []}


def detections_of(scan: Scan, result: dict) -> list[Detection]:
    return [
        Detection(
            scan=scan,
            frame=look["frame"],
            pts=look["pts"],
            seconds=look["seconds"],
            **dict(zip("xywh", box["bbox"], strict=True)),
            state=box["state"],
            score=box["score"],
        )
        for look in result["detections"]
        for box in look["boxes"]
    ]


def claps_of(scan: Scan, result: dict, saved: dict[int, str]) -> list[Clap]:
    return [
        Clap(
            scan=scan,
            frame=clap["frame"],
            last_open=clap["last_open"],
            timecode=clap["timecode"],
            seconds=clap["seconds"],
            confidence=clap["confidence"],
            **dict(zip("xywh", clap["box"] or [None] * 4, strict=True)),
            picture=saved.get(clap["frame"], ""),
            open_picture=saved.get(clap["last_open"], ""),
            **{name: clap.get(name) for name in OF_SOUND},
        )
        for clap in result["claps"]
    ]

"""What a scan and a detect say, as JSON types: the one place of their field names (docs/scan-json.md)."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from training.claps.claps import Clap
from training.footage.footage import ClipFacts
from training.scan import ScanResult
from training.search import Detector, FrameDetections
from training.slates import Box, Detection
from training.sound.transients import Transient
from training.timecode import TimecodeError, timecode_at

Document = dict[str, Any]


def checkpoint_document(detector: Detector) -> Document:
    return {"sha256": detector.sha256, "architecture": detector.architecture, "name": detector.name}


def scan_document(result: ScanResult, detector: Detector) -> Document:
    """`result` of a scan, version 1."""
    facts = result.facts
    seconds = {look.frame: float(look.seconds) for look in result.detections}
    return {
        "version": 1,
        "facts": facts.to_json(),
        "picture_size": [facts.width, facts.height],
        "checkpoint": checkpoint_document(detector),
        "verdict": str(result.reading.verdict),
        "reason": result.reading.reason,
        "claps": [
            _clap(clap, facts, seconds.get(clap.frame, float(clap.frame / facts.rate)))
            for clap in result.reading.claps
        ],
        "sound": {
            "audible": result.hearing.audible,
            "av_offset_ms": result.av_offset_ms,
            "heard": [_heard(one) for one in result.heard],
        },
        "detections": [_look(look) for look in result.detections],
    }


def still_document(picture: npt.NDArray[np.uint8], detections: list[Detection]) -> Document:
    """`result` of a detect, version 1."""
    height, width = picture.shape[:2]
    return {"width": width, "height": height, "detections": [_detection(found) for found in detections]}


def _clap(clap: Clap, facts: ClipFacts, seconds: float | None) -> Document:
    """`seconds`: None for a frame that was not looked at, to which the sound moved the clap."""
    return {
        "frame": clap.frame,
        "timecode": _timecode(clap.frame, facts),
        "seconds": float(clap.frame / facts.rate) if seconds is None else seconds,
        "confidence": clap.confidence,
        "last_open": clap.last_open,
        "box": _corners(clap.box) if clap.box else None,
        "picture_confidence": clap.picture_confidence,
        "sound_confidence": clap.sound_confidence,
        "sample": clap.sample,
        "sample_rate": clap.sample_rate,
        "disagreement_ms": clap.disagreement_ms,
    }


def _heard(heard: Transient) -> Document:
    return {
        "sample": heard.sample,
        "sample_rate": heard.sample_rate,
        "seconds": float(heard.seconds),
        "confidence": heard.confidence,
        "stream": heard.stream,
        "channel": heard.channel,
    }


def _timecode(frame: int, facts: ClipFacts) -> str:
    """Empty at rates that timecode cannot count: 0.4 or 2000 frames a second."""
    try:
        return timecode_at(frame, facts.rate, facts.start_timecode, facts.drop_frame)
    except TimecodeError:
        return ""


def _look(look: FrameDetections) -> Document:
    boxes = [_detection(found) for found in look.detections]
    return {"frame": look.frame, "pts": look.pts, "seconds": float(look.seconds), "boxes": boxes}


def _detection(found: Detection) -> Document:
    return {"bbox": _corners(found.box), "state": str(found.state), "score": round(float(found.score), 4)}


def _corners(box: Box) -> list[float]:
    """To a hundredth of a pixel."""
    return [round(float(value), 2) for value in (box.x, box.y, box.w, box.h)]

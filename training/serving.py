"""The scanner process: loads the network once, then answers one JSON request a line (docs/scan-json.md)."""

from __future__ import annotations

import argparse
import ctypes
import json
import logging
import os
import signal
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, Any

from training.checkpoints import CheckpointError
from training.documents import checkpoint_document, scan_document, still_document
from training.footage.footage import FootageError
from training.scan import Progress, scan
from training.search import Detector
from training.stills import StillError, open_still

log = logging.getLogger(__name__)
Line = dict[str, Any]


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    # Before torch is loaded: threads that wait for each other must sleep, not spin. Two threads on a busy
    # machine: 340 against 1600 ms a picture.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    _die_with_parent()
    answers = _take_stdout()
    try:
        return serve(options.checkpoint, sys.stdin, answers, threads=options.threads)
    except BrokenPipeError:
        os._exit(1)  # nobody listens; an ordinary exit would only try to flush again
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training.scan", description=__doc__)
    parser.add_argument("--serve", action="store_true", required=True, help="answer requests on stdin")
    parser.add_argument("--checkpoint", type=Path, metavar="FILE", help="instead of the shipped one")
    parser.add_argument("--threads", type=int, metavar="N", help="of the network")
    return parser


def serve(
    checkpoint: Path | None, requests: Iterable[str], answers: IO[str], *, threads: int | None = None
) -> int:
    """Answer requests until they end; returns the exit status."""
    from training.inference import load_detector

    try:
        detector = load_detector(checkpoint, threads=threads)
    except CheckpointError as error:
        _tell(answers, {"id": None, "event": "failed", "kind": "checkpoint", "error": str(error)})
        return 1
    _tell(answers, {"event": "ready", "checkpoint": checkpoint_document(detector)})
    for line in requests:
        if line.strip():
            answer(line, detector, answers)
    return 0


def answer(line: str, detector: Detector, answers: IO[str]) -> None:
    """Answer one request; whatever goes wrong with it is said and does not end the process."""
    request: Line = {}
    try:
        request = _object_in(line)
        _check(request)
        result = _ANSWERS[request.get("ask", "scan")](request, detector, answers)
    except (FootageError, StillError) as error:
        failure = {"kind": error.kind, "error": str(error)}
    except BadRequest as error:
        failure = {"kind": "request", "error": str(error)}
    except MemoryError:
        failure = {"kind": "memory", "error": "Looking at this file needs too much memory."}
    except (BrokenPipeError, KeyboardInterrupt):
        raise
    except Exception as error:
        log.exception("Request %s failed.", line.strip()[:500])
        failure = {
            "kind": "detector",
            "error": f"Looking at this file failed on our side ({type(error).__name__}).",
        }
    else:
        _tell(answers, {"id": request["id"], "event": "result", "result": result})
        return
    _tell(answers, {"id": request.get("id"), "event": "failed", **failure})


class BadRequest(Exception):
    """A line that is not a request."""


def _object_in(line: str) -> Line:
    try:
        request = json.loads(line)
    except (ValueError, RecursionError):
        raise BadRequest("This line is not JSON.") from None
    if not isinstance(request, dict):
        raise BadRequest("A request is an object with an id and a path.")
    return request


def _check(request: Line) -> None:
    if not isinstance(request.get("path"), str) or not isinstance(request.get("id"), str | int):
        raise BadRequest("A request is an object with an id and a path.")
    if request.get("ask", "scan") not in tuple(_ANSWERS):
        raise BadRequest("A request asks for a scan or a detect.")
    if not isinstance(request.get("score_threshold", 0), int | float):
        raise BadRequest("A score_threshold is a number.")


def _scan(request: Line, detector: Detector, answers: IO[str]) -> Line:
    def tell(progress: Progress) -> None:
        told = {"done": progress.done, "total": progress.total, "stage": progress.stage}
        _tell(answers, {"id": request["id"], "event": "progress", **told})

    return scan_document(scan(Path(request["path"]), detector, on_progress=tell), detector)


def _detect(request: Line, detector: Detector, answers: IO[str]) -> Line:
    picture = open_still(Path(request["path"]))
    (found,) = detector.detect([picture])
    threshold = request.get("score_threshold", 0.0)
    return still_document(picture, [one for one in found if one.score >= threshold])


_ANSWERS = {"scan": _scan, "detect": _detect}


def _tell(answers: IO[str], message: Line) -> None:
    answers.write(json.dumps(message, allow_nan=False) + "\n")
    answers.flush()


def _take_stdout() -> IO[str]:
    """Keep stdout for our lines alone: whatever a library prints, from Python or from C, goes to stderr."""
    sys.stdout.flush()
    answers = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return answers


def _die_with_parent() -> None:
    """By the kernel on Linux; elsewhere the next answer breaks the pipe."""
    if sys.platform == "linux":
        parent = os.getppid()
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # 1: PR_SET_PDEATHSIG
        if os.getppid() != parent:
            os._exit(1)

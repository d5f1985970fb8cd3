"""The scanner process of this worker: torch lives there, and it can be killed without killing the worker.

`python -m training.scan --serve` reads one JSON request per line and answers with JSON lines. It is started
at the first scan, kept for the next one, and replaced when it dies or when another checkpoint is champion.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import re
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Iterator
from pathlib import Path

from django.conf import settings

import training

log = logging.getLogger(__name__)

#: The scanner must say something within this many seconds: a ready line, progress, a result.
SILENCE_LIMIT = 300.0
SECRET_NAMES = re.compile(r"SECRET|PASSWORD|TOKEN|DATABASE_URL|BROKER_URL", re.IGNORECASE)
# -P: a file beside the footage must never be imported in place of ours.
COMMAND = [sys.executable, "-P", "-m", "training.scan", "--serve"]


class ScannerDied(Exception):
    """The scanner process ended or fell silent in the middle of a scan: worth another attempt."""


class ClipRefused(Exception):
    """The scanner will not scan this clip; the text is for the person who brought it."""

    def __init__(self, kind: str, error: str) -> None:
        super().__init__(error)
        self.kind = kind


def scanner_command(weights: Path) -> list[str]:
    command = getattr(settings, "SCANNER_COMMAND", None) or COMMAND
    return [*command, "--checkpoint", str(weights)]


def environment() -> dict[str, str]:
    """Our environment less its secrets: the scanner reads strangers' files."""
    kept = {name: value for name, value in os.environ.items() if not SECRET_NAMES.search(name)}
    return kept | {"PYTHONPATH": str(Path(training.__file__).resolve().parent.parent)}


class Scanner:
    """One scanner process and the pipe to it. Not for two threads at once: hold `lock`."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._child: subprocess.Popen[str] | None = None
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._sha256 = ""

    def scan(self, path: Path, *, weights: Path, sha256: str, tick: float) -> Generator[dict | None]:
        """Yield the scanner's events for one clip, the result last; None after each `tick` of silence.

        Closing the iterator early kills the scanner: that is how a scan is cancelled.
        """
        yield from self._ask({"path": str(path)}, weights=weights, sha256=sha256, tick=tick)

    def detect(
        self, path: Path, *, weights: Path, sha256: str, tick: float, score_threshold: float
    ) -> Generator[dict | None]:
        """The same for one picture."""
        request = {"ask": "detect", "path": str(path), "score_threshold": score_threshold}
        yield from self._ask(request, weights=weights, sha256=sha256, tick=tick)

    def _ask(self, request: dict, *, weights: Path, sha256: str, tick: float) -> Generator[dict | None]:
        self._ready(weights, sha256)
        finished = False
        try:
            yield from self._wait_for("ready", tick)
            self._say(request | {"id": request["path"]})
            for event in self._wait_for("result", tick):
                finished = event is not None and event["event"] == "result"
                yield event
        except ClipRefused:
            finished = True
            raise
        finally:
            if not finished:
                self.stop()

    def stop(self) -> None:
        """Kill the process, if there is one, and forget what it was saying."""
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            child.wait()
            assert child.stdin is not None
            child.stdin.close()

    def _ready(self, weights: Path, sha256: str) -> None:
        if self._child is not None and self._child.poll() is None and self._sha256 == sha256:
            self._lines.put(json.dumps({"event": "ready", "checkpoint": {"sha256": sha256}}))
            return
        self.stop()
        self._sha256, self._lines = sha256, queue.Queue()
        log.info("Starting the scanner with checkpoint %s.", sha256[:12])
        self._child = subprocess.Popen(
            scanner_command(weights),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="ascii",
            env=environment(),
            start_new_session=True,  # Ctrl-C is for the supervisor; the scanner ends with its parent
        )
        threading.Thread(target=_pump, args=(self._child.stdout, self._lines), daemon=True).start()

    def _say(self, request: dict) -> None:
        assert self._child is not None and self._child.stdin is not None
        try:
            self._child.stdin.write(json.dumps(request) + "\n")
            self._child.stdin.flush()
        except OSError as error:
            raise ScannerDied("The scanner process ended before it took the clip.") from error

    def _wait_for(self, last: str, tick: float) -> Iterator[dict | None]:
        """Yield events up to and including the one called `last`."""
        heard = time.monotonic()
        while True:
            try:
                line = self._lines.get(timeout=tick)
            except queue.Empty:
                if time.monotonic() - heard > SILENCE_LIMIT:
                    raise ScannerDied(f"The scanner said nothing for {SILENCE_LIMIT:.0f} seconds.") from None
                yield None
                continue
            heard = time.monotonic()
            event = self._understood(line)
            if event["event"] == "failed":
                raise ClipRefused(event["kind"], event["error"])
            if event["event"] == "ready" and event["checkpoint"]["sha256"] != self._sha256:
                raise ScannerDied("The scanner loaded other weights than it was asked to.")
            yield event
            if event["event"] == last:
                return

    def _understood(self, line: str | None) -> dict:
        if line is None:
            code = self._child.wait() if self._child is not None else None
            raise ScannerDied(f"The scanner process ended in the middle of the scan (exit code {code}).")
        try:
            event = json.loads(line)
        except ValueError as error:
            raise ScannerDied(f"The scanner said something that is not JSON: {line[:200]!r}") from error
        return event


def _pump(stream, lines: queue.Queue[str | None]) -> None:
    """Carry lines from the scanner's pipe to the queue; None at its end."""
    with stream:
        for line in stream:
            lines.put(line)
    lines.put(None)


#: The one scanner of this worker process.
SCANNER = Scanner()

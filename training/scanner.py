"""The other end of the scanner process, for programs that must not load torch (docs/scan-json.md)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any

Line = dict[str, Any]
#: -P: a file beside the footage must never be imported in place of ours.
_COMMAND = [sys.executable, "-P", "-m", "training.scan", "--serve"]


class ScannerFailed(Exception):
    """The scanner's "failed" for one file, or its end: `kind` as in the JSON, or "died"."""

    def __init__(self, kind: str, error: str) -> None:
        super().__init__(error)
        self.kind = kind


class Scanner:
    """A scanner process, started at the first request and again after it has died. For one thread at a time.

    The process dies with this one, and when the `with` block ends.
    """

    def __init__(self, *, checkpoint: Path | None = None, command: Sequence[str] | None = None) -> None:
        self._command = list(command or _COMMAND)
        if checkpoint is not None:
            self._command += ["--checkpoint", str(checkpoint.absolute())]
        self._process: subprocess.Popen[str] | None = None
        self._noise: IO[str] | None = None
        self._asked = 0
        self._never_starts: ScannerFailed | None = None

    @property
    def pid(self) -> int | None:
        """Of the process, while there is one."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Be ready for the next request, which otherwise starts the process. Raises ScannerFailed."""
        if self._process is None or self._process.poll() is not None:
            self.close()
            self._start()

    def scan(self, path: Path, *, on_progress: Callable[[int, int], None]) -> Line:
        """The result of a scan; `on_progress(done, total)`. Raises ScannerFailed."""
        return self._ask({"ask": "scan", "path": str(path.absolute())}, on_progress)

    def detect(self, path: Path, *, score_threshold: float) -> Line:
        """The result of a detect. Raises ScannerFailed."""
        request = {"ask": "detect", "path": str(path.absolute()), "score_threshold": score_threshold}
        return self._ask(request, lambda done, total: None)

    def close(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()
        if self._noise is not None:
            self._noise.close()

    def __enter__(self) -> Scanner:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ask(self, request: Line, on_progress: Callable[[int, int], None]) -> Line:
        if self._process is not None and self._process.poll() is not None:
            self.close()  # it died between two requests: that is no fault of this file
        process = self._process or self._start()
        self._asked += 1
        assert process.stdin
        try:
            process.stdin.write(json.dumps(request | {"id": self._asked}) + "\n")
            process.stdin.flush()
        except BrokenPipeError:
            raise self._died() from None
        while (answer := self._read())["event"] != "result":
            on_progress(answer["done"], answer["total"])
        result: Line = answer["result"]
        return result

    def _start(self) -> subprocess.Popen[str]:
        if self._never_starts:
            raise self._never_starts
        # Closed in close().
        self._noise = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._noise,
            encoding="ascii",
            env=os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[1])},
            start_new_session=True,  # Ctrl-C is for us; the scanner ends when we do
        )
        try:
            self._read()
        except ScannerFailed as error:
            self._never_starts = error  # nor would it the next time
            self.close()
            raise
        return self._process

    def _read(self) -> Line:
        """The next answer that is not a failure."""
        assert self._process and self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise self._died()
        answer: Line = json.loads(line)
        if answer["event"] == "failed":
            raise ScannerFailed(answer["kind"], answer["error"])
        return answer

    def _died(self) -> ScannerFailed:
        assert self._process and self._noise
        code = self._process.wait()
        self._noise.seek(0)
        last_words = (self._noise.read().strip().splitlines() or ["no last words"])[-1]
        self.close()
        return ScannerFailed("died", f"The scanner process ended (exit code {code}: {last_words}).")

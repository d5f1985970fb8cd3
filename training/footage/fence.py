"""The fence around libav: one killable, limited child per open file, and the wire to it.

A message on the wire is one line of JSON; a message with `"bytes": n` is followed by n raw bytes.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import select
import signal
import subprocess
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from training.footage.facts import FootageError, Limits

_LONGEST_HEADER = 1 << 20
_NOTHING = np.empty(0, np.uint8)


class Child:
    """The parent's end: a process (decode, or another fenced one), killed when it stays silent too long."""

    def __init__(self, limits: Limits, *, writes: bool, module: str = "training.footage.decode") -> None:
        self._patience = limits.answer_seconds
        confined = asdict(limits) | {"written_bytes": limits.written_bytes if writes else 0}
        self._process = subprocess.Popen(
            # -P and cwd: a file beside the footage must never be imported in place of ours.
            [sys.executable, "-P", "-s", "-m", module, json.dumps(confined)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env=_environment(),
            bufsize=0,
        )
        self._ahead = bytearray()

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, message: dict[str, Any], body: bytes = b"") -> None:
        """A request, followed by raw bytes that the child must take as its `Wire.body`."""
        assert self._process.stdin
        if self._process.stdin.closed:
            raise self._gone()
        deadline = time.monotonic() + self._patience
        left = memoryview(json.dumps(message).encode() + b"\n" + body)
        pipe = self._process.stdin.fileno()
        os.set_blocking(pipe, False)
        waiting = select.poll()
        waiting.register(pipe, select.POLLOUT)
        while left:
            if not waiting.poll(max(0.0, deadline - time.monotonic()) * 1000):
                raise self._silent()
            try:
                left = left[os.write(pipe, left) :]
            except BrokenPipeError:
                raise self._gone() from None
            except BlockingIOError:
                continue

    def receive(self) -> tuple[dict[str, Any], npt.NDArray[np.uint8]]:
        """The next message and its bytes; raises what the child reports, or why it went away."""
        while True:
            header = json.loads(self._line())
            if header["is"] == "failed":
                raise FootageError(header["kind"], header["error"])
            if header["is"] != "working":
                return header, self._body(header["bytes"]) if "bytes" in header else _NOTHING

    def close(self) -> None:
        """End the child at once. It holds nothing that could be lost."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                with contextlib.suppress(OSError):
                    pipe.close()

    def _line(self) -> bytes:
        deadline = time.monotonic() + self._patience
        while (end := self._ahead.find(b"\n")) < 0:
            if len(self._ahead) > _LONGEST_HEADER:
                raise self._gone()
            chunk = bytearray(65536)
            self._ahead += chunk[: self._read_into(memoryview(chunk), deadline)]
        line = bytes(self._ahead[:end])
        del self._ahead[: end + 1]
        return line

    def _body(self, size: int) -> npt.NDArray[np.uint8]:
        deadline = time.monotonic() + self._patience
        body = np.empty(size, np.uint8)
        view = memoryview(body.data)
        have = min(size, len(self._ahead))
        view[:have] = self._ahead[:have]
        del self._ahead[:have]
        while have < size:
            have += self._read_into(view[have:], deadline)
        return body

    def _read_into(self, view: memoryview, deadline: float) -> int:
        assert self._process.stdout
        if self._process.stdout.closed:
            raise self._gone()
        pipe = self._process.stdout.fileno()
        waiting = select.poll()  # not select(): a server may hold more than 1024 descriptors
        waiting.register(pipe, select.POLLIN)
        if not waiting.poll(max(0.0, deadline - time.monotonic()) * 1000):
            raise self._silent()
        if not (got := os.readv(pipe, [view])):
            raise self._gone()
        return got

    def _silent(self) -> FootageError:
        self.close()
        return FootageError("timeout", f"Reading this file took too long (over {self._patience:g} s).")

    def _gone(self) -> FootageError:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(2)
        code = self._process.returncode
        self.close()
        if code == -signal.SIGXCPU:
            return FootageError("timeout", "Reading this file took too much computing time.")
        if code == MEMORY_EXIT:
            return FootageError("memory", "Reading this file needs too much memory.")
        return FootageError("broken", "Reading this file failed: the decoder stopped in the middle.")


#: Exit status of a child that had no memory left, not even for a message.
MEMORY_EXIT = 77


def _environment() -> dict[str, str]:
    """Nothing of ours leaks to the child: no secrets, no proxy settings."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    return kept | {
        "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "LC_ALL": "C.UTF-8",
        # Each arena of malloc reserves 64 MiB of address space, which RLIMIT_AS counts.
        "MALLOC_ARENA_MAX": "2",
        "OPENBLAS_NUM_THREADS": "1",
    }


def confine(limits: Limits) -> None:
    """The child's first act: limit itself and die with its parent."""
    _die_with_parent()
    for what, amount in (
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_CPU, limits.cpu_seconds),
        (resource.RLIMIT_FSIZE, limits.written_bytes),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 64),
    ):
        _, hard = resource.getrlimit(what)
        allowed = amount if hard == resource.RLIM_INFINITY else min(amount, hard)
        # Some systems refuse to limit address space; the header limits still hold there.
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(what, (allowed, allowed))


def _die_with_parent() -> None:
    """By the kernel on Linux; anywhere when stdin closes, even in the middle of a long decode.

    The kernel's signal comes when the THREAD that started the child ends, so a Footage must not
    outlive the thread that opened it.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # 1: PR_SET_PDEATHSIG

    def watch() -> None:
        waiting = select.poll()
        waiting.register(0, 0)
        waiting.poll()
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()


class Wire:
    """The child's end."""

    def __init__(self, requests: int, answers: BinaryIO) -> None:
        self._requests = requests
        self._answers = answers
        self._ahead = b""
        self._quiet_since = time.monotonic()

    def request(self) -> dict[str, Any] | None:
        """The next request; None when the parent is done."""
        while b"\n" not in self._ahead:
            chunk = os.read(self._requests, 65536)
            if not chunk:
                return None
            self._ahead += chunk
        line, _, self._ahead = self._ahead.partition(b"\n")
        found: dict[str, Any] = json.loads(line)
        return found

    def body(self, size: int) -> bytes:
        """The raw bytes that follow a request."""
        while len(self._ahead) < size:
            chunk = os.read(self._requests, 1 << 20)
            if not chunk:
                raise EOFError
            self._ahead += chunk
        taken, self._ahead = self._ahead[:size], self._ahead[size:]
        return taken

    def interrupted(self) -> bool:
        """Whether the parent has already asked for something else."""
        waiting = select.poll()
        waiting.register(self._requests, select.POLLIN)
        return bool(self._ahead) or bool(waiting.poll(0))

    def tell(self, message: dict[str, Any], body: memoryview | bytes = b"") -> None:
        if body:
            message = message | {"bytes": len(body)}
        self._answers.write(json.dumps(message).encode() + b"\n")
        self._answers.write(body)
        self._answers.flush()
        self._quiet_since = time.monotonic()

    def still_working(self) -> None:
        """Say so about once a second during long work, or the parent loses patience."""
        if time.monotonic() - self._quiet_since > 1:
            self.tell({"is": "working"})

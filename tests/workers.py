"""Real worker processes on the real broker, to be killed with -9; loaded by conftest.py."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def start_worker(transactional_db: None) -> Iterator[Callable[[str, str], subprocess.Popen[bytes]]]:
    """Return a function that starts a worker for one queue; it loads the given module."""
    workers: list[subprocess.Popen[bytes]] = []

    def start(module: str, queue: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "dramatiq", module, "--skip-logging"]
        command += ["--processes", "1", "--threads", "1", "--queues", queue]
        worker = subprocess.Popen(command, cwd=ROOT, start_new_session=True)
        workers.append(worker)
        return worker

    yield start
    for worker in workers:
        kill(worker)


def kill(worker: subprocess.Popen[bytes]) -> None:
    """kill -9 of the worker and all it forked."""
    if worker.poll() is None:
        os.killpg(worker.pid, signal.SIGKILL)
    worker.wait()


def wait_until(true: Callable[[], bool], worker: subprocess.Popen[bytes]) -> None:
    from dramatiq_postgres.django.models import Job

    while not true():
        assert worker.poll() is None, "the worker ended"
        assert not Job.objects.filter(state=Job.REJECTED).exists(), "the job broke"
        time.sleep(0.05)

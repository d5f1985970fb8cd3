"""The programs that make up the platform, as the supervisor is to start them."""

import sys
from collections.abc import Mapping

from secondsticks import jobs
from secondsticks.running.supervisor import Program

# A job that is cut off here starts again elsewhere: its message is unacknowledged and comes back.
WORKER_PATIENCE_MS = 5_000
LISTENERS = {"jobs": (jobs.INGEST, jobs.HOUSEKEEPING), "scans": (jobs.DETECTION,)}
THREADS = {"jobs": 2, "scans": 1}


def web(*, host: str, port: int) -> Program:
    """Serve pages: granian, WSGI, one process with eight threads."""
    command = [
        *(sys.executable, "-m", "granian", "secondsticks.wsgi:application", "--interface", "wsgi"),
        *("--host", host, "--port", str(port), "--workers", "1", "--blocking-threads", "8"),
        *("--respawn-failed-workers", "--workers-kill-timeout", "5", "--no-ws", "--log-level", "error"),
    ]
    return Program("web", command, patience=10)


def worker(name: str, *, number: int | None = None) -> Program:
    """Work through the queues of LISTENERS[name]; `number` tells several workers of a kind apart."""
    command = [
        *(sys.executable, "-m", "dramatiq", "dramatiq_postgres.django.worker"),
        *("--processes", "1", "--threads", str(THREADS[name]), "--queues", *LISTENERS[name]),
        *("--worker-shutdown-timeout", str(WORKER_PATIENCE_MS), "--skip-logging"),
    ]
    return Program(f"{name}-{number}" if number else name, command, patience=WORKER_PATIENCE_MS / 1000 + 5)


def ml_backend(*, port: int, environment: Mapping[str, str]) -> Program:
    """Serve the champion to a Label Studio on this machine. About 1 GB of memory, most of it torch."""
    command = [sys.executable, "-m", "ml_backend", "--host", "127.0.0.1", "--port", str(port)]
    return Program("ml_backend", command, environment=environment, patience=10)


def sweep() -> Program:
    """Look for work that fell through the cracks, again and again."""
    return Program("sweep", manage("sweep", "--forever"))


def manage(*words: str) -> list[str]:
    """Return the command line of a management command, wherever we are installed."""
    return [sys.executable, "-m", "django", *words]

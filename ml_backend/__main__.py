"""`python -m ml_backend`: serve the champion to Label Studio (docs/ml-backend.md)."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels

from ml_backend.configuration import Misconfigured, configuration

THREADS = 32  # of requests


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m ml_backend", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=9090, help="port to listen on (%(default)s)")
    options = parser.parse_args(arguments)
    try:
        told = configuration()
    except Misconfigured as sentence:
        print(sentence, file=sys.stderr)
        return 1
    # Before torch is loaded, and for every thread that asks it: those that wait must sleep, not spin.
    os.environ |= {"OMP_WAIT_POLICY": "PASSIVE", "OMP_NUM_THREADS": str(told.threads)}
    server = Granian(
        "ml_backend.serving:application", factory=True, address=options.host, port=options.port,
        interface=Interfaces.WSGI, http=HTTPModes.http1, websockets=False, log_level=LogLevels.error,
        workers=1, blocking_threads=THREADS, respawn_failed_workers=True, workers_kill_timeout=5,
    )  # fmt: skip
    server.serve()
    return 0


if __name__ == "__main__":
    sys.exit(main())

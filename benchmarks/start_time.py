"""First and second `make run` in a fresh clone: python benchmarks/start_time.py

Clones this HEAD into a temporary folder (7 GB of disk are needed) and runs `make run` there three
times, from the command to the moment when /readyz answers. The first includes making the environment.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULT = Path(__file__).parent / "results" / "start_time.json"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_ready(port: int) -> bool:
    try:
        return urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=1).status == 200
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def start_once(clone: Path) -> dict[str, float]:
    """Seconds from `make run` to ready, and from Ctrl-C to the end of it."""
    port = free_port()
    began = time.perf_counter()
    product = subprocess.Popen(
        ["make", "run", f"PORT={port}"], cwd=clone, start_new_session=True, stdout=subprocess.DEVNULL,
        env={**os.environ, "SECONDSTICKS_DEMO": "0"},
    )  # fmt: skip
    while not is_ready(port):
        if product.poll() is not None:
            raise SystemExit(f"make run ended by itself with {product.returncode}")
        time.sleep(0.2)
    ready = time.perf_counter() - began
    began = time.perf_counter()
    os.killpg(product.pid, signal.SIGINT)
    product.wait()
    return {"ready": round(ready, 1), "stopped": round(time.perf_counter() - began, 1)}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # so that root's database server can live in it
        clone = Path(folder) / "secondsticks"
        subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
        result = {"first": start_once(clone), "second": start_once(clone), "third": start_once(clone)}
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()

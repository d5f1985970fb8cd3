"""/predict, ours against the reference server of label-studio-ml: python benchmarks/predict.py

Both have the shipped weights, the same frames in a folder and the same number of threads, and are asked in
turns in the same minutes. The reference is label-studio-ml 1.0.9, the newest that is published as a package,
under gunicorn with one worker and eight threads, as its documentation starts it; it is installed into a
throwaway environment.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2

from training.render.stills import render_still
from training.store import open_store

ROOT = Path(__file__).resolve().parent.parent
RESULT = Path(__file__).parent / "results" / "predict.json"
CLIP, FRAMES = str(uuid.UUID(int=7)), 16
SECRET = "benchmark " * 6
CONFIG = (
    '<View><Image name="image" value="$image"/><RectangleLabels name="label" toName="image">'
    '<Label value="open"/><Label value="closed"/></RectangleLabels></View>'
)
REFERENCE = ["label-studio-ml==1.0.9", "gunicorn", "rq", "redis", "setuptools<80"]
ONE, CLIENTS, OF_EACH, BATCH = 16, 4, 6, 16


def write_frames(folder: Path) -> None:
    store = open_store(folder.as_uri())
    for number in range(FRAMES):
        picture = render_still((31, number), size=(640, 360)).picture
        content = cv2.imencode(".jpg", picture[..., ::-1])[1].tobytes()
        store.put(f"frames/{CLIP}/{number}.jpg", content)


def make_reference(folder: Path) -> Path:
    """An environment with label-studio-ml, which finds torch and our weights in this one."""
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, str(folder)], check=True)
    python = folder / "bin" / "python"
    subprocess.run([*uv, "pip", "install", "--quiet", "--python", str(python), *REFERENCE], check=True)
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "second_sticks.pth").write_text(f"{Path(cv2.__file__).parent.parent}\n{ROOT}\n")
    return python


@contextlib.contextmanager
def serving(command: list[str], port: int, **variables: str) -> Iterator[int]:
    environment = os.environ | {"OMP_WAIT_POLICY": "PASSIVE", **variables}
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        while not is_ready(port):
            if process.poll() is not None:
                raise SystemExit(f"{command} ended with {process.returncode}")
            time.sleep(0.2)
        yield port
    finally:
        process.terminate()
        process.wait()


def is_ready(port: int) -> bool:
    try:
        return ask(http.client.HTTPConnection("127.0.0.1", port, timeout=60), [0]) > 0
    except (OSError, AssertionError):
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ask(connection: http.client.HTTPConnection, frames: list[int]) -> float:
    """Seconds that one /predict takes."""
    tasks = [
        {"id": number, "data": {"image": "x.jpg", "frame_key": f"{CLIP}/{number}"}, "predictions": []}
        for number in frames
    ]
    body = {
        "tasks": tasks, "label_config": CONFIG, "project": "1.1795383718",
        "params": {"login": None, "password": None, "context": None},
    }  # fmt: skip
    headers = {
        "Content-Type": "application/json",
        "Authorization": "Basic " + b64encode(f"x:{SECRET}".encode()).decode(),
    }
    began = time.perf_counter()
    connection.request("POST", "/predict", json.dumps(body), headers)
    answer = connection.getresponse()
    content = answer.read()
    took = time.perf_counter() - began
    assert answer.status == 200, content
    assert len(json.loads(content)["results"]) == len(frames)
    return took


def client(port: int, frames: list[int]) -> list[float]:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    with contextlib.closing(connection):
        return [ask(connection, [number % FRAMES]) for number in frames]


def one_client(port: int, seen: dict[str, list[float]]) -> None:
    seen["one client"] += client(port, list(range(ONE)))


def four_clients(port: int, seen: dict[str, list[float]]) -> None:
    began = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as pool:
        asked = [pool.submit(client, port, list(range(n, n + OF_EACH))) for n in range(CLIENTS)]
        seen["four clients"] += [took for one in asked for took in one.result()]
    seen["four clients, frames/s"].append(CLIENTS * OF_EACH / (time.perf_counter() - began))


def batch(port: int, seen: dict[str, list[float]]) -> None:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port)) as connection:
        seen["batch, frames/s"].append(BATCH / ask(connection, [n % FRAMES for n in range(BATCH)]))


def summary(seen: dict[str, list[float]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name, values in seen.items():
        if name.endswith("frames/s"):
            result[name] = round(statistics.median(values), 1)
        else:
            cuts = statistics.quantiles(values, n=20, method="inclusive")
            result[name] = {
                "p50 ms": round(cuts[9] * 1000),
                "p95 ms": round(cuts[18] * 1000),
                "n": len(values),
            }
    return result


def measure(folder: Path, reference: Path, *, threads: int, rounds: int) -> dict[str, Any]:
    ours, theirs = free_port(), free_port()
    store = (folder / "store").as_uri()
    names = ("one client", "four clients", "four clients, frames/s", "batch, frames/s")
    seen: dict[str, dict[str, list[float]]] = {
        who: {name: [] for name in names} for who in ("ours", "reference")
    }
    with (
        serving(
            [sys.executable, "-m", "ml_backend", "--port", str(ours)], ours,
            SECONDSTICKS_HOME=str(folder), SECONDSTICKS_STORE=store, SECONDSTICKS_ML_SECRET=SECRET,
            SECONDSTICKS_ML_THREADS=str(threads),
        ),
        serving(
            [
                str(reference), "-m", "gunicorn", "--preload", "--bind", f"127.0.0.1:{theirs}",
                "--workers", "1", "--threads", "8", "--timeout", "0", "benchmarks.predict_reference:app",
            ],
            theirs, STORE=str(folder / "store"), OMP_NUM_THREADS=str(threads), LABEL_STUDIO_ML_BACKEND_V2="",
        ),
    ):  # fmt: skip
        for number in range(rounds):
            pair = [("ours", ours), ("reference", theirs)]
            for load in (one_client, four_clients, batch):
                for who, port in pair if number % 2 else reversed(pair):
                    load(port, seen[who])
    return {who: summary(values) for who, values in seen.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], help="of the network")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_frames(folder / "store")
        reference = make_reference(folder / "environment")
        result = {
            f"{threads} thread{'s' * (threads > 1)}": measure(
                folder, reference, threads=threads, rounds=options.rounds
            )
            for threads in options.threads
        }
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()

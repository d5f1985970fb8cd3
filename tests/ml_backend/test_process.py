"""`python -m ml_backend` with the shipped weights, as Label Studio meets it: over HTTP."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import pytest

from tests.ml_backend import bodies
from tests.ml_backend.conftest import SECRET, basic
from training.render.stills import render_still
from training.slates import State
from training.store import open_store

ROOT = Path(__file__).resolve().parents[2]


class Running:
    def __init__(self, home: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.process = subprocess.Popen(
            [sys.executable, "-m", "ml_backend", "--port", str(self.port)],
            cwd=ROOT, stderr=subprocess.PIPE, text=True,
            env=os.environ | {
                "SECONDSTICKS_HOME": str(home),
                "SECONDSTICKS_ML_SECRET": SECRET,
                "SECONDSTICKS_ML_THREADS": "1",
            },
        )  # fmt: skip

    def ask(self, route: str, body: object = None, *, secret: str = SECRET) -> tuple[int, Any]:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/ml{route}",
            None if body is None else json.dumps(body).encode(),
            bodies.HEADERS | {"Authorization": basic(secret)},
        )
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refused:
            return refused.code, json.load(refused)

    def health(self) -> Any:
        """Once the port is open."""
        while True:
            try:
                return self.ask("/health")[1]
            except urllib.error.URLError:
                assert self.process.poll() is None


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    started = Running(tmp_path)
    yield started
    started.process.kill()
    started.process.wait()


def test_a_real_frame_by_the_real_network(running: Running, tmp_path: Path) -> None:
    still = render_still((900, 5), empty=False, state=State.OPEN, size=(1280, 720))
    content = cv2.imencode(".jpg", still.picture[..., ::-1])[1].tobytes()
    store = open_store((tmp_path / "store").as_uri())
    store.put(f"frames/{bodies.CLIP}/3.jpg", content)

    first = running.health()
    status = 503
    while status == 503:  # a busy machine takes long to load torch
        status, predicted = running.ask("/predict", bodies.predict(bodies.task(3), bodies.task(4)))
    refused = running.ask("/predict", bodies.predict(bodies.task(3)), secret="wrong")
    queued = running.ask("/webhook", bodies.CREATED)

    assert (first["status"], first["weights"]) == ("UP", "loading")
    assert status == 200
    seen, missing = predicted["results"]
    value = seen["result"][0]["value"]
    box = still.slates[0].box
    assert value["rectanglelabels"] == ["open"]
    assert value["x"] == pytest.approx(box.x / 12.8, abs=3)
    assert value["width"] == pytest.approx(box.w / 12.8, abs=5)
    assert (missing["result"], missing["score"]) == ([], 0)
    assert (refused[0], queued[0]) == (401, 201)
    assert running.health()["weights"] == "ready"

    running.process.send_signal(signal.SIGTERM)
    _, said = running.process.communicate()
    assert running.process.returncode == 0
    assert "Traceback" not in said


def test_a_wrong_setting_is_one_line(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "ml_backend"],
        cwd=ROOT, capture_output=True, text=True,
        env=os.environ | {"SECONDSTICKS_HOME": str(tmp_path), "SECONDSTICKS_ML_SECRET": "short"},
    )  # fmt: skip
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr == "SECONDSTICKS_ML_SECRET needs at least 50 plain characters.\n"

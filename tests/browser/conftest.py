"""The whole product, started as a person starts it, and a real Chromium to drive it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.plugin import HOME

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "the-sticks-are-shut-9"


@dataclass(frozen=True)
class Product:
    """A running Second Sticks: where it answers, and its supervisor."""

    url: str
    home: Path
    supervisor: subprocess.Popen[str]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def started(home: Path, **more: str) -> Iterator[Product]:
    """`manage.py up` with its embedded database, web server, workers and the shipped checkpoint."""
    port = free_port()
    unset = {"DATABASE_URL", "SECRET_KEY", "DJANGO_SETTINGS_MODULE"}
    environment = {name: value for name, value in os.environ.items() if name not in unset}
    environment |= {"SECONDSTICKS_HOME": str(home), "SECONDSTICKS_DEMO": "0"}
    environment |= {"SECONDSTICKS_ADMIN_PASSWORD": PASSWORD, **more}
    supervisor = subprocess.Popen(
        [sys.executable, "manage.py", "up", "--port", str(port)],
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert supervisor.stdout
    said = []
    url = f"http://127.0.0.1:{port}"
    for line in supervisor.stdout:
        said.append(line)
        if url in line:
            break
    else:
        pytest.fail("the product did not start:\n" + "".join(said))
    # A pipe that nobody reads would stop the product once it is full.
    threading.Thread(target=supervisor.stdout.read, daemon=True).start()
    yield Product(url, home, supervisor)
    supervisor.send_signal(signal.SIGINT)
    assert supervisor.wait() == 0


@pytest.fixture(scope="session")
def product() -> Iterator[Product]:
    # Not pytest's own folder: root's database server could not live in it.
    with started(HOME / "product") as product:
        yield product


@pytest.fixture
def page(chromium, product: Product) -> Iterator[object]:
    """A fresh browser window; a script error or a refused script anywhere fails the test."""
    context = chromium.new_context(base_url=product.url, viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.set_default_timeout(60_000)
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda said: troubles.append(said.text) if "Content Security" in said.text else None)
    yield page
    context.close()
    assert troubles == []

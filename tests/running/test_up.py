"""`manage.py up` as a person meets it: twice, with an embedded database of its own."""

import contextlib
import http.cookiejar
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]


class Started:
    """A running `up`, and what it said until it named its address."""

    def __init__(self, home: Path, port: int, *words: str, **variables: str) -> None:
        environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        environment |= {"SECONDSTICKS_HOME": str(home), "SECONDSTICKS_DEMO": "0", **variables}
        self.url = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "up", "--port", str(port), *words],
            cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        assert self.process.stdout is not None
        self.said = ""
        for line in self.process.stdout:
            self.said += line
            if "Sign in as" in line:
                return
        raise AssertionError(f"it ended instead of starting:\n{self.said}")

    def stop(self) -> list[psutil.Process]:
        """Ask it to stop, and return those of its descendants that are still there afterwards."""
        family = psutil.Process(self.process.pid).children(recursive=True)
        assert len(family) > 5
        self.process.send_signal(signal.SIGTERM)
        rest, _ = self.process.communicate()
        assert (self.process.returncode, rest.rstrip().endswith("stopped")) == (0, True), rest
        _, alive = psutil.wait_procs(family, timeout=5)
        return alive


@pytest.fixture(scope="module")
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="secondsticks-up-") as name:
        Path(name).chmod(0o755)  # so that root's database server can live in it
        yield Path(name)


def sign_in(url: str, password: str) -> str:
    """Sign in as admin and return the path of the page that this leads to."""
    cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
    browser = urllib.request.build_opener(cookies)
    page = browser.open(f"{url}/sign-in/").read().decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    assert token is not None
    form = {"username": "admin", "password": password, "csrfmiddlewaretoken": token[1]}
    answer = browser.open(f"{url}/sign-in/", urllib.parse.urlencode(form).encode())
    return urllib.parse.urlsplit(answer.geturl()).path


def test_start_stop_and_start_again(home: Path, port: int) -> None:
    first = Started(home, port)
    shown = re.search(r"Sign in as admin with the password (\S+) \(shown this once\)", first.said)
    assert first.url in first.said
    assert shown is not None

    other = subprocess.run(
        [sys.executable, "manage.py", "up", "--port", str(port)], cwd=ROOT, capture_output=True, text=True
    )
    assert first.stop() == []

    assert (other.returncode, other.stderr.count("\n")) == (1, 1)
    assert other.stderr.startswith(f"Port {port} on 127.0.0.1 is in use")
    assert [log.name for log in (home / "logs").iterdir() if shown[1] in log.read_text()] == []

    second = Started(home, port)
    arrived = sign_in(second.url, shown[1])
    assert second.stop() == []

    assert "password" in second.said and shown[1] not in second.said
    assert arrived == "/"


def answers(url: str) -> bool:
    try:
        return bool(urllib.request.urlopen(f"{url}/readyz").status == 200)
    except OSError:  # refused, or 503 while the database is away
        return False


def test_what_is_killed_comes_back(home: Path, port: int) -> None:
    started = Started(home, port)
    supervisor = psutil.Process(started.process.pid)
    programs = supervisor.children()

    for program in programs:
        program.kill()
    psutil.wait_procs(programs)
    assert not answers(started.url)
    while not answers(started.url) or len(supervisor.children()) < len(programs):
        time.sleep(0.1)

    assert len(programs) == 5
    assert started.stop() == []


def test_the_ml_backend_comes_and_goes_with_the_rest(home: Path, port: int) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        ml_port = int(probe.getsockname()[1])
    started = Started(home, port, "--ml-backend", SECONDSTICKS_ML_PORT=str(ml_port))
    health: dict[str, str] = {}
    while not health:
        with contextlib.suppress(OSError):
            health = json.load(urllib.request.urlopen(f"http://127.0.0.1:{ml_port}/health"))
        time.sleep(0.1)

    assert health["status"] == "UP"
    assert started.stop() == []
    assert (home / "ml_secret").stat().st_mode & 0o077 == 0

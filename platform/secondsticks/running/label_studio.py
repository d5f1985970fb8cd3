"""A Label Studio of our own: its environment, its process, its account and token (docs/label-studio.md).

It lives apart from us: its packages pin other versions than ours, and it reads variables of the environment
by names as plain as DEBUG and PASSWORD, so it gets one in which every variable is named here.
"""

from __future__ import annotations

import fcntl
import http.cookiejar
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from secondsticks.labeling.label_studio.server import VERSION
from secondsticks.labeling.label_studio.tokens import write_secret
from secondsticks.running import checks
from secondsticks.running.children import dies_with_parent
from secondsticks.running.sentences import CannotStart
from secondsticks.running.supervisor import Program

ACCOUNT = "admin@secondsticks.local"
NEEDED_BYTES = 2_500_000_000
#: Where clouds hand out credentials: what Label Studio may not fetch, though it may reach us on this machine.
BANNED = "169.254.0.0/16,fe80::/10,fd00:ec2::/32"
#: Seconds: of a first start on a busy machine, and between two lines that say how it goes.
STARTS_WITHIN, SAY_EVERY = 600.0, 15.0
Say = Callable[[str], None]


class LabelStudioHome:
    """The folder of our Label Studio: its environment, its data, its password and token."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "labelstudio"
        self.venv = self.folder / "venv"
        self.data = self.folder / "data"
        self.password_file = self.folder / "password"
        self.token_file = self.folder / "token"
        self.ready = self.venv / f".ready-{VERSION}"

    def prepare(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        self.data.mkdir(exist_ok=True)
        if not self.password_file.exists():
            write_secret(self.password_file, secrets.token_urlsafe(24))

    @property
    def password(self) -> str:
        return self.password_file.read_text().strip()

    @contextmanager
    def lock(self) -> Iterator[bool]:
        """Hold the right to install and run it; False while another command does."""
        with (self.folder / "lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True

    def install(self, say: Say) -> None:
        """Make the environment unless it is there whole. Raises CannotStart."""
        if self.ready.exists():
            return
        checks.disk_has_room(self.folder, NEEDED_BYTES)
        shutil.rmtree(self.venv, ignore_errors=True)
        began = time.monotonic()
        say(f"Installing Label Studio {VERSION} into {self.venv}: about 900 MB, some minutes")
        for command in self.commands():
            self._run(command, say, began)
        self.ready.touch()
        say(f"Installed after {time.monotonic() - began:.0f} s")

    def commands(self) -> list[list[str]]:
        """uv where there is one, which is quicker, else Python's own."""
        python, wanted = str(self.venv / "bin" / "python"), f"label-studio=={VERSION}"
        beside = Path(sys.executable).with_name("uv")
        uv = str(beside) if beside.exists() else shutil.which("uv")
        if uv:
            return [
                [uv, "venv", "--quiet", "--python", sys.executable, str(self.venv)],
                [uv, "pip", "install", "--quiet", "--python", python, wanted],
            ]
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wanted]
        return [[sys.executable, "-m", "venv", str(self.venv)], pip]

    def _run(self, command: list[str], say: Say, began: float) -> None:
        log = self.folder / "install.log"
        with log.open("ab") as output:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                preexec_fn=dies_with_parent(signal.SIGTERM),
            )  # fmt: skip
            while True:
                try:
                    code = process.wait(SAY_EVERY)
                    break
                except subprocess.TimeoutExpired:
                    seconds = time.monotonic() - began
                    say(f"Installing since {seconds:.0f} s; {megabytes(self.venv)} MB are in place")
        if code != 0:
            raise CannotStart(
                f"Label Studio could not be installed; {log} says why. Is the package index reachable? "
                "Say the command again to try again."
            )

    def program(self, *, port: int) -> Program:
        return Program("label-studio", spawn=lambda output: self.spawn(port, output), patience=10)

    def spawn(self, port: int, output: int) -> subprocess.Popen[bytes]:
        command = [
            *(str(self.venv / "bin" / "label-studio"), "start", "--no-browser"),
            *("--internal-host", "127.0.0.1", "--port", str(port)),
        ]
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, cwd=self.folder,
            env=self.environment(port), start_new_session=True, preexec_fn=dies_with_parent(signal.SIGTERM),
        )  # fmt: skip

    def environment(self, port: int) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("LANG", "TZ", "SSL_CERT_FILE") if name in os.environ}
        return kept | {
            "PATH": f"{self.venv / 'bin'}:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(self.folder),
            "PYTHONUNBUFFERED": "1",
            "LABEL_STUDIO_BASE_DATA_DIR": str(self.data),
            "LABEL_STUDIO_USERNAME": ACCOUNT,
            "LABEL_STUDIO_PASSWORD": self.password,
            "LABEL_STUDIO_HOST": address(port),
            "LABEL_STUDIO_DISABLE_SIGNUP_WITHOUT_LINK": "true",
            "COLLECT_ANALYTICS": "false",
            "LATEST_VERSION_CHECK": "false",
            "SENTRY_DSN": "",
            "FRONTEND_SENTRY_DSN": "",
            # Both guards stay on; what they ban is what we name, for we are at loopback ourselves.
            "SSRF_PROTECTION_ENABLED": "true",
            "ML_BLOCK_LOCAL_IP": "true",
            "USE_DEFAULT_BANNED_SUBNETS": "false",
            "USER_ADDITIONAL_BANNED_SUBNETS": BANNED,
        }

    def token(self, port: int) -> str:
        """A personal access token of its first account, made at the first call. Raises CannotStart."""
        kept = self.token_file.read_text().strip() if self.token_file.exists() else ""
        if kept and is_accepted(address(port), kept):
            return kept
        made = minted(address(port), self.password)
        write_secret(self.token_file, made)
        return made


def address(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def megabytes(folder: Path) -> int:
    sizes = (path.lstat().st_size for path in folder.rglob("*") if path.is_file())
    try:
        return sum(sizes) // 1_000_000
    except OSError:  # it is being written
        return 0


def is_up(url: str) -> bool:
    """Whether a Label Studio answers there, and not something else."""
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=5) as answer:
            return bool(json.load(answer).get("status") == "UP")
    except (OSError, ValueError, AttributeError):
        return False


def is_accepted(url: str, token: str) -> bool:
    body = json.dumps({"refresh": token}).encode()
    request = urllib.request.Request(f"{url}/api/token/refresh/", body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30):
            return True
    except (OSError, ValueError):
        return False


class Session:
    """Somebody signed in to Label Studio as by a browser, for what its API gives to nobody else."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.cookies = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))

    def get(self, path: str) -> bytes:
        with self._opener.open(self.url + path, timeout=60) as answer:
            return bytes(answer.read())

    def post(self, path: str, content: bytes, kind: str) -> tuple[str, bytes]:
        """The address that it ends at, and the body. Raises OSError."""
        headers = {"Referer": self.url + path, "X-CSRFToken": self.csrf, "Content-Type": kind}
        request = urllib.request.Request(self.url + path, content, headers)
        with self._opener.open(request, timeout=60) as answer:
            return answer.url, bytes(answer.read())

    def sign_in(self, password: str) -> None:
        self.get("/user/login/")
        said = {"email": ACCOUNT, "password": password, "csrfmiddlewaretoken": self.csrf}
        form = urllib.parse.urlencode(said).encode()
        ended, _ = self.post("/user/login/", form, "application/x-www-form-urlencoded")
        if "/user/login" in ended:
            raise CannotStart(
                f"Label Studio does not take the password of {ACCOUNT} that is kept: was it changed there? "
                "Put the new one into the password file, or link with a token of yours in the settings."
            )

    @property
    def csrf(self) -> str:
        return next((str(one.value) for one in self.cookies if one.name == "csrftoken"), "")


def minted(url: str, password: str) -> str:
    """A new personal access token; earlier ones, which nobody knows, are revoked. Raises CannotStart."""
    try:
        session = Session(url)
        session.sign_in(password)
        for known in json.loads(session.get("/api/token/")):
            refused = json.dumps({"refresh": known["token"]}).encode()
            session.post("/api/token/blacklist/", refused, "application/json")
        _, answer = session.post("/api/token/", b"{}", "application/json")
        made: dict[str, Any] = json.loads(answer)
        return str(made["token"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CannotStart(f"Label Studio at {url} gave no token ({error}).") from error

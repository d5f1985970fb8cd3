"""One start from the checks to the address that is printed, and one clean stop."""

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings

from secondsticks.running import checks, programs
from secondsticks.running.lines import Lines
from secondsticks.running.postgres import Postgres, is_free
from secondsticks.running.sentences import CannotStart
from secondsticks.running.supervisor import Program, Supervisor

READY_WITHIN = 120.0  # seconds for the web server to answer; a busy machine needs ten


class Up:
    """Everything that `manage.py up` does, in order."""

    def __init__(self, home: Path, *, own_database: bool) -> None:
        self.home = home
        self.own_database = own_database
        self.environment = {"DJANGO_SETTINGS_MODULE": "secondsticks.settings", "PYTHONUNBUFFERED": "1"}

    def run(
        self, *, host: str, port: int, only: str | None, workers: int, ml_backend: bool | None = False
    ) -> None:
        """Start, print the address, and keep everything running until SIGINT or SIGTERM.

        `ml_backend` None: when it is needed.
        """
        self.check(host=host, port=port, serves=only != "worker")
        if ml_backend:
            checks.ml_port_is_free(settings.ML_PORT)
        self.lines = Lines(settings.LOGS)
        self.supervisor = Supervisor(self.lines)
        hang_up = [] if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN else [signal.SIGHUP]  # nohup
        for signum in (signal.SIGINT, signal.SIGTERM, *hang_up):
            signal.signal(signum, lambda *_: self.supervisor.stop())
        os.environ.update(self.environment)
        with self.database_lock() as ours:
            try:
                self.start(
                    host=host,
                    port=port,
                    only=only,
                    workers=workers,
                    ml_backend=ml_backend,
                    start_database=ours,
                )
                self.supervisor.run()
                self.lines.write("up", "stopping")
            finally:
                self.supervisor.end()
        self.lines.write("up", "stopped")

    def check(self, *, host: str, port: int, serves: bool) -> None:
        checks.python_is_new_enough()
        checks.home_is_writable(self.home)
        checks.disk_has_room(self.home)
        if serves:
            checks.public_host_has_origin(host, settings.ORIGINS)
            checks.port_is_free(host, port)

    @contextlib.contextmanager
    def database_lock(self) -> Iterator[bool]:
        """Hold the right to run the embedded server; False when a DATABASE_URL or another `up` does."""
        if not self.own_database:
            yield False
            return
        with (self.home / "postgres.lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True

    def start(
        self,
        *,
        host: str,
        port: int,
        only: str | None,
        workers: int,
        ml_backend: bool | None,
        start_database: bool,
    ) -> None:
        began = time.monotonic()
        if start_database:
            self.start_database()
        prepared = self.prepare(demo=only != "worker" and os.environ.get("SECONDSTICKS_DEMO", "1") != "0")
        wanted: list[Program] = []
        if only != "worker":
            wanted.append(programs.web(host=host, port=port))
        if only != "web":
            wanted.append(programs.worker("jobs"))
            numbers = range(1, workers + 1) if workers > 1 else [None]
            wanted += [programs.worker("scans", number=number) for number in numbers]
            wanted.append(programs.sweep())
        if ml_backend is None:
            ml_backend = only != "web" and prepared["needs_ml_backend"]
        if ml_backend:
            wanted += self.ml_backend()
        for program in wanted:
            self.supervisor.start(program)
        try:
            if only != "worker":
                self.wait_until_ready(host, port)
            if not self.supervisor.stopping.is_set():
                seconds = time.monotonic() - began
                self.lines.write("up", f"ready after {seconds:.1f} s; Ctrl-C stops everything")
        finally:  # a password that was made up must be seen even if the rest fails: it is shown only once
            if only != "worker":
                self.announce(host, port, prepared["admin_password"])

    def ml_backend(self) -> list[Program]:
        """The program, unless somebody started it beside us."""
        if not is_free(settings.ML_PORT):
            self.lines.write(
                "up", f"port {settings.ML_PORT} is in use: leaving the ML backend to who uses it"
            )
            return []
        told = {
            "SECONDSTICKS_HOME": str(self.home),
            "SECONDSTICKS_STORE": settings.SECONDSTICKS_STORE,
            "SECONDSTICKS_ML_SECRET": settings.ML_SECRET,
        }
        return [programs.ml_backend(port=settings.ML_PORT, environment=told)]

    def start_database(self) -> None:
        self.lines.write("up", "starting the database")
        server = Postgres(self.home)
        server.prepare()
        if not server.folder.is_relative_to(self.home):
            self.lines.write(
                "up", f"PostgreSQL's account cannot enter {self.home}: its data is in {server.folder}"
            )
        child = self.supervisor.start(
            Program(
                "postgres", spawn=server.spawn, stop_signal=signal.SIGINT, patience=20, needed_by_others=True
            )
        )
        assert child.process is not None
        server.wait_until_ready(child.process)
        os.environ["DATABASE_URL"] = server.url

    def prepare(self, *, demo: bool) -> dict[str, Any]:
        """Run `manage.py prepare` in a process of its own, which sees the database that now runs."""
        command = programs.manage("prepare", *(["--demo"] if demo else []))
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
        ) as process:
            assert process.stdout is not None and process.stderr is not None
            reader = self.lines.follow("prepare", process.stderr)
            answer = process.stdout.read()
            reader.join()
        if process.returncode != 0:
            raise CannotStart("The database could not be prepared; the reason is in the line above.")
        prepared: dict[str, Any] = json.loads(answer.splitlines()[-1])
        return prepared

    def wait_until_ready(self, host: str, port: int) -> None:
        url = f"http://{local_name(host)}:{port}/readyz"
        deadline = time.monotonic() + READY_WITHIN

        def not_ready() -> bool:
            try:
                with urllib.request.urlopen(url, timeout=5) as answer:
                    return bool(answer.status != 200)
            except (urllib.error.URLError, OSError):
                return time.monotonic() < deadline

        self.supervisor.run(while_true=not_ready)
        if time.monotonic() >= deadline:
            raise CannotStart(
                f"The web server does not answer at {url}; its reason is in {settings.LOGS}/web.log."
            )

    def announce(self, host: str, port: int, password: str | None) -> None:
        """Print where to go and as whom. The password goes to the terminal alone, never to a log."""
        address = settings.ORIGINS[0] if settings.ORIGINS else f"http://{local_name(host)}:{port}"
        sign_in = "Sign in as admin"
        if password:
            sign_in += f" with the password {password} (shown this once)"
        elif os.environ.get("SECONDSTICKS_ADMIN_PASSWORD"):
            sign_in += " with the password from SECONDSTICKS_ADMIN_PASSWORD"
        else:
            sign_in += "; forgotten the password? `.venv/bin/python manage.py changepassword admin`"
        print(f"\n  Second Sticks is at {address}\n  {sign_in}\n", file=sys.stdout, flush=True)


def local_name(host: str) -> str:
    """Return a name under which this machine reaches a server that listens on `host`."""
    name = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"[{name}]" if ":" in name else name

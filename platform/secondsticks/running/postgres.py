"""The embedded PostgreSQL: a private server under our home folder, for whoever has set no DATABASE_URL.

Its folder is a user's data: an interrupted start leaves nothing half made, another major version is refused,
and a server that a killed parent left behind is stopped before ours starts.
"""

import contextlib
import hashlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import IO

import psutil
import psycopg

from secondsticks.running.children import dies_with_parent
from secondsticks.running.postgres_binaries import (
    PUBLIC_PLACE,
    Account,
    Binaries,
    find_binaries,
    server_account,
)
from secondsticks.running.sentences import CannotStart

NAME = "secondsticks"  # of the database and of its owner
SETTINGS = {"max_connections": "200", "listen_addresses": "127.0.0.1", "log_line_prefix": ""}
THROW_AWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}

OTHER_MAJOR = """\
The database in {folder} was made by PostgreSQL {theirs}, but the PostgreSQL found here is {ours}. \
Nothing was touched. To move it, with the programs of PostgreSQL {theirs} and as the owner of the folder:
  1. pg_ctl -D {folder} -w start
  2. pg_dump -Fc -h 127.0.0.1 -U secondsticks secondsticks > secondsticks.dump   (the password is in {url})
  3. pg_ctl -D {folder} -w stop; then rename {folder} and {url}
  4. start again here; then, with PostgreSQL {ours}: pg_restore --clean --if-exists -d "$(cat {url})" \
secondsticks.dump"""


class Postgres:
    """One server: prepare() its folder, spawn() it, wait_until_ready(). `url` is where it answers.

    throw_away: for tests; a local socket instead of TCP, no password, no care for power cuts.
    """

    def __init__(self, home: Path, *, throw_away: bool = False) -> None:
        self.home = home
        self.throw_away = throw_away
        self.url_file = home / "postgres.url"
        self.account: Account
        self.binaries: Binaries
        self.folder: Path
        self.url = ""

    def prepare(self) -> None:
        """Find the programs, make the folder on the first start, clear leftovers and choose the address."""
        self.account = server_account()
        self.home.mkdir(parents=True, exist_ok=True)
        self.binaries = find_binaries(self.account)
        self.folder = self._choose_folder()
        if not (self.folder / "PG_VERSION").exists():
            self._make_folder()
        theirs = (self.folder / "PG_VERSION").read_text().strip()
        if theirs != str(self.binaries.major):
            ours = self.binaries.major
            raise CannotStart(
                OTHER_MAJOR.format(folder=self.folder, theirs=theirs, ours=ours, url=self.url_file)
            )
        self._stop_leftover()
        self._choose_address()

    def spawn(self, output: IO[bytes] | int | None = None) -> subprocess.Popen[bytes]:
        """Start the prepared server in the foreground of a session of its own."""
        settings = SETTINGS | ({"listen_addresses": "", **THROW_AWAY} if self.throw_away else {})
        settings["unix_socket_directories"] = str(self.folder) if self.throw_away else ""
        settings["port"] = str(psycopg.conninfo.conninfo_to_dict(self.url).get("port", 5432))
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return subprocess.Popen(
            [self.binaries["postgres"], "-D", str(self.folder), *options],
            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, cwd="/", env=ENVIRONMENT,
            start_new_session=True, preexec_fn=dies_with_parent(signal.SIGINT),
            **self.account.popen_options(),
        )  # fmt: skip

    def wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        """Wait while the server lives, recovery after a crash included; make our database if missing."""
        while process.poll() is None:
            time.sleep(0.1)  # first: asking too early puts a FATAL into the log
            try:
                self._make_database()
                return
            except psycopg.OperationalError:
                continue
        raise CannotStart(f"PostgreSQL stopped at once; its reason is above or in {self.home / 'logs'}.")

    def _make_database(self) -> None:
        anywhere = psycopg.conninfo.make_conninfo(self.url, dbname="postgres")
        with psycopg.connect(anywhere, autocommit=True) as connection:
            if not connection.execute("SELECT FROM pg_database WHERE datname = %s", [NAME]).rowcount:
                connection.execute(f"CREATE DATABASE {NAME}")

    def stop(self, process: subprocess.Popen[bytes]) -> None:
        """End the server cleanly, dropping connections; harder when it does not listen."""
        for signum, patience in ((signal.SIGINT, 20), (signal.SIGQUIT, 10), (signal.SIGKILL, 10)):
            if process.poll() is None:
                process.send_signal(signum)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(patience)
                return

    def _choose_folder(self) -> Path:
        if self.account.can_enter(self.home):
            return self.home / "postgres"
        # A checkout below /root: the server's account cannot go there, and opening /root is not ours to do.
        name = hashlib.sha256(str(self.home.resolve()).encode()).hexdigest()[:12]
        return PUBLIC_PLACE / f"postgres-{name}"

    def _make_folder(self) -> None:
        """Run initdb beside the final place and rename: an interrupted first start is simply made again."""
        unfinished = self.folder.with_name(f"{self.folder.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700, parents=True)
        self.account.own(unfinished)
        password = secrets.token_urlsafe(24)
        locale = (
            ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
            if self.binaries.major >= 17
            else ["--locale=C.UTF-8"]
        )
        command = [self.binaries["initdb"], "-D", str(unfinished / "new"), "-U", NAME, "-E", "UTF8", *locale]
        if self.throw_away:
            command += ["--auth=trust", "--no-sync"]
        else:
            password_file = unfinished / "password"
            password_file.touch(mode=0o600)
            self.account.own(password_file)
            password_file.write_text(password)
            command += ["--auth=scram-sha-256", f"--pwfile={password_file}"]
        made = subprocess.run(
            command, capture_output=True, text=True, cwd="/", env=ENVIRONMENT, **self.account.popen_options()
        )
        if made.returncode != 0:
            raise CannotStart(f"PostgreSQL could not make its folder: {(made.stderr or made.stdout).strip()}")
        if not self.throw_away:
            self._record(f"postgresql://{NAME}:{password}@127.0.0.1:{free_port()}/{NAME}")
        (unfinished / "new").rename(self.folder)
        shutil.rmtree(unfinished, ignore_errors=True)

    def _stop_leftover(self) -> None:
        """Stop a server of this very folder that outlived its parent, and nothing else with its number."""
        try:
            pid = int((self.folder / "postmaster.pid").read_text().split()[0])
        except (FileNotFoundError, ValueError, IndexError):
            return
        command = psutil.Process(pid).cmdline() if psutil.pid_exists(pid) else []
        if not command or Path(command[0]).name != "postgres" or str(self.folder) not in command:
            return
        os.kill(pid, signal.SIGINT)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if not (self.folder / "postmaster.pid").exists():
                return
            time.sleep(0.05)
        raise CannotStart(f"An older PostgreSQL (process {pid}) still holds {self.folder} and does not stop.")

    def _choose_address(self) -> None:
        if self.throw_away:
            self.url = throw_away_url(self.folder)
            return
        if not self.url_file.exists():
            raise CannotStart(
                f"{self.url_file} is gone, and with it the password of the database in {self.folder}: "
                "put it back."
            )
        self.url = self.url_file.read_text().strip()
        port = int(psycopg.conninfo.conninfo_to_dict(self.url)["port"] or 0)
        if not is_free(port):
            self._record(self.url.replace(f"@127.0.0.1:{port}/", f"@127.0.0.1:{free_port()}/"))

    def _record(self, url: str) -> None:
        """Keep the address, which holds the password, where only we can read it."""
        unfinished = self.url_file.with_suffix(".url.unfinished")
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(url + "\n")
        unfinished.replace(self.url_file)
        self.url = url


def throw_away_url(folder: Path) -> str:
    """Return the address that a throw-away server with this folder will have, before it runs."""
    return f"postgresql://{NAME}@/{NAME}?host={folder}"


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Say whether a server could listen on this port now."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """Ask the system for a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

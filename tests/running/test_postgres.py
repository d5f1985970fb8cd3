"""The embedded PostgreSQL for real: first start, crash, leftovers, and what it refuses."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from secondsticks.running import postgres as module
from secondsticks.running import postgres_binaries as binaries
from secondsticks.running.postgres import Postgres
from secondsticks.running.postgres_binaries import Account, find_binaries, server_account
from secondsticks.running.sentences import CannotStart

Process = subprocess.Popen[bytes]
Start = Callable[[Postgres], Process]


@contextlib.contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that any account can enter, which pytest's tmp_path is not."""
    with tempfile.TemporaryDirectory(prefix="secondsticks-postgres-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(scope="module")
def made_home() -> Iterator[Path]:
    """A home whose database was made once, by a first start: copying it is quicker than another initdb."""
    with open_folder() as home:
        make(home)
        yield home


def make(home: Path) -> None:
    server = Postgres(home)
    server.prepare()
    process = server.spawn(subprocess.DEVNULL)
    server.wait_until_ready(process)
    with psycopg.connect(server.url) as connection:
        connection.execute("CREATE TABLE takes (number int)")
        connection.execute("INSERT INTO takes VALUES (1), (2)")
    server.stop(process)


@pytest.fixture
def home(made_home: Path) -> Iterator[Path]:
    with open_folder() as home:
        subprocess.run(["cp", "-a", f"{made_home}/.", str(home)], check=True)
        yield home


@pytest.fixture
def empty_folder() -> Iterator[Path]:
    with open_folder() as folder:
        yield folder


@pytest.fixture
def start() -> Iterator[Start]:
    running: list[tuple[Postgres, Process]] = []

    def start(server: Postgres) -> Process:
        server.prepare()
        process = server.spawn(subprocess.DEVNULL)
        running.append((server, process))
        server.wait_until_ready(process)
        return process

    yield start
    for server, process in running:
        server.stop(process)


def takes(server: Postgres) -> int:
    with psycopg.connect(server.url) as connection:
        row = connection.execute("SELECT count(*) FROM takes").fetchone()
    assert row is not None
    return int(row[0])


def test_a_second_start_keeps_everything(home: Path, start: Start) -> None:
    server = Postgres(home)
    start(server)

    assert takes(server) == 2
    assert server.url_file.stat().st_mode & 0o777 == 0o600


def test_a_password_is_asked_for(home: Path, start: Start) -> None:
    server = Postgres(home)
    start(server)
    wrong = psycopg.conninfo.make_conninfo(server.url, password="guessed")

    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)


def test_it_recovers_from_kill_9(home: Path, start: Start) -> None:
    process = start(Postgres(home))
    process.kill()
    process.wait()

    again = Postgres(home)
    start(again)

    assert takes(again) == 2


def test_a_leftover_server_is_stopped_first(home: Path, start: Start) -> None:
    leftover = start(Postgres(home))

    server = Postgres(home)
    process = start(server)

    assert leftover.wait(10) == 0
    assert process.poll() is None
    assert takes(server) == 2


def test_a_stale_process_number_harms_nobody(home: Path, start: Start) -> None:
    bystander = subprocess.Popen(["sleep", "600"], user=home.joinpath("postgres").stat().st_uid)
    pid_file = home / "postgres" / "postmaster.pid"
    pid_file.write_text(f"{bystander.pid}\n{home / 'postgres'}\n")
    shutil.chown(pid_file, home.joinpath("postgres").stat().st_uid)
    try:
        server = Postgres(home)
        server.prepare()
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_a_taken_port_is_left_for_another(home: Path, start: Start) -> None:
    server = Postgres(home)
    port = int(server.url_file.read_text().rsplit(":", 1)[1].split("/")[0])
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        start(server)

        assert f":{port}/" not in server.url
        assert takes(server) == 2


def test_another_major_version_is_refused_with_the_way_out(home: Path) -> None:
    version = home / "postgres" / "PG_VERSION"
    version.write_text("9\n")

    with pytest.raises(CannotStart, match=r"made by PostgreSQL 9, but .* Nothing was touched") as refused:
        Postgres(home).prepare()

    assert str(home / "postgres") in str(refused.value)
    assert "pg_dump" in str(refused.value)


def test_a_lost_password_is_said(home: Path) -> None:
    (home / "postgres.url").unlink()

    with pytest.raises(CannotStart, match="is gone, and with it the password"):
        Postgres(home).prepare()


def test_an_interrupted_first_start_is_made_again(empty_folder: Path, start: Start) -> None:
    unfinished = empty_folder / "postgres.unfinished" / "new"
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18")

    server = Postgres(empty_folder, throw_away=True)
    start(server)

    with psycopg.connect(server.url) as connection:
        assert connection.execute("SELECT current_database()").fetchone() == ("secondsticks",)


def test_a_server_that_stops_at_once_is_said(home: Path) -> None:
    server = Postgres(home)
    server.prepare()
    (home / "postgres" / "postgresql.conf").write_text("nonsense\n")
    process = server.spawn(subprocess.DEVNULL)

    with pytest.raises(CannotStart, match="PostgreSQL stopped at once"):
        server.wait_until_ready(process)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's server runs as another account")
def test_below_a_private_folder_of_root_the_server_lives_elsewhere(
    tmp_path: Path, empty_folder: Path, monkeypatch: pytest.MonkeyPatch, start: Start
) -> None:
    tmp_path.chmod(0o700)
    monkeypatch.setattr(module, "PUBLIC_PLACE", empty_folder)
    server = Postgres(tmp_path / "home", throw_away=True)

    start(server)

    assert server.folder.parent == empty_folder
    assert tmp_path.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's server runs as another account")
def test_programs_that_the_account_cannot_reach_are_copied(
    tmp_path: Path, empty_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = server_account()
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    private.joinpath("install").symlink_to(find_binaries(account).folder.parent)
    monkeypatch.setattr(binaries, "PUBLIC_PLACE", empty_folder)
    monkeypatch.setattr(binaries, "candidate_folders", lambda: [private / "install" / "bin"])

    assert find_binaries(account).folder.is_relative_to(empty_folder)


def test_no_postgresql_at_all_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "candidate_folders", lambda: [])

    with pytest.raises(CannotStart, match=r"No PostgreSQL was found.*DATABASE_URL"):
        find_binaries(Account(None, None))

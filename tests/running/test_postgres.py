"""The embedded PostgreSQL for real: first start, crash, leftovers, and what it refuses."""

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
from secondsticks.running.postgres import Postgres
from secondsticks.running.postgres_binaries import Account, find_binaries, server_account
from secondsticks.running.sentences import CannotStart

Process = subprocess.Popen[bytes]
Start = Callable[[Postgres], Process]


@pytest.fixture(scope="module")
def made_home() -> Iterator[Path]:
    """A home whose database was made once, by a first start: copying it is quicker than another initdb."""
    home = Path(tempfile.mkdtemp(prefix="secondsticks-postgres-"))
    home.chmod(0o755)
    server = Postgres(home)
    server.prepare()
    process = server.spawn(subprocess.DEVNULL)
    server.wait_until_ready(process)
    with psycopg.connect(server.url) as connection:
        connection.execute("CREATE TABLE takes (number int)")
        connection.execute("INSERT INTO takes VALUES (1), (2)")
    server.stop(process)
    yield home
    shutil.rmtree(home)


@pytest.fixture
def home(made_home: Path) -> Iterator[Path]:
    home = Path(tempfile.mkdtemp(prefix="secondsticks-postgres-"))
    subprocess.run(["cp", "-a", f"{made_home}/.", str(home)], check=True)
    yield home
    shutil.rmtree(home)


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
        other.bind(("127.0.0.1", port))
        other.listen()
        start(server)

        assert f":{port}/" not in server.url
        assert takes(server) == 2


def test_another_major_version_is_refused_with_the_way_out(home: Path) -> None:
    version = home / "postgres" / "PG_VERSION"
    version.write_text("9\n")

    with pytest.raises(
        CannotStart, match=r"made by PostgreSQL 9, but .* Nothing was touched.*pg_dumpall"
    ) as refused:
        Postgres(home).prepare()

    assert str(home) in str(refused.value)


def test_a_lost_password_is_said(home: Path) -> None:
    (home / "postgres.url").unlink()

    with pytest.raises(CannotStart, match="is gone, and with it the password"):
        Postgres(home).prepare()


def test_an_interrupted_first_start_is_made_again(
    tmp_path_factory: pytest.TempPathFactory, start: Start
) -> None:
    home = Path(tempfile.mkdtemp(prefix="secondsticks-postgres-"))
    home.chmod(0o755)
    (home / "postgres.unfinished" / "new").mkdir(parents=True)
    (home / "postgres.unfinished" / "new" / "PG_VERSION").write_text("18")

    server = Postgres(home, throw_away=True)
    process = start(server)

    assert psycopg.connect(server.url).execute("SELECT current_database()").fetchone() == ("secondsticks",)
    server.stop(process)
    shutil.rmtree(home)


def test_a_server_that_stops_at_once_is_said(home: Path) -> None:
    server = Postgres(home)
    server.prepare()
    (home / "postgres" / "postgresql.conf").write_text("nonsense\n")
    process = server.spawn(subprocess.DEVNULL)

    with pytest.raises(CannotStart, match="PostgreSQL stopped at once"):
        server.wait_until_ready(process)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's server runs as another account")
def test_below_a_private_folder_of_root_the_server_lives_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start: Start
) -> None:
    tmp_path.chmod(0o700)
    public = Path(tempfile.mkdtemp(prefix="secondsticks-public-"))
    public.chmod(0o755)
    monkeypatch.setattr(module, "PUBLIC_PLACE", public)
    server = Postgres(tmp_path / "home", throw_away=True)

    start(server)

    assert server.folder.parent == public
    assert tmp_path.stat().st_mode & 0o777 == 0o700
    server.home.joinpath("x").touch()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's server runs as another account")
def test_programs_that_the_account_cannot_reach_are_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = server_account()
    real = find_binaries(account).folder
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    private.joinpath("install").symlink_to(real.parent)
    public = Path(tempfile.mkdtemp(prefix="secondsticks-public-"))
    public.chmod(0o755)
    monkeypatch.setattr("secondsticks.running.postgres_binaries.PUBLIC_PLACE", public)
    monkeypatch.setattr(
        "secondsticks.running.postgres_binaries.candidate_folders", lambda: [private / "install" / "bin"]
    )

    found = find_binaries(account)

    assert found.folder.is_relative_to(public)
    shutil.rmtree(public)


def test_no_postgresql_at_all_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("secondsticks.running.postgres_binaries.candidate_folders", lambda: [])

    with pytest.raises(CannotStart, match="No PostgreSQL was found.*DATABASE_URL"):
        find_binaries(Account(None, None))

"""The supervisor with tiny children: what dies comes back, what ends leaves nothing behind."""

import io
import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from secondsticks.running import supervisor as module
from secondsticks.running.lines import Lines
from secondsticks.running.supervisor import Child, Program, Supervisor

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]


def until(true: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def pid_of(child: Child) -> int:
    assert child.process is not None
    return child.process.pid


@pytest.fixture
def lines(tmp_path: Path) -> Lines:
    return Lines(tmp_path / "logs", terminal=io.StringIO())


@pytest.fixture
def supervisor(lines: Lines, monkeypatch: pytest.MonkeyPatch) -> Iterator[Supervisor]:
    monkeypatch.setattr(module, "SHORTEST_PAUSE", 0.02)
    supervisor = Supervisor(lines)
    yield supervisor
    supervisor.end()


def test_a_killed_child_is_started_again(supervisor: Supervisor, tmp_path: Path) -> None:
    child = supervisor.start(Program("sleeper", SLEEP))
    first = pid_of(child)
    os.kill(first, signal.SIGKILL)

    supervisor.run(while_true=lambda: child.process is None or child.process.pid == first)

    assert alive(pid_of(child))
    assert "sleeper was killed by SIGKILL; starting it again" in (tmp_path / "logs/up.log").read_text()


def test_a_child_that_keeps_dying_is_started_ever_more_rarely(supervisor: Supervisor) -> None:
    child = supervisor.start(Program("dies", [sys.executable, "-c", "raise SystemExit(3)"]))

    supervisor.run(while_true=lambda: child.pause < 0.16)

    pauses = re.findall(r"dies ended with code 3; starting it again in ([0-9.]+) s", terminal(supervisor))
    assert pauses == ["0.02", "0.04", "0.08"]


def terminal(supervisor: Supervisor) -> str:
    assert isinstance(supervisor.lines.terminal, io.StringIO)
    return supervisor.lines.terminal.getvalue()


def test_a_program_that_is_missing_is_said_and_tried_again(supervisor: Supervisor) -> None:
    child = supervisor.start(Program("missing", ["/nonexistent/program"]))

    assert child.process is None
    assert "missing cannot start" in terminal(supervisor)


def test_the_end_takes_forks_that_ignore_being_asked(supervisor: Supervisor, tmp_path: Path) -> None:
    stubborn = textwrap.dedent(f"""
        import os, pathlib, signal, subprocess, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        fork = subprocess.Popen({SLEEP!r})
        pathlib.Path({str(tmp_path / "fork")!r}).write_text(str(fork.pid))
        time.sleep(600)
    """)
    child = supervisor.start(Program("stubborn", [sys.executable, "-c", stubborn], patience=0.2))
    until(lambda: (tmp_path / "fork").exists() and (tmp_path / "fork").read_text())
    master, fork = pid_of(child), int((tmp_path / "fork").read_text())

    supervisor.end()

    until(lambda: not alive(master) and not alive(fork))
    assert "stubborn does not stop; killing it" in terminal(supervisor)


def test_what_others_need_is_stopped_last(supervisor: Supervisor, tmp_path: Path) -> None:
    ends = textwrap.dedent("""
        import pathlib, signal, sys, time
        def end(*_):
            time.sleep(float(sys.argv[2]))
            with open(sys.argv[1], "a") as file: file.write(sys.argv[3])
            sys.exit()
        signal.signal(signal.SIGTERM, end)
        print("up", flush=True)
        time.sleep(600)
    """)
    order = tmp_path / "order"
    command = [sys.executable, "-c", ends, str(order)]
    supervisor.start(Program("database", [*command, "0", "database "], needed_by_others=True))
    supervisor.start(Program("web", [*command, "0.2", "web "]))
    until(lambda: terminal(supervisor).count("| up") == 2)

    supervisor.end()

    assert order.read_text() == "web database "


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_children_die_with_a_killed_supervisor(tmp_path: Path) -> None:
    script = textwrap.dedent(f"""
        import pathlib
        from secondsticks.running.lines import Lines
        from secondsticks.running.supervisor import Program, Supervisor
        supervisor = Supervisor(Lines(pathlib.Path({str(tmp_path)!r})))
        print(supervisor.start(Program("sleeper", {SLEEP!r})).process.pid, flush=True)
        supervisor.run()
    """)
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert alive(child)

    parent.kill()
    parent.wait()

    until(lambda: not alive(child))
    parent.stdout.close()


def test_lines_are_prefixed_and_kept(lines: Lines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("secondsticks.running.lines.KEPT_BYTES", 10)

    lines.write("web", "first")
    lines.write("web", "second")

    assert isinstance(lines.terminal, io.StringIO)
    assert [line[8:] for line in lines.terminal.getvalue().splitlines()] == [
        " web      | first",
        " web      | second",
    ]
    assert (tmp_path / "logs/web.log").read_text().endswith(" second\n")
    assert (tmp_path / "logs/web.log.1").read_text().endswith(" first\n")

"""Keeps children running: starts them, restarts what dies, and leaves nothing behind.

Children are only ever started from the thread that runs run(): the kernel ties "dies with its parent" to it.
"""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from secondsticks.running.children import dies_with_parent
from secondsticks.running.lines import Lines

SHORTEST_PAUSE = 0.5  # seconds before the first restart; doubled while a child keeps dying
LONGEST_PAUSE = 30.0
SETTLED = 30.0  # a child that lived this long has recovered: its next restart is quick again
LOOK = 0.1  # seconds between two looks at the children


@dataclass
class Program:
    """A child to keep running. `spawn` replaces the plain start where a child needs its own way."""

    name: str
    command: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_signal: signal.Signals = signal.SIGTERM
    patience: float = 10.0  # seconds between the stop signal and SIGKILL
    needed_by_others: bool = False  # stopped last
    spawn: Callable[[int], "subprocess.Popen[bytes]"] | None = None

    def start(self) -> "subprocess.Popen[bytes]":
        if self.spawn is not None:
            return self.spawn(subprocess.PIPE)
        return subprocess.Popen(
            self.command,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={**os.environ, **self.environment}, start_new_session=True,
            preexec_fn=dies_with_parent(signal.SIGTERM),
        )  # fmt: skip


class Child:
    """One program with its present process and the memory of how it fared."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.process: subprocess.Popen[bytes] | None = None
        self.started = 0.0
        self.due = 0.0
        self.pause = SHORTEST_PAUSE

    def signal_group(self, signum: signal.Signals) -> None:
        """Signal the process and all it forked; whoever is gone already does not matter."""
        if self.process is None:
            return
        try:
            os.killpg(self.process.pid, signum)
        except (ProcessLookupError, PermissionError):
            return


class Supervisor:
    """Runs programs until stop() is called, from a signal handler or another thread."""

    def __init__(self, lines: Lines) -> None:
        self.lines = lines
        self.children: list[Child] = []
        self.stopping = threading.Event()

    def start(self, program: Program) -> Child:
        """Start a program and keep it running from now on."""
        child = Child(program)
        self.children.append(child)
        self._spawn(child)
        return child

    def stop(self) -> None:
        """Ask run() to return; may be called from a signal handler."""
        self.stopping.set()

    def look(self) -> None:
        """Restart what died, once its pause is over."""
        for child in self.children:
            if child.process is not None and child.process.poll() is not None:
                self._bury(child)
            if child.process is None and time.monotonic() >= child.due:
                self._spawn(child)

    def run(self, while_true: Callable[[], bool] = lambda: True) -> None:
        """Watch the children until stop() is called or `while_true` says no."""
        while while_true() and not self.stopping.wait(LOOK):
            self.look()

    def end(self) -> None:
        """Stop everything: all at once, and after them those that the others need."""
        for needed in (False, True):
            wave = [child for child in self.children if child.program.needed_by_others is needed]
            for child in wave:
                # The process alone: a master stops its own forks in order; what is left of them dies below.
                if child.process is not None:
                    child.process.send_signal(child.program.stop_signal)
            for child in wave:
                self._wait_for_end(child)

    def _spawn(self, child: Child) -> None:
        try:
            child.process = child.program.start()
        except OSError as error:
            self._wait_longer(child, f"cannot start: {error}")
            return
        child.started = time.monotonic()
        assert child.process.stdout is not None
        self.lines.follow(child.program.name, child.process.stdout)

    def _bury(self, child: Child) -> None:
        assert child.process is not None
        code = child.process.returncode
        child.signal_group(signal.SIGKILL)  # forks of a killed master would work on unsupervised
        child.process = None
        if time.monotonic() - child.started > SETTLED:
            child.pause = SHORTEST_PAUSE
        ended = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
        self._wait_longer(child, ended)

    def _wait_longer(self, child: Child, what: str) -> None:
        self.lines.write("up", f"{child.program.name} {what}; starting it again in {child.pause:g} s")
        child.due = time.monotonic() + child.pause
        child.pause = min(child.pause * 2, LONGEST_PAUSE)

    def _wait_for_end(self, child: Child) -> None:
        process = child.process
        if process is None:
            return
        try:
            process.wait(child.program.patience)
        except subprocess.TimeoutExpired:
            self.lines.write("up", f"{child.program.name} does not stop; killing it")
        child.signal_group(signal.SIGKILL)
        process.wait()
        child.process = None

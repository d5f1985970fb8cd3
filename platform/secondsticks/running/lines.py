"""Prefixed lines: what every child says, on the terminal and in a file of its own."""

import sys
import threading
import time
from pathlib import Path
from typing import IO

COLOURS = {"postgres": 34, "web": 32, "jobs": 36, "scans": 35, "sweep": 33, "up": 1}
KEPT_BYTES = 10_000_000  # a log grows to this, is put aside once as NAME.log.1, and starts again


class Lines:
    """Writes `12:34:56 name | text`. One lock: children talk at the same time."""

    def __init__(self, folder: Path, *, terminal: IO[str] | None = None) -> None:
        self.folder = folder
        self.terminal = terminal if terminal is not None else sys.stdout
        self.colours = self.terminal.isatty()
        self.lock = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True)

    def write(self, name: str, text: str) -> None:
        """Write one line in the name of a child."""
        clock = time.strftime("%H:%M:%S", time.gmtime())
        prefix = f"{clock} {name:<9}|"
        if self.colours:
            prefix = f"\033[{COLOURS.get(name.rstrip('-0123456789'), 37)}m{prefix}\033[0m"
        with self.lock:
            self._keep(name, f"{time.strftime('%Y-%m-%d', time.gmtime())} {clock} {text}\n")
            try:
                print(prefix, text, file=self.terminal, flush=True)
            except OSError:  # the terminal went away; the files go on
                self.colours = False

    def follow(self, name: str, pipe: IO[bytes]) -> threading.Thread:
        """Write everything that comes out of a child's pipe, until it closes."""

        def read() -> None:
            with pipe:
                for line in pipe:
                    self.write(name, line.decode(errors="replace").rstrip())

        thread = threading.Thread(target=read, name=f"lines of {name}", daemon=True)
        thread.start()
        return thread

    def _keep(self, name: str, line: str) -> None:
        path = self.folder / f"{name}.log"
        try:
            if path.exists() and path.stat().st_size > KEPT_BYTES:
                path.replace(path.with_suffix(".log.1"))
            with path.open("a", encoding="utf-8") as file:
                file.write(line)
        except OSError:  # a full disk must not stop what still works
            return

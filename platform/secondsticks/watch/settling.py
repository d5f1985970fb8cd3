"""Whether a file is still being written, as far as another program can see."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from secondsticks.watch.journal import Fingerprint


class Settling:
    """Which files have stayed as they are for `settle` seconds.

    By our clock: a server's may differ, and a copy may have the time of its original.
    """

    def __init__(
        self,
        settle: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        since: Mapping[Fingerprint, float] | None = None,
    ) -> None:
        self._settle, self._clock = settle, clock
        #: When each file was first seen as it is; `since` brings it over a restart.
        self.since: dict[Fingerprint, float] = dict(since or {})

    def settled(self, found: Iterable[Fingerprint]) -> list[Fingerprint]:
        """Those of the files there are now; what is not among them starts anew when it comes back."""
        now = self._clock()
        self.since = {one: self.since.get(one, now) for one in found}
        return [one for one, since in self.since.items() if now - since >= self._settle]


def written_now() -> set[str]:
    """The files that programs on this machine hold open for writing, where the system tells us (Linux)."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended, or is not ours to look into
            for link in (process / "fd").iterdir():
                with contextlib.suppress(OSError):
                    if _may_write((process / "fdinfo" / link.name).read_text()):
                        found.add(str(link.readlink()))
    return found


def _may_write(about: str) -> bool:
    flags = next(line.split()[1] for line in about.splitlines() if line.startswith("flags:"))
    return int(flags, 8) & os.O_ACCMODE != os.O_RDONLY

"""A run's folder in the store, written by one trainer at a time (docs/runs.md). Torch-free.

Every write looks at `token.json` first: a trainer that was paused while another took its run over finds a
newer token there, and writes nothing.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from training.contract import ContractError, RunReport, read_report, write
from training.store import Store, StoreError, Trouble

SPEC = "spec.json"
TOKEN = "token.json"  # a fencing token, no secret
REPORT = "report.json"
VERSION = 1
#: Events wait so long (seconds) for company: each write is an object of its own.
EVENTS_EVERY = 5.0


class SupersededError(Exception):
    """The run is another's now, or nobody's; one plain sentence."""


def write_token(store: Store, token: int) -> None:
    """Gives the run to whoever has `token`. Only who gives out tokens calls this, in their order."""
    store.put(TOKEN, (json.dumps({"version": VERSION, "token": token}) + "\n").encode())


def read_token(store: Store) -> int:
    """The token in force. Raises StoreError, and SupersededError where there is none."""
    try:
        document = json.loads(store.get(TOKEN))
        if document["version"] == VERSION and type(document["token"]) is int:
            return int(document["token"])
    except StoreError as error:
        if error.trouble is Trouble.MISSING:
            raise SupersededError(
                f"The run's folder has no {TOKEN} any more: nothing was written."
            ) from error
        raise
    except (ValueError, KeyError, TypeError) as error:
        raise SupersededError(f"The run's {TOKEN} cannot be read: nothing was written.") from error
    raise SupersededError(f"The run's {TOKEN} cannot be read: nothing was written.")


class RunFolder:
    """What a trainer with `token` writes. Everything raises SupersededError and StoreError."""

    def __init__(self, store: Store, token: int) -> None:
        self.store = store
        self.token = token
        self._waiting: list[str] = []
        self._flushed = time.monotonic()
        self._number = 0

    def take(self) -> None:
        """Begins: a run without a token, or with an older one, is ours."""
        first = (json.dumps({"version": VERSION, "token": self.token}) + "\n").encode()
        if not self.store.put_new(TOKEN, first) and read_token(self.store) < self.token:
            write_token(self.store, self.token)
        self.check()
        numbers = [Path(key).stem for key in self.store.list("events")]
        self._number = max((int(number) for number in numbers if number.isdigit()), default=0)

    def check(self) -> None:
        """Whether the run is still ours."""
        token = read_token(self.store)
        if token != self.token:
            raise SupersededError(
                f"Another trainer has this run (token {token}, ours is {self.token}): nothing was written."
            )

    def put(self, key: str, content: bytes | Path) -> None:
        self.check()
        self.store.put(key, content)

    def put_new(self, key: str, content: bytes | Path) -> bool:
        self.check()
        return self.store.put_new(key, content)

    def say(self, event: Mapping[str, Any], *, now: bool = False) -> None:
        """Adds an event to the run's stream, and prints it; `now`: without waiting for company.

        While the store cannot be reached, events wait: a run outlives that.
        """
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = json.dumps({**event, "token": self.token, "at": at}, allow_nan=False)
        print(line, flush=True)
        self._waiting.append(line)
        if now or time.monotonic() - self._flushed >= EVENTS_EVERY:
            try:
                self.flush()
            except StoreError as error:
                if error.trouble is not Trouble.UNREACHABLE:
                    raise

    def flush(self) -> None:
        """Writes the events that wait, as the next numbered object."""
        self._flushed = time.monotonic()
        if not self._waiting:
            return
        content = "".join(f"{line}\n" for line in self._waiting).encode()
        while True:
            written = self.put_new(f"events/{self._number + 1:06}.jsonl", content)
            self._number += 1
            if written:
                break
        self._waiting.clear()

    def report(self) -> RunReport | None:
        """How the run ended, if it has; one of an older token does not count."""
        try:
            found = read_report(self.store.get(REPORT))
        except StoreError as error:
            if error.trouble is Trouble.MISSING:
                return None
            raise
        except ContractError:
            return None
        return found if found.token >= self.token else None

    def end(self, report: RunReport) -> RunReport:
        """Writes the report unless there is one, and returns that which holds."""
        content = write(report)
        if not self.put_new(REPORT, content):
            if standing := self.report():
                return standing
            self.put(REPORT, content)
        return report

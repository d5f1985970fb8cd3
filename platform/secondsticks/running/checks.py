"""What is looked at before a start. Each check passes or raises CannotStart with one sentence."""

import os
import shutil
import sys
from pathlib import Path

from secondsticks.running.postgres import is_free
from secondsticks.running.sentences import CannotStart

NEEDED_BYTES = 500_000_000  # a new database, the logs and the demo clips
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def python_is_new_enough() -> None:
    if sys.version_info < (3, 11):  # noqa: UP036 - the sentence is for whoever starts us with an old one
        raise CannotStart(f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}.")


def home_is_writable(home: Path) -> None:
    """Make the home folder, and fail if we cannot write there."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        probe = home / f".writable.{os.getpid()}"
        probe.write_bytes(b"1")
        probe.unlink()
    except OSError as error:
        raise CannotStart(
            f"{home} cannot be written ({error.strerror}): give it to this account, or set SECONDSTICKS_HOME "
            "to another folder."
        ) from None


def disk_has_room(home: Path, needed: int = NEEDED_BYTES) -> None:
    free = shutil.disk_usage(home).free
    if free < needed:
        raise CannotStart(
            f"Only {free // 1_000_000} MB are free on the disk of {home}, and {needed // 1_000_000} MB are "
            "needed: free some, or set SECONDSTICKS_HOME to a folder on another disk."
        )


def port_is_free(host: str, port: int) -> None:
    if not is_free(port, "127.0.0.1" if host == "localhost" else host):
        raise CannotStart(
            f"Port {port} on {host} is in use by another program: stop it, or choose another port, "
            f"for example `make run PORT={port + 1}`."
        )


def ml_port_is_free(port: int) -> None:
    if not is_free(port):
        raise CannotStart(
            f"Port {port} is in use by another program, and the ML backend needs it: stop that, or set "
            "SECONDSTICKS_ML_PORT to another port."
        )


def public_host_has_origin(host: str, origins: list[str]) -> None:
    """Listening beyond this machine needs the address people will type: other names are refused."""
    if host not in LOOPBACK and not origins:
        raise CannotStart(
            f"To listen on {host}, say which address people will type, for example "
            "SECONDSTICKS_ORIGIN=https://sticks.example.org."
        )

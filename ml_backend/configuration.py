"""What the service is told by its environment (.env.example explains each variable)."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ml_backend.allowed import Allowed, parse_allowed
from training.store import Store, StoreError, open_store

CHECKOUT = Path(__file__).resolve().parents[1]
SHORTEST_SECRET = 50  # the platform, which reads the same, wants as many


class Misconfigured(Exception):
    """Why the service cannot start, in one plain sentence."""


@dataclass(frozen=True)
class Configuration:
    """`secret` is shared with Label Studio; `threads` are the network's."""

    home: Path
    store: Store
    secret: str
    allowed: Allowed
    threads: int


def configuration(environment: Mapping[str, str] = os.environ) -> Configuration:
    """Read from the environment. Raises Misconfigured."""
    home = home_in(environment)
    try:
        return Configuration(
            home=home,
            store=open_store(environment.get("SECONDSTICKS_STORE") or (home / "store").as_uri()),
            secret=secret_in(environment, home),
            allowed=parse_allowed(environment.get("SECONDSTICKS_ML_HOSTS", "")),
            threads=threads_in(environment),
        )
    except (StoreError, ValueError) as error:
        raise Misconfigured(str(error)) from error
    except OSError as error:
        raise Misconfigured(f"{home} cannot be used: {error.strerror}.") from error


def home_in(environment: Mapping[str, str]) -> Path:
    """The same folder as the platform's."""
    default = CHECKOUT / "var" if (CHECKOUT / "manage.py").exists() else Path.home() / ".secondsticks"
    return Path(environment.get("SECONDSTICKS_HOME") or default).absolute()


def secret_in(environment: Mapping[str, str], home: Path) -> str:
    """SECONDSTICKS_ML_SECRET, or the home's own, made once. Raises ValueError, OSError."""
    secret = environment.get("SECONDSTICKS_ML_SECRET") or kept_secret(home / "ml_secret")
    if len(secret) < SHORTEST_SECRET or not secret.isascii() or not secret.isprintable():
        raise ValueError(f"SECONDSTICKS_ML_SECRET needs at least {SHORTEST_SECRET} plain characters.")
    return secret


def kept_secret(path: Path) -> str:
    """What the file holds; made first if need be, whole and for our account alone. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        unfinished = path.with_name(f"{path.name}.{os.getpid()}")
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(60))
        with contextlib.suppress(FileExistsError):  # another process was quicker: its secret holds
            path.hardlink_to(unfinished)
        unfinished.unlink()
    return path.read_text("utf-8").strip()


def threads_in(environment: Mapping[str, str]) -> int:
    """SECONDSTICKS_ML_THREADS, else half of the cores: the scanner works beside us. Raises ValueError."""
    said = environment.get("SECONDSTICKS_ML_THREADS", "").strip()
    if not said:
        return max(1, (os.cpu_count() or 2) // 2)
    if not said.isdecimal() or not 1 <= int(said) <= 256:
        raise ValueError(f"SECONDSTICKS_ML_THREADS is {said!r}; give a number from 1 on.")
    return int(said)

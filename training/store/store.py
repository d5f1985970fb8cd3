"""What every store can do, and what can go wrong with any."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Protocol


class Trouble(StrEnum):
    """Why something did not work, for those who must tell a missing object from a broken store."""

    MISSING = "missing"
    DENIED = "denied"
    FULL = "full"
    UNREACHABLE = "unreachable"
    NAME = "name"
    CHANGED = "changed"


class StoreError(Exception):
    """What went wrong with the store, in one plain sentence."""

    def __init__(self, sentence: str, trouble: Trouble) -> None:
        super().__init__(sentence)
        self.trouble = trouble


class Store(Protocol):
    """Objects under keys: relative POSIX paths such as `runs/7/report.json`.

    An object is there whole or not at all, for every reader and after every kill. Everything raises
    StoreError, and nothing else, when the store is at fault.
    """

    url: str

    def get(self, key: str) -> bytes:
        """The whole object."""

    def read(self, key: str, first: int, length: int) -> bytes:
        """`length` bytes from byte `first` on; fewer at the end of the object, none behind it."""

    def put(self, key: str, content: bytes | Path) -> None:
        """Stores bytes or a file, in place of what was there."""

    def put_new(self, key: str, content: bytes | Path) -> bool:
        """Stores only if nothing is there: True for exactly one of any number of callers."""

    def exists(self, key: str) -> bool: ...

    def size(self, key: str) -> int:
        """In bytes."""

    def download(self, key: str, path: Path) -> None:
        """Brings the object to `path`: whole, or `path` stays as it was."""

    def list(self, folder: str = "") -> Iterator[str]:
        """The keys in `folder` and below (`runs/7` does not mean `runs/70`), in order."""

    def delete(self, key: str) -> None:
        """Not an error when there is nothing."""

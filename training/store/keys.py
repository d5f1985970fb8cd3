"""Which names objects may have."""

from __future__ import annotations

import re

from training.store.store import StoreError, Trouble

#: A part of a key: the same file on every system, and no escapes in any address. Never `.`, `..` or hidden.
PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.=+@-]{0,199}")
LONGEST = 800  # bytes; S3 allows 1024 with the prefix of the store


def check_key(key: str) -> str:
    """`key` itself when it is a relative POSIX path of plain parts. Raises StoreError otherwise."""
    if len(key) > LONGEST or not all(PART.fullmatch(part) for part in key.split("/")):
        raise StoreError(f"{key[:100]!r} cannot be the name of a stored object.", Trouble.NAME)
    return key


def check_folder(folder: str) -> str:
    """`folder` ending in a slash, or nothing for everything. Raises StoreError."""
    return f"{check_key(folder.removesuffix('/'))}/" if folder else ""

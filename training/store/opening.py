"""From an address to a store."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from training.store.folder import FolderStore
from training.store.keys import check_key
from training.store.s3 import S3Store
from training.store.store import Store, StoreError, Trouble

BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


def open_store(url: str) -> Store:
    """The store at `file:///folder` or `s3://bucket/prefix`. Touches neither disk nor network.

    Endpoint, region and credentials of S3 come from where boto3 looks: AWS_ENDPOINT_URL_S3,
    AWS_DEFAULT_REGION, AWS_ACCESS_KEY_ID and so on, ~/.aws, or the role of the machine. Raises StoreError
    for other addresses.
    """
    parts = urlsplit(url)
    if not (parts.query or parts.fragment):
        if parts.scheme == "file" and not parts.netloc and parts.path.startswith("/"):
            return FolderStore(Path(unquote(parts.path)))
        if parts.scheme == "s3" and BUCKET.fullmatch(parts.netloc):
            prefix = parts.path.strip("/")
            return S3Store(parts.netloc, check_key(prefix) if prefix else "")
    shown = f"{parts.scheme}://…" if "@" in url else url  # no secrets into logs
    raise StoreError(f"{shown} is not a store: give file:///a/folder or s3://bucket/prefix.", Trouble.NAME)

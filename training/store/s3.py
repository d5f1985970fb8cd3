"""A store in an S3 bucket, Amazon's or a compatible one. boto3 is imported when first needed."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from training.store import s3_faults
from training.store.keys import check_folder, check_key
from training.store.store import StoreError, Trouble

#: Bytes asked for at a time while downloading: what a cut connection costs.
PIECE = 32 << 20
#: The largest object that S3 takes in one request, and so conditionally.
LARGEST_AT_ONCE = 5 << 30


def connect(**secrets: str) -> Any:
    """boto3's client: signature version 4, short timeouts, at most five tries with jitter."""
    from boto3.session import Config, Session

    config = Config(
        signature_version="s3v4",
        connect_timeout=5,
        read_timeout=30,
        retries={"mode": "standard", "total_max_attempts": s3_faults.TRIES},
        max_pool_connections=16,
    )
    session = Session()
    client = session.client("s3", config=config, **secrets)
    if "amazonaws.com" not in client.meta.endpoint_url:
        return client
    # Amazon's signed addresses lead to the bucket's own region only when they name the bucket first.
    virtual = config.merge(Config(s3={"addressing_style": "virtual"}))
    return session.client("s3", config=virtual, **secrets)


class S3Store:
    """Objects in a bucket, below a prefix. `client` is safe to share between threads."""

    def __init__(self, bucket: str, prefix: str = "") -> None:
        self.bucket = bucket
        self.prefix = f"{prefix}/" if prefix else ""
        self.url = f"s3://{bucket}/{self.prefix}".rstrip("/")

    @cached_property
    def client(self) -> Any:
        with s3_faults.explained(self.url):
            return connect()

    @cached_property
    def origin(self) -> str:
        """Where browsers find the bucket, as `https://host`. Needs neither network nor credentials."""
        with s3_faults.explained(self.url):
            nobody = connect(aws_access_key_id="nobody", aws_secret_access_key="nothing")
            parts = urlsplit(nobody.generate_presigned_url("get_object", Params=self.at("x")))
        return f"{parts.scheme}://{parts.netloc}"

    def at(self, key: str) -> dict[str, str]:
        """Where an object lies, as boto3 wants to hear it."""
        return {"Bucket": self.bucket, "Key": self.prefix + check_key(key)}

    def get(self, key: str) -> bytes:
        return self._fetched(key)

    def read(self, key: str, first: int, length: int) -> bytes:
        if length <= 0:
            return b""
        return self._fetched(key, Range=f"bytes={first}-{first + length - 1}")

    def put(self, key: str, content: bytes | Path) -> None:
        with s3_faults.explained(key):
            if isinstance(content, Path):
                self.client.upload_file(str(content), self.bucket, self.at(key)["Key"])
            else:
                self.client.put_object(**self.at(key), Body=content)

    def put_new(self, key: str, content: bytes | Path) -> bool:
        if isinstance(content, bytes):
            return self._put_new(key, content)
        with s3_faults.explained(key):
            if content.stat().st_size > LARGEST_AT_ONCE:
                raise StoreError(f"{key} is larger than the 5 GiB that S3 takes at once.", Trouble.FULL)
            with content.open("rb") as file:
                return self._put_new(key, file)

    def _put_new(self, key: str, body: Any) -> bool:
        try:
            with s3_faults.explained(key):
                self.client.put_object(**self.at(key), Body=body, IfNoneMatch="*")
        except StoreError as error:
            if error.trouble is Trouble.CHANGED:
                return False
            raise
        return True

    def exists(self, key: str) -> bool:
        try:
            self.head(key)
        except StoreError as error:
            if error.trouble is Trouble.MISSING:
                return False
            raise
        return True

    def size(self, key: str) -> int:
        return int(self.head(key)["ContentLength"])

    def head(self, key: str) -> dict[str, Any]:
        """What S3 says about an object: ContentLength, ETag and more."""
        with s3_faults.explained(key):
            return dict(self.client.head_object(**self.at(key)))

    def download(
        self, key: str, path: Path, *, progress: Callable[[int], None] = lambda arrived: None
    ) -> None:
        """Brings the object to `path`. What a kill cuts off is gone on with by the next call.

        `progress` hears the number of bytes that have arrived, and may raise to stop.
        """
        head = self.head(key)
        size, etag = int(head["ContentLength"]), str(head["ETag"])
        mark = "".join(letter for letter in etag if letter.isalnum())[:64]
        unfinished = path.with_name(f".{path.name[:100]}.{mark}.unfinished")
        with s3_faults.explained(key), s3_faults.alone(unfinished) as file:
            arrived = min(file.seek(0, os.SEEK_END), size)
            while arrived < size:
                wanted = f"bytes={arrived}-{min(arrived + PIECE, size) - 1}"
                piece = self._fetched(key, Range=wanted, IfMatch=etag)
                if not piece:
                    raise StoreError(f"{key} is shorter than S3 says.", Trouble.CHANGED)
                file.seek(arrived)
                try:
                    file.write(piece)
                    file.flush()
                except OSError:
                    unfinished.unlink(missing_ok=True)  # a full disk gets its space back
                    raise
                arrived += len(piece)
                progress(arrived)
            file.truncate(size)
            os.fsync(file.fileno())
            unfinished.replace(path)

    def list(self, folder: str = "") -> Iterator[str]:
        prefix = self.prefix + check_folder(folder)
        with s3_faults.explained(folder or self.url):
            pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
            for page in pages:
                for entry in page.get("Contents", []):
                    yield entry["Key"].removeprefix(self.prefix)

    def delete(self, key: str) -> None:
        with s3_faults.explained(key):
            self.client.delete_object(**self.at(key))

    def _fetched(self, key: str, **conditions: str) -> bytes:
        """The body of a GET, of the promised length. What botocore tries again ends where the body begins."""
        with s3_faults.explained(key):
            for pause in s3_faults.pauses():
                try:
                    reply = self.client.get_object(**self.at(key), **conditions)
                except Exception as error:
                    if s3_faults.is_behind_the_end(error):
                        return b""
                    raise
                try:
                    return bytes(reply["Body"].read())
                except Exception as error:
                    if not s3_faults.is_broken_off(error):
                        raise
                    broken = error
                    time.sleep(pause)
            raise broken

"""S3's multipart uploads: parts go from the browser to the bucket, each with an address that we sign.

Which parts have arrived, S3 knows, and nobody else: we ask it.
"""

from __future__ import annotations

from typing import NamedTuple

from secondsticks.footage.bucket import bucket, signed
from training.store import StoreError, Trouble
from training.store.s3_faults import explained

SMALLEST_PART = 16 << 20
MOST_PARTS = 10_000  # that S3 allows; together with its largest part, 5 TB
MEBIBYTE = 1 << 20


class Part(NamedTuple):
    """A part that has arrived."""

    etag: str
    size: int


class Missing(Exception):
    """Parts that are not here, or not as long as they must be; `numbers` count from 1."""

    def __init__(self, numbers: list[int]) -> None:
        super().__init__(f"{len(numbers)} parts of this file have not arrived.")
        self.numbers = numbers


def part_bytes(size: int) -> int:
    """Return the length of all parts but the last, in bytes."""
    least = -(-size // MOST_PARTS)
    return max(SMALLEST_PART, -(-least // MEBIBYTE) * MEBIBYTE)


def count(size: int, each: int) -> int:
    return -(-size // each)


def length(number: int, size: int, each: int) -> int:
    """Return how long a part must be."""
    return min(each, size - (number - 1) * each)


def begin(key: str) -> str:
    """Begin an upload, and return S3's id of it. What arrives is never shown in place: it has no type."""
    with explained(key):
        store = bucket()
        begun = store.client.create_multipart_upload(
            **store.at(key), ContentType="application/octet-stream", ContentDisposition="attachment"
        )
        return str(begun["UploadId"])


def sign_part(key: str, upload_id: str, number: int, size: int) -> str:
    """Return the address to which the browser may put exactly this part: its length is signed too."""
    return signed("upload_part", key, UploadId=upload_id, PartNumber=number, ContentLength=size)


def arrived(key: str, upload_id: str) -> dict[int, Part]:
    """Return the parts that S3 has. Raises StoreError; Trouble.MISSING when it is complete, or was ended."""
    with explained(key):
        store = bucket()
        pages = store.client.get_paginator("list_parts").paginate(**store.at(key), UploadId=upload_id)
        return {
            part["PartNumber"]: Part(part["ETag"], part["Size"])
            for page in pages
            for part in page.get("Parts", [])
        }


def complete(key: str, upload_id: str, *, size: int, each: int) -> None:
    """Make one object of all parts. Done already, it stays done: safe to call again after a crash.

    Raises Missing while parts are, and StoreError.
    """
    try:
        _put_together(key, upload_id, size, each)
    except StoreError as error:
        if error.trouble is not Trouble.MISSING or not bucket().exists(key):
            raise
    if bucket().size(key) != size:
        raise StoreError(f"{key} is not as long in the bucket as it was sent.", Trouble.CHANGED)


def _put_together(key: str, upload_id: str, size: int, each: int) -> None:
    parts = arrived(key, upload_id)
    wanted = range(1, count(size, each) + 1)
    missing = [n for n in wanted if n not in parts or parts[n].size != length(n, size, each)]
    if missing:
        raise Missing(missing)
    listed = [{"PartNumber": number, "ETag": parts[number].etag} for number in wanted]
    with explained(key):
        store = bucket()
        store.client.complete_multipart_upload(
            **store.at(key), UploadId=upload_id, MultipartUpload={"Parts": listed}
        )


def abort_all(folder: str) -> None:
    """End every upload below a folder of keys; their parts are removed."""
    with explained(folder):
        store = bucket()
        pages = store.client.get_paginator("list_multipart_uploads").paginate(
            Bucket=store.bucket, Prefix=f"{store.prefix}{folder}/"
        )
        for page in pages:
            for found in page.get("Uploads", []):
                store.client.abort_multipart_upload(
                    Bucket=store.bucket, Key=found["Key"], UploadId=found["UploadId"]
                )

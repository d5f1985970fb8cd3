"""What goes wrong with S3, how often it is tried again, and what is said about it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from training.store.folder import meaning
from training.store.store import StoreError, Trouble

#: How often anything is tried before we say that it does not work.
TRIES = 5
DENIED = {"403", "401", "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken"}
MISSING = {"404", "NoSuchKey", "NotFound", "NoSuchUpload"}
CHANGED = {"412", "PreconditionFailed", "409", "ConditionalRequestConflict"}
FULL = {"EntityTooLarge", "QuotaExceeded", "XMinioStorageFull", "InsufficientStorage", "507"}
LIBRARIES = {"boto3", "botocore", "s3transfer", "urllib3"}
BEHIND_THE_END = {"416", "InvalidRange"}


def pauses() -> Iterator[float]:
    """Seconds to wait after each try, with jitter."""
    for attempt in range(TRIES):
        yield random.uniform(0, min(0.2 * 2**attempt, 5))


def is_broken_off(error: Exception) -> bool:
    """Whether a body ended before its time."""
    return type(error).__name__ in {"IncompleteReadError", "ReadTimeoutError", "ResponseStreamingError"}


def is_behind_the_end(error: Exception) -> bool:
    """Whether a range was asked for that starts where the object has ended."""
    return error_code(error) in BEHIND_THE_END


def error_code(error: BaseException) -> str:
    reply = getattr(error, "response", None)
    return str(reply.get("Error", {}).get("Code", "")) if isinstance(reply, dict) else ""


@contextlib.contextmanager
def explained(key: str) -> Iterator[None]:
    """Turns what boto3 or the system says into a StoreError."""
    try:
        yield
    except OSError as error:
        raise StoreError(*meaning(error, key)) from error
    except Exception as error:
        if type(error).__module__.partition(".")[0] not in LIBRARIES:
            raise
        # An upload of a file that fails hides its reason in the context.
        cause = error if error_code(error) or not error.__context__ else error.__context__
        raise StoreError(*_meaning(cause, key)) from error


def _meaning(error: BaseException, key: str) -> tuple[str, Trouble]:
    if type(error).__name__ in {"NoCredentialsError", "PartialCredentialsError"}:
        return f"There are no credentials for S3, so {key} cannot be reached.", Trouble.DENIED
    if not hasattr(error, "response"):
        return f"S3 cannot be reached for {key} ({type(error).__name__}).", Trouble.UNREACHABLE
    code = error_code(error)
    if code == "NoSuchBucket":
        return f"The bucket of {key} does not exist.", Trouble.UNREACHABLE
    if code in MISSING:
        return f"There is no {key} in the store.", Trouble.MISSING
    if code in CHANGED:
        return f"{key} is not what it was a moment ago.", Trouble.CHANGED
    if code in DENIED:
        return f"S3 does not let us at {key} ({code}).", Trouble.DENIED
    if code in FULL:
        return f"There is no space for {key} ({code}).", Trouble.FULL
    return f"S3 cannot do it for {key} at the moment ({code}).", Trouble.UNREACHABLE


@contextlib.contextmanager
def alone(path: Path) -> Iterator[BinaryIO]:
    """`path` open for writing, held by us alone: a second process waits, then goes on from there."""
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        with os.fdopen(handle, "r+b") as file:
            fcntl.flock(handle, fcntl.LOCK_EX)
            if not is_still_named(path, handle):
                continue  # whoever held it has finished it
            yield file
            return


def is_still_named(path: Path, handle: int) -> bool:
    """Whether an open file still has this name: nobody removed or replaced it before we had its lock."""
    try:
        return os.path.samestat(path.stat(), os.fstat(handle))
    except FileNotFoundError:
        return False

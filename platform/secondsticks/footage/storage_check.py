"""Whether the stores do what is asked of them: each answer is one sentence, with what to do."""

from __future__ import annotations

import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from typing import NamedTuple

from django.conf import settings

from secondsticks.footage import bucket, multipart
from secondsticks.store import store
from training.store import Store, StoreError

LOCAL = "http://localhost:8000"


class Answer(NamedTuple):
    works: bool
    sentence: str


def answers() -> Iterator[Answer]:
    """Try the store for training, and the one for footage if there is one."""
    yield _tried("The store", settings.SECONDSTICKS_STORE, store)
    if not bucket.is_configured():
        yield Answer(True, "Footage lies in SECONDSTICKS_HOME.")
        return
    yield (tried := _tried("The footage store", settings.SECONDSTICKS_FOOTAGE_STORE, bucket.bucket))
    if tried.works:
        yield _parts()
        for origin in settings.ORIGINS or [LOCAL]:
            yield _browsers(origin)


def _tried(what: str, url: str, opened) -> Answer:
    """Put an object, once only, read a part of it, list and delete it."""
    key = f"check/{uuid.uuid4()}"
    try:
        found: Store = opened()
        first, second = found.put_new(key, b"a check"), found.put_new(key, b"again")
        if (first, second) != (True, False):
            return Answer(False, f"{what} {url} does not know conditional writes (If-None-Match).")
        whole = found.read(key, 2, 5) == b"check" and list(found.list("check")).count(key) == 1
        found.delete(key)
    except StoreError as error:
        return Answer(False, f"{what} {url} does not work: {error}")
    if not whole:
        return Answer(False, f"{what} {url} does not give back what was put into it.")
    return Answer(True, f"{what} {url} works.")


def _parts() -> Answer:
    folder = f"check/{uuid.uuid4()}"
    try:
        upload = multipart.begin(f"{folder}/part")
        multipart.arrived(f"{folder}/part", upload)
        multipart.abort_all(folder)
    except StoreError as error:
        return Answer(False, f"Uploads in parts do not work: {error}")
    return Answer(True, "Uploads in parts work.")


def _browsers(origin: str) -> Answer:
    """Ask what a browser asks before it sends a part from a page of ours."""
    asked = {"Origin": origin, "Access-Control-Request-Method": "PUT"}
    request = urllib.request.Request(
        bucket.signed("upload_part", "check/part", UploadId="none", PartNumber=1),
        headers=asked,
        method="OPTIONS",
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            allowed = answer.headers.get("Access-Control-Allow-Origin", "")
            methods = answer.headers.get("Access-Control-Allow-Methods", "")
    except urllib.error.HTTPError:
        allowed = methods = ""
    except OSError as error:
        return Answer(False, f"The footage store cannot be reached as a browser would ({error}).")
    if allowed not in (origin, "*") or "PUT" not in methods:
        return Answer(
            False, f"The bucket lets no page of {origin} send to it: add the CORS rules of docs/storage.md."
        )
    return Answer(True, f"Pages of {origin} may send to the bucket.")

"""Footage in an S3 bucket, when SECONDSTICKS_FOOTAGE_STORE names one: what lies where, and signed addresses.

A file that lies there has the location `bucket:<key>`; every other one is a file of this server.
"""

from __future__ import annotations

from functools import cache
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.utils.http import content_disposition_header

from training.store import StoreError, Trouble, open_store
from training.store.s3 import S3Store

MARK = "bucket:"
#: Seconds for which an address that we sign is good.
EXPIRES = 15 * 60

_opened = cache(open_store)


def is_configured() -> bool:
    return bool(settings.SECONDSTICKS_FOOTAGE_STORE)


def bucket() -> S3Store:
    """Return the bucket. Raises StoreError when none is configured (any more)."""
    if not is_configured():
        raise StoreError("It lies in a footage store that is no longer configured.", Trouble.UNREACHABLE)
    found = _opened(settings.SECONDSTICKS_FOOTAGE_STORE)
    if not isinstance(found, S3Store):
        raise StoreError("SECONDSTICKS_FOOTAGE_STORE must look like s3://bucket/prefix.", Trouble.NAME)
    return found


def folder_of(project: UUID, file: UUID) -> str:
    """Return the part of all keys of one clip or sound file: its source, and its proxy."""
    return f"{project}/{file}"


def location_of(key: str) -> str:
    return MARK + key


def is_in_bucket(location: str) -> bool:
    return location.startswith(MARK)


def key_of(location: str) -> str:
    return location.removeprefix(MARK)


def proxy_key(location: str) -> str:
    """Return where the proxy of the clip at this location lies."""
    return f"{key_of(location).rpartition('/')[0]}/proxy.mp4"


def send_there(
    request: HttpRequest, key: str, *, name: str, kind: str, download: bool
) -> HttpResponseRedirect:
    """Answer with a signed address, good for one object and 15 minutes; S3 knows ranges itself."""
    disposition = content_disposition_header(download, name) or "inline"
    said = {"ResponseContentType": kind, "ResponseContentDisposition": disposition}
    method = "get_object"
    if request.method == "HEAD":
        method, said = "head_object", {}
    try:
        response = HttpResponseRedirect(signed(method, key, **said))
    except StoreError:
        raise Http404 from None
    response["Cache-Control"] = "no-store"  # the next time it is signed anew, if the person still may
    return response


def signed(method: str, key: str, **more: Any) -> str:
    """Return an address with which a browser may do one thing to one object, for 15 minutes."""
    store = bucket()
    address: str = store.client.generate_presigned_url(
        method, Params={**store.at(key), **more}, ExpiresIn=EXPIRES
    )
    return address

"""The bytes of clips over HTTP, in ranges, so that a browser can seek in them.

Django's FileResponse knows no ranges, and the packages that add them read the whole file for each request
or are unkept since 2017; hence these few lines. With SECONDSTICKS_X_ACCEL set, nginx sends the bytes.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO
from urllib.parse import quote

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.http import content_disposition_header, http_date

CHUNK = 256 << 10
RANGE = re.compile(r"bytes\s*=\s*(?:([0-9]{1,18})\s*-\s*([0-9]{1,18})?|-\s*([0-9]{1,18}))\s*$", re.IGNORECASE)
#: What a browser may show in place. Everything else is a download of bytes without a type.
TYPES = {
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/mp4",  # one family; browsers play it under this name
    ".webm": "video/webm",
    ".jpg": "image/jpeg",
}
BYTES = "application/octet-stream"


def serve(request: HttpRequest, path: Path, *, name: str, download: bool = False) -> HttpResponseBase:
    """Answer GET and HEAD for one file of ours: 200, 206, 304 or 416; 404 if it is gone."""
    try:
        file = path.open("rb")
    except OSError:
        raise Http404 from None
    found = os.fstat(file.fileno())
    response = _answer(request, file, path, found)
    kind = BYTES if download else TYPES.get(path.suffix.lower(), BYTES)
    if response.status_code in (200, 206):
        response["Content-Type"] = kind
        response["Content-Disposition"] = (
            content_disposition_header(download or kind == BYTES, name) or "inline"
        )
    response["ETag"] = _etag(found)
    response["Last-Modified"] = http_date(found.st_mtime)
    response["Accept-Ranges"] = "bytes"
    # Private: it is behind a sign-in. No-cache: a browser may keep it, but asks each time if it still may.
    response["Cache-Control"] = "private, no-cache"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _answer(request: HttpRequest, file: IO[bytes], path: Path, found: os.stat_result) -> HttpResponseBase:
    if request.headers.get("If-None-Match", "") == _etag(found):
        file.close()
        return HttpResponse(status=304)
    if settings.SECONDSTICKS_X_ACCEL:
        file.close()
        return HttpResponse(headers={"X-Accel-Redirect": settings.SECONDSTICKS_X_ACCEL + quote(str(path))})
    known = request.headers.get("If-Range", "")
    older = known and known not in (_etag(found), http_date(found.st_mtime))
    wanted = wanted_range("" if older else request.headers.get("Range", ""), found.st_size)
    if wanted is None:
        file.close()
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{found.st_size}"})
    first, last, partial = wanted
    length = last - first + 1
    if request.method == "HEAD":
        file.close()
        response: HttpResponseBase = HttpResponse()
    else:
        response = StreamingHttpResponse(_Piece(file, first, length))
    response["Content-Length"] = str(length)
    if partial:
        response.status_code = 206
        response["Content-Range"] = f"bytes {first}-{last}/{found.st_size}"
    return response


def wanted_range(header: str, size: int) -> tuple[int, int, bool] | None:
    """Return the first and last byte to send, and whether that is a part; None if it lies outside the file.

    What is no range, and several ranges at once, get the whole file (RFC 9110, 14.2).
    """
    whole = (0, size - 1, False)
    match = RANGE.match(header)
    if match is None:
        return whole
    first, last, suffix = (int(group) if group else None for group in match.groups())
    if suffix is not None:
        first, last = max(size - suffix, 0), size - 1
        return (first, last, True) if suffix and size else None
    assert first is not None
    if last is not None and last < first:
        return whole
    if first >= size:
        return None
    return first, min(last if last is not None else size - 1, size - 1), True


class _Piece:
    """An iterable over a part of a file, which Django closes at the end or when the browser goes away."""

    def __init__(self, file: IO[bytes], first: int, length: int) -> None:
        self.file, self.first, self.length = file, first, length

    def __iter__(self) -> Iterator[bytes]:
        self.file.seek(self.first)
        left = self.length
        while left > 0 and (chunk := self.file.read(min(CHUNK, left))):
            left -= len(chunk)
            yield chunk

    def close(self) -> None:
        self.file.close()


def _etag(found: os.stat_result) -> str:
    return f'"{found.st_size:x}-{found.st_mtime_ns:x}"'

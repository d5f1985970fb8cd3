"""The tus 1.0 protocol for resumable uploads, with creation and termination.

https://tus.io/protocols/resumable-upload

The packages that speak it for Django are unkept (django-tus: Django 2 and 3; drf-tus, tus-drf-server: old
DRF) and write without a lock; what we need of it is small.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from secondsticks.footage import uploads
from secondsticks.footage.permissions import SignedInRequest, get_project_for, get_upload_for
from secondsticks.footage.tasks import send_ingest
from secondsticks.footage.uploads import UploadError

if TYPE_CHECKING:
    from secondsticks.footage.models import Upload

VERSION = "1.0.0"
MOST_METADATA = 4096
PIECE_TYPE = "application/offset+octet-stream"


def speaks_tus(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Let people in who are signed in and clients of our version; answer errors with their sentence.

    No redirect to the sign-in page: a script would follow it and take that page for the answer.
    """

    @wraps(view)
    def spoken(request: HttpRequest, /, **kwargs: UUID) -> HttpResponse:
        try:
            if not request.user.is_authenticated:
                raise UploadError(401, "You are signed out. Sign in again, then resume.")
            if request.method != "OPTIONS" and request.headers.get("Tus-Resumable") != VERSION:
                raise UploadError(412, f"This server speaks tus {VERSION}.")
            response = view(request, **kwargs)
        except UploadError as error:
            response = HttpResponse(
                f"{error}\n", status=error.status, content_type="text/plain; charset=utf-8"
            )
        response["Tus-Resumable"] = response["Tus-Version"] = VERSION
        response["Cache-Control"] = "no-store"
        return response

    return spoken


@speaks_tus
@require_http_methods(["POST", "OPTIONS"])
def create(request: SignedInRequest, uuid: UUID) -> HttpResponse:
    """Begin an upload into a project."""
    project = get_project_for(request.user, uuid)
    if request.method == "OPTIONS":
        return _abilities()
    name = _metadata(request).get("filename", "")
    upload = uploads.begin(project, request.user, name=name, size=_number(request, "Upload-Length"))
    if upload.size == 0:
        uploads.finish(upload, send_ingest=send_ingest)
    response = HttpResponse(status=201)
    response["Location"] = reverse("footage:upload", args=[upload.uuid])
    response["Upload-Offset"] = "0"
    return response


@speaks_tus
@require_http_methods(["HEAD", "PATCH", "DELETE", "OPTIONS"])
def upload(request: SignedInRequest, uuid: UUID) -> HttpResponse:
    """Ask how far an upload is, add a piece to it, or cancel it."""
    found = get_upload_for(request.user, uuid)
    if found.part_bytes:  # it goes into the bucket, not through here
        raise Http404
    match request.method:
        case "HEAD":
            return _offset(found)
        case "PATCH":
            return _append(request, found)
        case "DELETE":
            uploads.remove(found)
            return HttpResponse(status=204)
        case _:
            return _abilities()


def _append(request: SignedInRequest, upload: Upload) -> HttpResponse:
    if request.content_type != PIECE_TYPE:
        raise UploadError(415, f"A piece of a file is sent as {PIECE_TYPE}.")
    offset, length = _number(request, "Upload-Offset"), _number(request, "Content-Length", missing=411)
    upload.offset = uploads.append(upload, offset=offset, length=length, source=request)
    response = _offset(upload)
    response.status_code = 204
    return response


def _offset(upload: Upload) -> HttpResponse:
    """Say how far it is. A file that is all here becomes a clip now, if a crash kept it from becoming one."""
    if upload.offset == upload.size:
        uploads.finish(upload, send_ingest=send_ingest)
    response = HttpResponse()
    response["Upload-Offset"], response["Upload-Length"] = str(upload.offset), str(upload.size)
    return response


def _abilities() -> HttpResponse:
    response = HttpResponse(status=204)
    response["Tus-Extension"] = "creation,termination"
    response["Tus-Max-Size"] = str(settings.SECONDSTICKS_MAX_UPLOAD)
    return response


def _number(request: HttpRequest, header: str, *, missing: int = 400) -> int:
    text = request.headers.get(header, "")
    if not text:
        raise UploadError(missing, f"The header {header} is missing.")
    if not (text.isascii() and text.isdigit() and len(text) < 18):
        raise UploadError(400, f"The header {header} must be a whole number.")
    return int(text)


def _metadata(request: HttpRequest) -> dict[str, str]:
    """Read `key base64,key base64`."""
    header = request.headers.get("Upload-Metadata", "")
    if len(header) > MOST_METADATA:
        raise UploadError(400, "The name of this file is too long.")
    pairs = [entry.strip().partition(" ") for entry in header.split(",") if entry.strip()]
    try:
        return {key: base64.b64decode(value, validate=True).decode() for key, _, value in pairs}
    except (binascii.Error, UnicodeDecodeError):
        raise UploadError(400, "The header Upload-Metadata cannot be read.") from None

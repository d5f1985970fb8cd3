"""Uploads that go from the browser straight into the bucket. Answers are JSON, errors plain sentences."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from uuid import UUID

from django.db.models.functions import Now
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from secondsticks.footage import bucket, multipart, uploads
from secondsticks.footage.models import Upload
from secondsticks.footage.permissions import SignedInRequest, get_project_for, get_upload_for
from secondsticks.footage.tasks import send_ingest
from secondsticks.footage.uploads import UploadError
from training.store import StoreError, Trouble

MOST_AT_ONCE = 100


def speaks_json(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Let people in who are signed in; answer errors with their sentence, never with a redirect."""

    @wraps(view)
    def spoken(request: HttpRequest, /, **kwargs: UUID) -> HttpResponse:
        try:
            if not request.user.is_authenticated:
                raise UploadError(401, "You are signed out. Sign in again, then resume.")
            response = view(request, **kwargs)
        except UploadError as error:
            response = _sentence(error.status, str(error))
        except StoreError as error:
            # 403 would read as if the person were refused: it is our bucket that refuses us.
            status = 507 if error.trouble is Trouble.FULL else 502
            response = _sentence(status, f"The footage store does not take it. {error}")
        response["Cache-Control"] = "no-store"
        return response

    return spoken


def _sentence(status: int, sentence: str) -> HttpResponse:
    return HttpResponse(f"{sentence}\n", status=status, content_type="text/plain; charset=utf-8")


@speaks_json
@require_POST
def create(request: SignedInRequest, uuid: UUID) -> HttpResponse:
    """Begin an upload into a project: `{"name", "size"}`."""
    project = get_project_for(request.user, uuid)
    if not bucket.is_configured():
        raise UploadError(409, "Files do not go into a bucket here. Load the page again.")
    wanted = _said(request)
    name, size = wanted.get("name"), wanted.get("size")
    if not isinstance(name, str) or not isinstance(size, int) or not 0 <= size < 10**17:
        raise UploadError(400, "An upload begins with a name and a size.")
    upload = uploads.begin_in_bucket(project, request.user, name=name, size=size)
    if size == 0:
        uploads.finish(upload, send_ingest=send_ingest)
    return JsonResponse({"url": reverse("footage:multipart", args=[upload.uuid])}, status=201)


@speaks_json
@require_http_methods(["GET", "DELETE"])
def upload(request: SignedInRequest, uuid: UUID) -> HttpResponse:
    """Say which parts have arrived, or cancel."""
    found = _upload_for(request, uuid)
    if request.method == "DELETE":
        uploads.remove(found)
        return HttpResponse(status=204)
    known = {"size": found.size, "part_bytes": found.part_bytes}
    if found.offset == found.size:  # all is here; a crash may have kept it from becoming a clip
        uploads.finish(found, send_ingest=send_ingest)
        return JsonResponse({**known, "done": True, "arrived": []})
    try:
        arrived = multipart.arrived(found.bucket_key, found.multipart)
    except StoreError as error:
        if error.trouble is not Trouble.MISSING:
            raise
        raise Http404 from None  # the bucket's own rules have ended it: the browser begins anew
    whole = [n for n, part in arrived.items() if part.size == _length(found, n)]
    return JsonResponse({**known, "done": False, "arrived": sorted(whole)})


@speaks_json
@require_POST
def parts(request: SignedInRequest, uuid: UUID) -> HttpResponse:
    """Sign the addresses to which the browser puts parts: `{"numbers": [1, 2]}`."""
    found = _upload_for(request, uuid)
    numbers = _said(request).get("numbers")
    last = multipart.count(found.size, found.part_bytes)
    if not isinstance(numbers, list) or len(numbers) > MOST_AT_ONCE:
        raise UploadError(400, f"Ask for up to {MOST_AT_ONCE} parts.")
    if not all(type(number) is int and 1 <= number <= last for number in numbers):
        raise UploadError(400, f"This file has parts 1 to {last}.")
    if found.offset == found.size:
        raise UploadError(409, "All of this file is here already.")
    _touch(found)
    key, upload_id = found.bucket_key, found.multipart
    signed = {n: multipart.sign_part(key, upload_id, n, _length(found, n)) for n in numbers}
    return JsonResponse({"addresses": signed})


@speaks_json
@require_POST
def complete(request: SignedInRequest, uuid: UUID) -> HttpResponse:
    """Make the clip of all parts. What is missing is named with 409, to be sent again."""
    found = _upload_for(request, uuid)
    try:
        uploads.finish_in_bucket(found, send_ingest=send_ingest)
    except multipart.Missing as missing:
        return JsonResponse({"missing": missing.numbers}, status=409)
    return JsonResponse({"done": True})


def _upload_for(request: SignedInRequest, uuid: UUID) -> Upload:
    found = get_upload_for(request.user, uuid)
    if not found.part_bytes:
        raise Http404
    return found


def _length(upload: Upload, number: int) -> int:
    return multipart.length(number, upload.size, upload.part_bytes)


def _touch(upload: Upload) -> None:
    """Note that somebody is still at it."""
    Upload.objects.filter(pk=upload.pk).update(written_at=Now())


def _said(request: HttpRequest) -> dict[str, object]:
    try:
        said = json.loads(request.body)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise UploadError(400, "This request cannot be read.")
    return said

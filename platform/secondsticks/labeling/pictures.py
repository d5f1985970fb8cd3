"""Pictures of frames over HTTP: the frame itself from the store, its neighbours made when somebody flips.

A frame's picture never changes, so browsers keep it. Neighbours are read from the clip by a fenced child, all
of them at once, and kept beside the clip for a while.
"""

from __future__ import annotations

import time
from io import BytesIO
from pathlib import Path
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.http import require_safe
from PIL import Image

from secondsticks import store
from secondsticks.detection import filmstrip
from secondsticks.detection.pictures import write_jpeg
from secondsticks.footage import media
from secondsticks.footage.models import Clip
from secondsticks.footage.permissions import SignedInRequest
from secondsticks.labeling.documents import NEIGHBOURS
from secondsticks.labeling.models import QueuedFrame
from secondsticks.labeling.permissions import get_frame_for
from training.footage.footage import Footage, FootageError
from training.store import StoreError, Trouble

#: A neighbour's longest side: enough to tell open from closed, and quick to load.
SIDE = 1280
#: A small picture's, in lists.
SMALL_SIDE = 480
KEPT_SECONDS = 24 * 3600
NO_STORE = "The store of pictures does not answer. Try again in a moment."


@login_required
@require_safe
def picture(request: SignedInRequest, uuid: UUID) -> HttpResponseBase:
    """The whole frame as it is labelled, as a JPEG."""
    return answer_with(request, get_frame_for(request.user, uuid))


@login_required
@require_safe
def small_picture(request: SignedInRequest, uuid: UUID) -> HttpResponseBase:
    """The frame small, for lists."""
    return answer_with(request, get_frame_for(request.user, uuid), small=True)


def answer_with(request: HttpRequest, frame: QueuedFrame, *, small: bool = False) -> HttpResponseBase:
    if not frame.picture_sha256:
        raise Http404
    etag = f'"{frame.picture_sha256}{"-small" if small else ""}"'
    if request.headers.get("If-None-Match", "") == etag:
        return kept_by_browsers(HttpResponse(status=304), etag)
    try:
        content = store.store().get(frame.picture_key)
    except StoreError as error:
        if error.trouble == Trouble.MISSING:
            raise Http404 from None
        return HttpResponse(NO_STORE, status=503, content_type="text/plain", headers={"Retry-After": "5"})
    return kept_by_browsers(part_of(request, made_small(content) if small else content), etag)


def made_small(jpeg: bytes) -> bytes:
    """A JPEG that we wrote, with no side over SMALL_SIDE. Decoded at about that size, so quickly."""
    with Image.open(BytesIO(jpeg), formats=["JPEG"]) as picture:
        picture.thumbnail((SMALL_SIDE, SMALL_SIDE))
        content = BytesIO()
        picture.save(content, "JPEG", quality=80)
    return content.getvalue()


def part_of(request: HttpRequest, content: bytes) -> HttpResponse:
    """The bytes asked for: 200, 206 or 416."""
    wanted = media.wanted_range(request.headers.get("Range", ""), len(content))
    if wanted is None:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{len(content)}"})
    first, last, partial = wanted
    response = HttpResponse(content[first : last + 1], content_type="image/jpeg")
    if partial:
        response.status_code = 206
        response["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
    return response


def kept_by_browsers(response: HttpResponse, etag: str) -> HttpResponse:
    response["ETag"] = etag
    response["Accept-Ranges"] = "bytes"
    response["Cache-Control"] = "private, max-age=86400, immutable"
    return response


@login_required
@require_safe
def neighbour(request: SignedInRequest, uuid: UUID, frame: int) -> HttpResponseBase:
    """Another frame of the clip, at most NEIGHBOURS away, whole and at most SIDE wide or high."""
    queued = get_frame_for(request.user, uuid)
    if abs(frame - queued.frame) > NEIGHBOURS or frame >= (queued.clip.frames or 0):
        raise Http404
    try:
        file = neighbour_file(queued, frame)
    except filmstrip.Busy:
        return HttpResponse(status=503, headers={"Retry-After": "5"})
    except (FootageError, IndexError):
        raise Http404 from None
    response = media.serve(request, file, name=file.name)
    response["Cache-Control"] = "private, max-age=86400"  # people flip through them again and again
    return response


def neighbour_file(queued: QueuedFrame, frame: int) -> Path:
    """The picture of a neighbour, made now with all others if need be. Raises Busy and FootageError."""
    target = folder_of(queued.clip) / f"{frame}.jpg"
    if not target.is_file():
        with filmstrip.turn():
            if not target.is_file():
                make_neighbours(queued)
    if not target.is_file():
        raise FootageError("broken", f"Frame {frame} of this file is damaged and cannot be shown.")
    return target


def folder_of(clip: Clip) -> Path:
    return clip.folder / "neighbours"


def make_neighbours(queued: QueuedFrame) -> None:
    clip = queued.clip
    folder_of(clip).mkdir(parents=True, exist_ok=True)
    drop_old(folder_of(clip))
    with filmstrip.soon(clip) as path, Footage(path, longest_side=SIDE, limits=filmstrip.LIMITS) as footage:
        first, last = (
            max(queued.frame - NEIGHBOURS, 0),
            min(queued.frame + NEIGHBOURS, footage.facts.frames - 1),
        )
        for frame in footage.frames(first, last):
            write_jpeg(Image.fromarray(frame.picture), folder_of(clip) / f"{frame.number}.jpg", SIDE)


def drop_old(folder: Path) -> None:
    """Remove what nobody has needed for a day: it can be made again."""
    for file in folder.iterdir():
        if time.time() - file.stat().st_mtime > KEPT_SECONDS:
            file.unlink(missing_ok=True)

"""What a clip page asks for: its video, its original, its poster; and what may be done to it."""

from __future__ import annotations

import shutil
from pathlib import PurePosixPath
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.db.models.functions import Now
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from secondsticks.footage import bucket, folders, media
from secondsticks.footage.models import Clip, ClipState, ProxyState, Role
from secondsticks.footage.permissions import SignedInRequest, get_clip_for
from secondsticks.footage.tasks import send_ingest, send_proxy
from training.footage.footage import FootageError


@login_required
@require_safe
def video(request: SignedInRequest, uuid: UUID) -> HttpResponseBase:
    """Send what a browser can play: the source or its proxy."""
    clip = get_clip_for(request.user, uuid)
    if clip.state != ClipState.READY or clip.playable_path is None:
        raise Http404
    if bucket.is_in_bucket(clip.location):
        return _video_in_bucket(request, clip)
    path = clip.playable_path if clip.proxy_state == ProxyState.READY else _source_of(clip)
    return media.serve(request, path, name=clip.name)


@login_required
@require_safe
def source(request: SignedInRequest, uuid: UUID) -> HttpResponseBase:
    """Send the camera's file, as a download."""
    clip = get_clip_for(request.user, uuid)
    if bucket.is_in_bucket(clip.location):
        return bucket.send_there(
            request, bucket.key_of(clip.location), name=clip.name, kind=media.BYTES, download=True
        )
    return media.serve(request, _source_of(clip), name=clip.name, download=True)


@login_required
@require_safe
def poster(request: SignedInRequest, uuid: UUID) -> HttpResponseBase:
    clip = get_clip_for(request.user, uuid)
    if not clip.has_poster:
        raise Http404
    return media.serve(request, clip.poster_path, name="poster.jpg")


def _video_in_bucket(request: SignedInRequest, clip: Clip) -> HttpResponseBase:
    if clip.proxy_state == ProxyState.READY:
        key, kind = bucket.proxy_key(clip.location), "video/mp4"
    else:
        key = bucket.key_of(clip.location)
        kind = media.TYPES.get(PurePosixPath(key).suffix, media.BYTES)
    return bucket.send_there(request, key, name=clip.name, kind=kind, download=kind == media.BYTES)


def _source_of(clip: Clip):
    try:
        return folders.checked(clip)
    except FootageError:
        raise Http404 from None


@login_required
@require_POST
def try_again(request: SignedInRequest, uuid: UUID) -> HttpResponse:
    """Read a refused clip once more, or make a proxy that failed once more."""
    clip = get_clip_for(request.user, uuid)
    rows = Clip.objects.filter(pk=clip.pk)
    with transaction.atomic():
        fresh = {"failures": 0, "queued_at": Now(), "leased_until": None}
        if rows.filter(state=ClipState.REFUSED).update(state=ClipState.UPLOADED, message="", **fresh):
            transaction.on_commit(lambda: send_ingest(clip), robust=True)
        elif rows.filter(state=ClipState.READY, proxy_state=ProxyState.FAILED).update(
            proxy_state=ProxyState.QUEUED, proxy_message="", proxy_progress=0, **fresh
        ):
            transaction.on_commit(lambda: send_proxy(clip), robust=True)
    return redirect(clip)


@login_required
@require_POST
def remove(request: SignedInRequest, uuid: UUID) -> HttpResponse:
    """Remove a clip and what we made of it. The file of a server folder stays where it lies."""
    clip = get_clip_for(request.user, uuid, Role.LEAD)
    folder, project = clip.folder, clip.project
    with transaction.atomic():
        clip.delete()
        transaction.on_commit(lambda: shutil.rmtree(folder, ignore_errors=True))
    messages.success(request, f"{clip.name} is removed from the project.")
    return redirect(project)

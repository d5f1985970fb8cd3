"""Pages and files of detection: the board, the clip page, pictures of claps."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from secondsticks.detection import exports, pictures, scans, tasks
from secondsticks.detection.board import Wish, read_board
from secondsticks.detection.clip_page import read_clip_page
from secondsticks.detection.models import Clap, Scan
from secondsticks.detection.sound_pages import sounds_in_words
from secondsticks.footage.models import ClipState
from secondsticks.footage.permissions import SignedInRequest, get_clip_for, get_project_for


@login_required
@require_safe
def board(request: SignedInRequest, uuid: UUID) -> HttpResponse:
    project = get_project_for(request.user, uuid)
    page = read_board(project, Wish.from_query(request.GET))
    known = {
        "project": project,
        "board": page,
        "exports": exports.CHOICES,
        "sounds": sounds_in_words(project),
    }
    return render(request, "detection/board.html", known)


@login_required
@require_safe
def board_clips(request: SignedInRequest, uuid: UUID) -> HttpResponse:
    """The counts and the table alone: what the board asks for while clips are being worked on."""
    project = get_project_for(request.user, uuid)
    page = read_board(project, Wish.from_query(request.GET))
    known = {"project": project, "board": page, "sounds": sounds_in_words(project)}
    return render(request, "detection/_clips.html", known)


@login_required
@require_safe
def clip(request: SignedInRequest, uuid: UUID) -> HttpResponse:
    clip = get_clip_for(request.user, uuid)
    page = read_clip_page(clip, came_from=uuid_in(request.GET.get("from", "")))
    known = {"page": page, "clip": page.clip, "review": page.review, "exports": exports.CHOICES}
    return render(request, "detection/clip.html", known)


def uuid_in(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


@login_required
@require_safe
def clip_progress(request: SignedInRequest, uuid: UUID) -> HttpResponse:
    """Progress of a clip; tells the page to load itself again once something has ended since it was made."""
    page = read_clip_page(get_clip_for(request.user, uuid))
    response = render(request, "detection/_progress.html", {"page": page})
    if request.GET.get("was") != page.key:
        response["HX-Refresh"] = "true"
    return response


@login_required
@require_POST
def scan_again(request: SignedInRequest, uuid: UUID) -> HttpResponse:
    clip = get_clip_for(request.user, uuid)
    if clip.state != ClipState.READY:
        raise Http404
    if scans.scan_again(clip, send=tasks.send) is None:
        messages.info(request, "A scan of this clip is already under way.")
    return redirect("detection:clip", uuid)


@login_required
@require_POST
def cancel_scan(request: SignedInRequest, uuid: UUID) -> HttpResponse:
    clip = get_clip_for(request.user, uuid)
    current = Scan.objects.filter(clip=clip, is_current=True).first()
    if current is None or not scans.cancel(current):
        messages.info(request, "There was no scan to cancel: it has ended.")
    return redirect("detection:clip", uuid)


@login_required
@require_safe
def clap_picture(request: SignedInRequest, uuid: UUID, which: str) -> HttpResponseBase:
    """The JPEG of a clap's first closed frame, or of the last open one before it."""
    clap = get_object_or_404(Clap.objects.select_related("scan__clip__project"), uuid=uuid)
    get_clip_for(request.user, clap.scan.clip.uuid)
    name = clap.picture if which == "closed" else clap.open_picture
    path = pictures.folder_of(clap.scan) / name
    if not name or not path.is_file():
        raise Http404
    response = FileResponse(path.open("rb"), content_type="image/jpeg")
    response["Cache-Control"] = "private, max-age=86400"
    return response

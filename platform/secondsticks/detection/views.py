"""Pages and files of detection: the board, the clip page, downloads, pictures of claps."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.text import slugify
from django.views.decorators.http import require_POST, require_safe

from secondsticks.detection import markers, pictures, scans, tasks
from secondsticks.detection.board import Wish, read_board, with_scans
from secondsticks.detection.clip_page import read_clip_page
from secondsticks.detection.models import Clap, Scan
from secondsticks.footage.models import Clip, ClipState
from secondsticks.footage.permissions import SignedInRequest, get_clip_for, get_project_for


@login_required
@require_safe
def board(request: SignedInRequest, uuid: UUID) -> HttpResponse:
    project = get_project_for(request.user, uuid)
    page = read_board(project, Wish.from_query(request.GET))
    return render(request, "detection/board.html", {"project": project, "board": page})


@login_required
@require_safe
def board_clips(request: SignedInRequest, uuid: UUID) -> HttpResponse:
    """The counts and the table alone: what the board asks for while clips are being worked on."""
    project = get_project_for(request.user, uuid)
    page = read_board(project, Wish.from_query(request.GET))
    return render(request, "detection/_clips.html", {"project": project, "board": page})


@login_required
@require_safe
def clip(request: SignedInRequest, uuid: UUID) -> HttpResponse:
    clip = get_clip_for(request.user, uuid)
    return render(request, "detection/clip.html", {"page": read_clip_page(clip)})


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
def project_csv(request: SignedInRequest, uuid: UUID) -> HttpResponse:
    project = get_project_for(request.user, uuid)
    return csv_file(project.name, with_scans(Clip.objects.filter(project=project)))


@login_required
@require_safe
def project_json(request: SignedInRequest, uuid: UUID) -> HttpResponse:
    project = get_project_for(request.user, uuid)
    return json_file(project.name, with_scans(Clip.objects.filter(project=project)))


@login_required
@require_safe
def clip_csv(request: SignedInRequest, uuid: UUID) -> HttpResponse:
    clip = get_clip_for(request.user, uuid)
    return csv_file(clip.name, with_scans(Clip.objects.filter(pk=clip.pk)))


@login_required
@require_safe
def clip_json(request: SignedInRequest, uuid: UUID) -> HttpResponse:
    clip = get_clip_for(request.user, uuid)
    return json_file(clip.name, with_scans(Clip.objects.filter(pk=clip.pk)))


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


def csv_file(name: str, clips) -> HttpResponse:
    return as_download(
        HttpResponse(markers.as_csv(clips), content_type="text/csv; charset=utf-8"), name, "csv"
    )


def json_file(name: str, clips) -> HttpResponse:
    answer = JsonResponse(markers.as_document(clips), json_dumps_params={"indent": 1, "ensure_ascii": True})
    return as_download(answer, name, "json")


def as_download(response: HttpResponse, name: str, ending: str) -> HttpResponse:
    filename = f"{slugify(name) or 'clips'}-claps.{ending}"
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    response["Cache-Control"] = "no-store"
    return response

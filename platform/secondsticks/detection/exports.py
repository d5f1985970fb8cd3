"""Downloads of claps as files: of a clip, of a project, of chosen clips of a project."""

from __future__ import annotations

from pathlib import PurePath
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from secondsticks.detection.markers import marked
from secondsticks.detection.statuses import with_scans
from secondsticks.footage.models import Clip
from secondsticks.footage.permissions import SignedInRequest, get_clip_for, get_project_for
from secondsticks.markers import FORMATS, bundle, written
from secondsticks.markers.bundle import file_name

ALL = "all"
#: What the menus offer, in their order.
CHOICES = [*((format.name, format.title) for format in FORMATS.values()), (ALL, "All of them in a zip")]


@login_required
@require_safe
def clip_export(request: SignedInRequest, uuid: UUID, format: str) -> HttpResponse:
    """The claps of one clip. `?unsure=0` leaves out those that a person should look at."""
    clip = get_clip_for(request.user, uuid)
    return _download(request, format, PurePath(clip.name).stem, Clip.objects.filter(pk=clip.pk))


@login_required
@require_safe
def project_export(request: SignedInRequest, uuid: UUID, format: str) -> HttpResponse:
    """The claps of a project, or of the clips that `?clip=UUID&clip=UUID` chooses."""
    project = get_project_for(request.user, uuid)
    clips = Clip.objects.filter(project=project)
    chosen = {_uuid(text) for text in request.GET.getlist("clip")}
    if chosen:
        clips = clips.filter(uuid__in=chosen)
        if len(clips) < len(chosen):  # half of what was asked for would look like all of it
            raise Http404
    return _download(request, format, project.name, clips)


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Http404 from None


def _download(request: SignedInRequest, format: str, name: str, rows: QuerySet[Clip]) -> HttpResponse:
    """One file, or a zip of all that the format needs."""
    if format != ALL and format not in FORMATS:
        raise Http404
    formats = [one for one in FORMATS.values() if format in (ALL, one.name)]
    clips = [marked(clip) for clip in with_scans(rows.order_by("name", "pk"))]
    include_unsure = request.GET.get("unsure") != "0"
    files = {} if format == ALL else written(clips, formats, include_unsure=include_unsure)
    if len(files) == 1:
        content, media_type, ending = *files.values(), formats[0].media_type, formats[0].suffix
    else:
        content = bundle(clips, formats, include_unsure=include_unsure)
        media_type, ending = "application/zip", "zip" if format == ALL else f"{format}.zip"
    is_text = media_type.startswith("text/")
    response = HttpResponse(content, content_type=f"{media_type}; charset=utf-8" if is_text else media_type)
    response["Content-Disposition"] = content_disposition_header(True, f"{file_name(name)}-claps.{ending}")
    response["Cache-Control"] = "no-store"
    return response

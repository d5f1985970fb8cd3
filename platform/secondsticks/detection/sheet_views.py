"""The contact sheet of a project, and the pictures on it."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from secondsticks.detection import contact_sheet as sheets
from secondsticks.detection import pictures
from secondsticks.detection.models import Scan
from secondsticks.footage.permissions import SignedInRequest, get_clip_for, get_project_for
from secondsticks.markers.bundle import file_name


@login_required
@require_safe
def contact_sheet(request: SignedInRequest, uuid: UUID) -> HttpResponse:
    project = get_project_for(request.user, uuid)
    page = sheets.sheet(project, request.GET.get("part", "1"))
    known = {"project": project, "page": page, "takes": sheets.takes(page)}
    return render(request, "detection/contact_sheet.html", known)


@login_required
@require_safe
def contact_sheet_pdf(request: SignedInRequest, uuid: UUID) -> HttpResponse:
    project = get_project_for(request.user, uuid)
    page = sheets.sheet(project, request.GET.get("part", "1"))
    response = HttpResponse(sheets.as_pdf(project, page), content_type="application/pdf")
    response["Content-Disposition"] = content_disposition_header(
        True, f"{file_name(project.name)}-slates.pdf"
    )
    response["Cache-Control"] = "no-store"
    return response


@login_required
@require_safe
def slate(request: SignedInRequest, uuid: UUID) -> HttpResponseBase:
    """The sharpest picture of a closed slate that a scan found."""
    scan = get_object_or_404(Scan.objects.select_related("clip__project"), uuid=uuid)
    get_clip_for(request.user, scan.clip.uuid)
    path = pictures.folder_of(scan) / scan.slate_picture
    if not scan.slate_picture or not path.is_file():
        raise Http404
    response = FileResponse(path.open("rb"), content_type="image/jpeg")
    response["Cache-Control"] = "private, max-age=86400"
    return response

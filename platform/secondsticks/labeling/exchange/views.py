"""Annotations out and in, for leads."""

from __future__ import annotations

from tempfile import TemporaryFile
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import FileResponse, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.text import slugify
from django.views.decorators.http import require_POST, require_safe

from secondsticks.footage.models import Project, Role
from secondsticks.footage.permissions import SignedInRequest, get_project_for
from secondsticks.labeling.exchange import exporting, receiving
from secondsticks.labeling.exchange.forms import ImportForm
from secondsticks.labeling.exchange.permissions import get_import_for
from secondsticks.labeling.exchange.rows import Import, Step, Still
from secondsticks.labeling.models import QueuedFrame
from training.store import StoreError

SHOWN = 200
NOT_NOW = "Something is still being done with this import, or it is done already."


@login_required
@require_safe
def out_and_in(request: SignedInRequest, uuid: UUID) -> HttpResponse:
    """What can be exported, a form to import, and earlier imports."""
    project = get_project_for(request.user, uuid, Role.LEAD)
    return show(request, project, ImportForm())


def show(request: SignedInRequest, project: Project, form: ImportForm) -> HttpResponse:
    labelled = QueuedFrame.objects.filter(project=project, standing__boxes__isnull=False)
    known: dict[str, Any] = {
        "project": project,
        "form": form,
        "frames": labelled.count(),
        "stills": Still.objects.filter(project=project).count(),
        "imports": Import.objects.filter(project=project)[:50],
    }
    return render(request, "labeling/annotations.html", known, status=422 if form.is_bound else 200)


@login_required
@require_safe
def annotations_zip(request: SignedInRequest, uuid: UUID) -> HttpResponseBase:
    """All annotations; `?format=` coco, yolo or label-studio, `?pictures=1` with the pictures."""
    project = get_project_for(request.user, uuid, Role.LEAD)
    form = request.GET.get("format", exporting.FORMATS[0])
    if form not in exporting.FORMATS:
        return HttpResponse("format: coco, yolo or label-studio.", status=400, content_type="text/plain")
    file = TemporaryFile()  # noqa: SIM115 - the response closes it
    try:
        exporting.write_zip(project, file, form=form, pictures=request.GET.get("pictures") == "1")
    except StoreError as error:
        file.close()
        return HttpResponse(str(error), status=503, content_type="text/plain", headers={"Retry-After": "5"})
    file.seek(0)
    name = f"{slugify(project.name) or 'project'}-annotations-{form}.zip"
    response = FileResponse(file, as_attachment=True, filename=name, content_type="application/zip")
    response["Cache-Control"] = "private, no-store"
    return response


@login_required
@require_POST
def import_file(request: SignedInRequest, uuid: UUID) -> HttpResponse:
    """Keep a file and read it; nothing is taken over before somebody has seen what would be."""
    project = get_project_for(request.user, uuid, Role.LEAD)
    form = ImportForm(request.POST, request.FILES)
    if not form.is_valid():
        return show(request, project, form)
    said = form.cleaned_data
    batch = receiving.receive(
        project,
        request.user,
        name=said["file"].name,
        chunks=said["file"].chunks(),
        source=said["source"],
        names=said["names"],
        empty=said["empty"],
    )
    return redirect("labeling:import", batch.uuid)


@login_required
@require_safe
def one_import(request: SignedInRequest, uuid: UUID) -> HttpResponse:
    """What would be, or was, taken over, and what not and why."""
    batch = get_import_for(request.user, uuid)
    report = batch.report or {}
    known = {
        "batch": batch,
        "project": batch.project,
        "report": report,
        "problems": report.get("problems", [])[:SHOWN],
        "more": max(report.get("refused", 0) - SHOWN, 0),
        "total": report.get("frames", 0) + report.get("stills", 0),
    }
    return render(request, "labeling/import.html", known)


@login_required
@require_POST
def take(request: SignedInRequest, uuid: UUID) -> HttpResponse:
    """Take over what the report says."""
    return go_on(request, uuid, Step.TAKE, after=Step.READ)


@login_required
@require_POST
def take_back(request: SignedInRequest, uuid: UUID) -> HttpResponse:
    return go_on(request, uuid, Step.BACK, after=Step.TAKE)


def go_on(request: SignedInRequest, uuid: UUID, step: Step, *, after: Step) -> HttpResponse:
    from secondsticks.labeling.tasks import send_import

    batch = get_import_for(request.user, uuid)
    with transaction.atomic():
        if batch.go_on(step, after=after):
            transaction.on_commit(lambda: send_import(batch), robust=True)
        else:
            messages.info(request, NOT_NOW)
    return redirect("labeling:import", uuid)


@login_required
@require_POST
def forget(request: SignedInRequest, uuid: UUID) -> HttpResponse:
    """Remove a file of which nothing was taken over."""
    batch = get_import_for(request.user, uuid)
    with transaction.atomic():
        unused = Import.objects.filter(pk=batch.pk, step=Step.READ, state__in=["done", "failed"])
        if unused.delete()[0]:
            transaction.on_commit(lambda: batch.file.unlink(missing_ok=True), robust=True)
        else:
            messages.info(request, NOT_NOW)
    return redirect("labeling:annotations", batch.project.uuid)

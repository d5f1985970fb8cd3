"""Pages of labelling: how the queue goes, and how a project labels."""

from __future__ import annotations

from dataclasses import asdict
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from secondsticks.footage.models import Role
from secondsticks.footage.permissions import SignedInRequest, get_project_for
from secondsticks.labeling.counting import progress_of
from secondsticks.labeling.forms import LabelingForm
from secondsticks.labeling.models import Batch, LabelingSettings
from secondsticks.labeling.permissions import get_project_to_label


@login_required
@require_safe
def queue(request: SignedInRequest, uuid: UUID) -> HttpResponse:
    """What waits and what is done; as JSON to whoever asks for JSON."""
    project = get_project_to_label(request.user, uuid)
    progress = progress_of(project)
    if not request.accepts("text/html"):
        return JsonResponse(asdict(progress))
    return render(request, "labeling/queue.html", {"project": project, "progress": progress})


@login_required
@require_safe
def label(request: SignedInRequest, uuid: UUID) -> HttpResponse:
    """The label page; `?frame=` opens that frame first, a labelled one too."""
    project = get_project_to_label(request.user, uuid)
    try:
        wanted = UUID(request.GET["frame"])
    except (KeyError, ValueError):
        wanted = None
    return render(request, "labeling/label.html", {"project": project, "wanted": wanted})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def label_settings(request: SignedInRequest, uuid: UUID) -> HttpResponse:
    """The form that the project's settings page shows."""
    project = get_project_for(request.user, uuid, Role.LEAD)
    form = LabelingForm(request.POST or None, instance=LabelingSettings.of(project.pk))
    if request.method == "POST" and form.is_valid():
        form.save()
        Batch.objects.filter(project=project, chosen=[]).delete()  # by these settings there may be more
        messages.success(request, "Labelling goes on with the new settings.")
        return redirect("footage:project-settings", uuid)
    status = 422 if form.is_bound else 200
    return render(request, "labeling/settings.html", {"project": project, "form": form}, status=status)

"""Pages of labelling: how the queue goes, and how a project labels."""

from __future__ import annotations

from dataclasses import asdict, replace
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from secondsticks.footage.models import Role
from secondsticks.footage.permissions import SignedInRequest, get_project_for
from secondsticks.labeling.counting import estimate_in, progress_of
from secondsticks.labeling.forms import LabelingForm
from secondsticks.labeling.models import Batch, LabelingSettings
from secondsticks.labeling.newest import labelled_last
from secondsticks.labeling.over_time import accepted_over_time
from secondsticks.labeling.permissions import get_project_to_label

#: Of the frames that decisions about clips labelled; the newest that people labelled come before them.
DERIVED_SHOWN = 6


@login_required
@require_safe
def queue(request: SignedInRequest, uuid: UUID) -> HttpResponse:
    """What waits and what is done; as JSON to whoever asks for JSON. Of other people only leads are told."""
    project = get_project_to_label(request.user, uuid)
    progress = progress_of(project)
    if not project.you_lead:
        name = request.user.get_username()
        progress = replace(progress, people=tuple(one for one in progress.people if one.name == name))
    if not request.accepts("text/html"):
        return JsonResponse(asdict(progress))
    shown = {
        "project": project,
        "progress": progress,
        "estimate": estimate_in(project),
        "chart": accepted_over_time(project),
        "newest": labelled_last(project, derived=False),
        "derived": labelled_last(project, derived=True)[:DERIVED_SHOWN] if progress.derived else [],
    }
    return render(request, "labeling/queue.html", shown)


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

"""The watched folders of a project: listed, added, paused, removed. For leads and admins."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.db.models.functions import Now
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from secondsticks.footage import watched_list
from secondsticks.footage.folders import FolderRefused
from secondsticks.footage.forms import WatchForm
from secondsticks.footage.models import Role, WatchedFolder
from secondsticks.footage.permissions import SignedInRequest, get_project_for, get_watched_folder_for
from secondsticks.footage.tasks import send_visit
from secondsticks.footage.views import settings_page
from secondsticks.footage.watched import Exports, ExportsRefused, add


@login_required
@require_safe
def watched_folders(request: SignedInRequest, uuid: UUID) -> HttpResponse:
    """The list, as the page asks for it again and again."""
    project = get_project_for(request.user, uuid, Role.LEAD)
    known = {"project": project, "watched": watched_list.of(project)}
    return render(request, "footage/_watched.html", known)


@login_required
@require_POST
def watch(request: SignedInRequest, uuid: UUID) -> HttpResponse:
    project = get_project_for(request.user, uuid, Role.LEAD)
    form = WatchForm(request.POST)
    if not form.is_valid():
        return settings_page(request, project, watch_form=form)
    said = form.cleaned_data
    exports = Exports(said["export_to"], said["formats"], said["include_unsure"]) if said["exports"] else None
    try:
        watched = add(project, said["watch"], exports)
    except FolderRefused as refused:
        form.add_error("export_to" if isinstance(refused, ExportsRefused) else "watch", str(refused))
        return settings_page(request, project, watch_form=form)
    send_visit(watched)
    messages.success(request, f"{watched} is being watched. Its clips appear once they are fully written.")
    return redirect("footage:project-settings", uuid)


@login_required
@require_POST
def pause(request: SignedInRequest, uuid: UUID) -> HttpResponse:
    """Pause, or with `paused=0` go on."""
    watched = get_watched_folder_for(request.user, uuid)
    is_paused = request.POST.get("paused") != "0"
    row = WatchedFolder.objects.filter(pk=watched.pk, is_paused=not is_paused)
    changed = row.update(is_paused=is_paused, due_at=Now(), queued_at=Now())
    if changed and not is_paused:
        send_visit(watched)
    return redirect("footage:project-settings", watched.project.uuid)


@login_required
@require_POST
def remove(request: SignedInRequest, uuid: UUID) -> HttpResponse:
    """Stop watching. Footage, clips and exports stay."""
    watched = get_watched_folder_for(request.user, uuid)
    with transaction.atomic():
        for row in WatchedFolder.objects.select_for_update().filter(pk=watched.pk):
            row.delete()
    messages.success(request, f"{watched} is watched no more. Its clips and exports stay.")
    return redirect("footage:project-settings", watched.project.uuid)

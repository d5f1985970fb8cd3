"""Pages about projects and their people."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from secondsticks.footage import folders, watched_list
from secondsticks.footage.forms import FolderForm, MemberForm, ProjectForm, RoleForm, WatchForm
from secondsticks.footage.models import ClipState, Membership, Project, Role
from secondsticks.footage.permissions import SignedInRequest, get_project_for
from secondsticks.footage.tasks import send_ingest

LAST_ADMIN = "A project keeps at least one admin. Make somebody else an admin first."


@login_required
@require_safe
def projects(request: SignedInRequest) -> HttpResponse:
    mine = Project.objects.for_user(request.user).annotate(
        clip_count=Count("clips", distinct=True),
        waiting=Count(
            "clips",
            distinct=True,
            filter=Q(clips__state__in=[ClipState.UPLOADED, ClipState.INGESTING]),
        ),
        refused=Count("clips", distinct=True, filter=Q(clips__state=ClipState.REFUSED)),
        member_count=Count("memberships", distinct=True),
    )
    return render(request, "footage/projects.html", {"projects": mine})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new_project(request: SignedInRequest) -> HttpResponse:
    form = ProjectForm(request.POST or None)
    form.fields["name"].widget.attrs["autofocus"] = True
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            form.instance.created_by = request.user
            project = form.save()
            Membership.objects.create(project=project, user=request.user, role=Role.ADMIN)
        return redirect(project)
    return render(request, "footage/new_project.html", {"form": form})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def project_settings(request: SignedInRequest, uuid: UUID) -> HttpResponse:
    """Show name and members to every member; let admins rename."""
    project = get_project_for(request.user, uuid, Role.ADMIN if request.method == "POST" else Role.ANNOTATOR)
    form = ProjectForm(request.POST or None, instance=project)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "The project has a new name.")
        return redirect("footage:project-settings", uuid)
    return settings_page(request, project, form=form)


def settings_page(
    request: SignedInRequest,
    project: Project,
    *,
    form: ProjectForm | None = None,
    member_form: MemberForm | None = None,
    watch_form: WatchForm | None = None,
) -> HttpResponse:
    wrong = (form is not None and form.is_bound) or member_form is not None or watch_form is not None
    shown = {
        "project": project,
        "members": project.memberships.select_related("user"),
        "form": form or ProjectForm(instance=project),
        "member_form": member_form or MemberForm(project=project),
        "roles": Role,
    }
    if project.you_lead:
        shown |= {"watched": watched_list.of(project), "roots": folders.allowed_roots()}
        shown |= {"watch_form": watch_form or WatchForm()}
    return render(request, "footage/project_settings.html", shown, status=422 if wrong else 200)


@login_required
@require_POST
def add_member(request: SignedInRequest, uuid: UUID) -> HttpResponse:
    project = get_project_for(request.user, uuid, Role.ADMIN)
    form = MemberForm(request.POST, project=project)
    if not form.is_valid():
        return settings_page(request, project, member_form=form)
    person, role = form.cleaned_data["person"], form.cleaned_data["role"]
    project.memberships.get_or_create(user=person, defaults={"role": role})
    messages.success(request, f"{person} is a member now.")
    return redirect("footage:project-settings", uuid)


@login_required
@require_POST
def change_member(request: SignedInRequest, uuid: UUID, member: int) -> HttpResponse:
    project = get_project_for(request.user, uuid, Role.ADMIN)
    form = RoleForm(request.POST)
    with transaction.atomic():
        membership = _locked_member(project, member)
        if not form.is_valid():
            messages.error(request, "There is no such role.")
        elif form.cleaned_data["role"] != Role.ADMIN and _is_last_admin(project, membership):
            messages.error(request, LAST_ADMIN)
        else:
            membership.role = form.cleaned_data["role"]
            membership.save(update_fields=["role"])
            messages.success(request, f"{membership.user} is {membership.get_role_display().lower()} now.")
    return redirect("footage:project-settings", uuid)


@login_required
@require_POST
def remove_member(request: SignedInRequest, uuid: UUID, member: int) -> HttpResponse:
    """Remove a member. Admins remove anybody; everybody may leave."""
    project = get_project_for(request.user, uuid)
    with transaction.atomic():
        membership = _locked_member(project, member)
        leaves = membership.user_id == request.user.pk
        if not leaves:
            get_project_for(request.user, uuid, Role.ADMIN)
        if _is_last_admin(project, membership):
            messages.error(request, LAST_ADMIN)
            return redirect("footage:project-settings", uuid)
        membership.delete()
    messages.success(request, f"{membership.user} has left {project}.")
    return redirect("footage:projects") if leaves else redirect("footage:project-settings", uuid)


def _locked_member(project: Project, member: int) -> Membership:
    """Fetch a member with the project locked, so that two admins cannot remove each other at once."""
    Project.objects.select_for_update().get(pk=project.pk)
    return get_object_or_404(project.memberships.select_related("user"), pk=member)


def _is_last_admin(project: Project, membership: Membership) -> bool:
    others = project.memberships.filter(role=Role.ADMIN).exclude(pk=membership.pk)
    return membership.role == Role.ADMIN and not others.exists()


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def register_folder(request: SignedInRequest, uuid: UUID) -> HttpResponse:
    project = get_project_for(request.user, uuid, Role.LEAD)
    roots = folders.allowed_roots()
    form = FolderForm(request.POST or None, initial={"folder": roots[0] if roots else ""})
    found = None
    if request.method == "POST" and form.is_valid():
        try:
            found = folders.register(project, form.cleaned_data["folder"], send_ingest=send_ingest)
        except folders.FolderRefused as refused:
            form.add_error("folder", str(refused))
    shown = {"project": project, "form": form, "roots": roots, "found": found}
    return render(request, "footage/folder.html", shown, status=422 if form.errors else 200)

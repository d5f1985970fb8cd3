"""Who may see and do what. Every view fetches its rows here, and nowhere else.

What is not yours and what is not there are the same 404. A member whose role is too small gets a 403.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from secondsticks.footage.models import Clip, Project, Role, SoundFile, Upload, WatchedFolder

if TYPE_CHECKING:
    from django.contrib.auth.models import User


class SignedInRequest(HttpRequest):
    """A request behind `login_required`."""

    user: User


def get_project_for(user: User, uuid: UUID, role: Role = Role.ANNOTATOR) -> Project:
    """Return the project if this person has at least that role in it; `project.role` is their role."""
    project = get_object_or_404(Project, uuid=uuid)
    _require(project, user, role)
    return project


def get_clip_for(user: User, uuid: UUID, role: Role = Role.ANNOTATOR) -> Clip:
    """Return the clip if this person has at least that role in its project."""
    clip = get_object_or_404(Clip.objects.select_related("project"), uuid=uuid)
    _require(clip.project, user, role)
    return clip


def get_sound_file_for(user: User, uuid: UUID, role: Role = Role.ANNOTATOR) -> SoundFile:
    """Return the sound file if this person has at least that role in its project."""
    sound_file = get_object_or_404(SoundFile.objects.select_related("project"), uuid=uuid)
    _require(sound_file.project, user, role)
    return sound_file


def get_watched_folder_for(user: User, uuid: UUID, role: Role = Role.LEAD) -> WatchedFolder:
    """Return the watched folder if this person has at least that role in its project."""
    watched = get_object_or_404(WatchedFolder.objects.select_related("project"), uuid=uuid)
    _require(watched.project, user, role)
    return watched


def get_upload_for(user: User, uuid: UUID) -> Upload:
    """Return an upload that this person began, while they are a member of its project."""
    upload = get_object_or_404(Upload.objects.select_related("project"), uuid=uuid, user=user)
    _require(upload.project, user, Role.ANNOTATOR)
    return upload


def _require(project: Project, user: User, needed: Role) -> None:
    role = project.role_of(user)
    if role is None:
        raise Http404
    if not role.covers(needed):
        raise PermissionDenied(f"This needs the role {needed.label.lower()} in the project.")
    project.role = role


def site_admin_required(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Let site superusers in; to everybody else who is signed in, the page does not exist."""

    @login_required
    @wraps(view)
    def guarded(request: HttpRequest, /, **kwargs: int) -> HttpResponse:
        if not request.user.is_superuser:
            raise Http404
        return view(request, **kwargs)

    return guarded

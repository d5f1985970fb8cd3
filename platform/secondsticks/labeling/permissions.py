"""Who may label. Membership and the frame come in one query, for this is asked at every answer."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import OuterRef, Subquery
from django.http import Http404

from secondsticks.footage.models import Membership, Project, Role
from secondsticks.labeling.models import QueuedFrame

if TYPE_CHECKING:
    from django.contrib.auth.models import User


def get_frame_for(user: User, uuid: UUID, *, lock: bool = False) -> QueuedFrame:
    """Return the frame if this person is a member of its project; `frame.project.role` is their role.

    `lock`: nobody else writes to it until the transaction ends.
    """
    found = QueuedFrame.objects.filter(uuid=uuid).select_related("project", "clip")
    found = found.annotate(role=_role_of(user, "project_id"))
    if lock:
        found = found.select_for_update(of=("self",), no_key=True)
    frame = found.first()
    if frame is None:
        raise Http404
    frame.project.role = _checked(user, frame.role)
    return frame


def get_project_to_label(user: User, uuid: UUID) -> Project:
    """Return the project if this person is a member of it."""
    project = Project.objects.filter(uuid=uuid).annotate(said_role=_role_of(user, "pk")).first()
    if project is None:
        raise Http404
    project.role = _checked(user, project.said_role)
    return project


def _role_of(user: User, project: str) -> Subquery:
    return Subquery(Membership.objects.filter(project=OuterRef(project), user=user.pk).values("role")[:1])


def _checked(user: User, role: str | None) -> Role:
    if user.is_superuser:
        return Role.ADMIN
    if role is None:
        raise Http404
    return Role(role)

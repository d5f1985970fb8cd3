"""Who may import: leads of the project."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.shortcuts import get_object_or_404

from secondsticks.footage.models import Role
from secondsticks.footage.permissions import get_project_for
from secondsticks.labeling.exchange.rows import Import

if TYPE_CHECKING:
    from django.contrib.auth.models import User


def get_import_for(user: User, uuid: UUID) -> Import:
    """Return the import if this person leads its project."""
    batch = get_object_or_404(Import.objects.select_related("project"), uuid=uuid)
    batch.project = get_project_for(user, batch.project.uuid, Role.LEAD)
    return batch

"""Projects as people name them on the command line."""

from __future__ import annotations

from uuid import UUID

from django.core.management.base import CommandError

from secondsticks.footage.models import Project


def project_named(said: str) -> Project:
    """By UUID or name. Raises CommandError."""
    try:
        found = list(Project.objects.filter(uuid=UUID(said)))
    except ValueError:
        found = list(Project.objects.filter(name=said))
    if len(found) != 1:
        which = "There is no project" if not found else f"{len(found)} projects are called"
        raise CommandError(f"{which} {said}; give its UUID, which is in the address of its pages.")
    return found[0]

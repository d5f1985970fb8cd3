"""`{% project_tabs project %}` and `{% more_settings project %}`: from page to page of a project."""

from __future__ import annotations

from typing import Any

from django import template
from django.urls import reverse

from secondsticks.footage.models import Project, Role
from secondsticks.footage.project_pages import SETTINGS, TABS, ProjectPage

register = template.Library()
SETTINGS_ROUTE = "footage:project-settings"


@register.inclusion_tag("footage/_tabs.html", takes_context=True)
def project_tabs(context: Any, project: Project) -> dict[str, Any]:
    """The tabs of a project's pages, with the one we are on."""
    last = ProjectPage("Settings" if project.you_lead else "Members", SETTINGS_ROUTE)
    here = context["request"].path
    return {
        "tabs": [(page.title, address, address == here) for page, address in _for(project, [*TABS, last])]
    }


@register.inclusion_tag("footage/_more_settings.html")
def more_settings(project: Project) -> dict[str, Any]:
    return {"pages": [(page.title, address) for page, address in _for(project, SETTINGS)]}


def _for(project: Project, pages: list[ProjectPage]) -> list[tuple[ProjectPage, str]]:
    role = project.role or Role.ANNOTATOR
    return [(page, reverse(page.route, args=[project.uuid])) for page in pages if role.covers(page.role)]

"""The setting that detection adds to the page of a project's settings."""

from __future__ import annotations

from typing import Any

from django import template

from secondsticks.detection.slate_page import is_on
from secondsticks.footage.models import Project
from training.slate_text import HOW_TO_INSTALL, is_installed

register = template.Library()


@register.inclusion_tag("detection/_slate_text_setting.html", takes_context=True)
def slate_text_setting(context: template.Context, project: Project) -> dict[str, Any]:
    return {
        "project": project,
        "is_on": is_on(project.pk),
        "is_installed": is_installed(),
        "how_to_install": HOW_TO_INSTALL,
        "csrf_token": context.get("csrf_token"),
    }

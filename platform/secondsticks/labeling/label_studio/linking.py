"""Linking a project to a Label Studio, and ending that."""

from __future__ import annotations

from django.db import transaction

from secondsticks.footage.models import Project
from secondsticks.labeling.label_studio import tokens
from secondsticks.labeling.label_studio.links import LabelStudioLink, LinkState


def link_to(project: Project, *, url: str, token: str, our_url: str, ml_url: str) -> LabelStudioLink:
    """Link a project, or change its link. The next sync makes what is missing there.

    Another server means another link: what the old one's tasks are called there means nothing any more.
    An empty token keeps the one that is there.
    """
    with transaction.atomic():
        Project.objects.select_for_update(no_key=True).get(pk=project.pk)
        link = LabelStudioLink.objects.filter(project=project).first()
        if link is not None and link.url != url:
            forget(link)
            link = None
        link = link or LabelStudioLink(project=project, url=url)
        if token:
            tokens.keep(link, token)
        link.our_url, link.ml_url = our_url, ml_url
        if link.pk is None:
            link.save()
        else:
            changed = {"our_url": our_url, "ml_url": ml_url, "state": LinkState.CONNECTING, "error": ""}
            LabelStudioLink.objects.filter(pk=link.pk).update(**changed, failures=0)
    return link


def forget(link: LabelStudioLink) -> None:
    """End a link. What people said stays here; Label Studio's project stays there."""
    LabelStudioLink.objects.filter(pk=link.pk).delete()


def on_link_deleted(sender, instance: LabelStudioLink, **kwargs) -> None:
    """Its token goes with it, also when a whole project does."""
    transaction.on_commit(lambda: tokens.forget(instance), robust=True)

"""Making what a link needs in Label Studio: project, view, webhook, ML backend. May be done again and again.

Everything is looked for before it is made, so a worker that dies in between leaves nothing double.
"""

from __future__ import annotations

import logging
from typing import Any

from django.conf import settings
from django.urls import reverse

from secondsticks.labeling.label_studio.holding import Hold
from secondsticks.labeling.label_studio.links import LabelStudioLink, LinkState
from secondsticks.labeling.label_studio.server import Fault, LabelStudioError, Sdk, talking
from secondsticks.labeling.label_studio.tasks_there import ASKED, CONFIG

log = logging.getLogger(__name__)

SECRET_HEADER = "X-Secondsticks-Secret"
ACTIONS = [
    *("ANNOTATION_CREATED", "ANNOTATIONS_CREATED", "ANNOTATION_UPDATED", "ANNOTATIONS_DELETED"),
    "TASKS_DELETED",
]
VIEW = "Second Sticks: the queue"
GONE = (
    "The project {number} is gone from Label Studio, or the token may not see it. What people said is kept "
    "here. Save the link again to make a new project there."
)
INSTRUCTION = (
    "Draw a box around each slate: 1 for open, 2 for closed. No slate: submit without a box. "
    "Skip what you cannot tell."
)


def webhook_url(link: LabelStudioLink) -> str:
    return link.our_url + reverse("labeling:label-studio-webhook", args=[link.uuid])


def establish(hold: Hold, sdk: Sdk) -> None:
    """Make sure that all is there. Raises LabelStudioError, Lost."""
    link = hold.link
    version = str(getattr(sdk.versions.get(), "release", "") or "")
    if version != link.version:
        hold.write(version=version[:40])
    _project(hold, sdk)
    _view(hold, sdk)
    _webhook(hold, sdk)
    _ml_backend(hold, sdk)


def _project(hold: Hold, sdk: Sdk) -> None:
    link = hold.link
    if link.ls_project is not None:
        try:
            with talking(link.url):
                sdk.projects.get(link.ls_project)
            return
        except LabelStudioError as error:
            if error.fault is not Fault.GONE:
                raise
            if link.state != LinkState.CONNECTING:
                raise LabelStudioError(GONE.format(number=link.ls_project), Fault.GONE) from None
    mark = f"Second Sticks {link.uuid}"
    title = f"{link.project.name}: slates"[:50]
    made = next((one for one in sdk.projects.list(title=title) if one.description == mark), None)
    if made is None:
        made = sdk.projects.create(
            title=title, description=mark, label_config=CONFIG, expert_instruction=INSTRUCTION,
            show_skip_button=True, enable_empty_annotation=True, maximum_annotations=1,
        )  # fmt: skip
    hold.write(ls_project=made.id, ls_view=None, ls_webhook=None, ls_ml=None, model_version="")


def view_wanted() -> dict[str, Any]:
    """The frames that are asked about, in the order of our queue."""
    asked = {"filter": "filter:tasks:data.asked", "operator": "equal", "type": "String", "value": ASKED}
    return {
        "title": VIEW,
        "ordering": ["tasks:data.place"],
        "filters": {"conjunction": "and", "items": [asked]},
    }


def _view(hold: Hold, sdk: Sdk) -> None:
    link = hold.link
    views = sdk.views.list(project=link.ls_project)
    found = next((one for one in views if dict(one.data or {}).get("title") == VIEW), None)
    if found is None:
        found = sdk.views.create(project=link.ls_project, data=view_wanted())
    elif dict(found.data).get("ordering") != view_wanted()["ordering"]:
        sdk.views.update(str(found.id), project=link.ls_project, data=view_wanted())
    if found.id != link.ls_view:
        hold.write(ls_view=found.id)


def _webhook(hold: Hold, sdk: Sdk) -> None:
    link = hold.link
    wanted = {
        "url": webhook_url(link), "headers": {SECRET_HEADER: link.webhook_secret}, "actions": ACTIONS,
        "is_active": True, "send_payload": True, "send_for_all_actions": False,
    }  # fmt: skip
    hooks = sdk.webhooks.list(project=str(link.ls_project))
    found = next((one for one in hooks if f"/{link.uuid}/" in one.url), None)
    if found is None:
        found = sdk.webhooks.create(project=link.ls_project, **wanted)
    elif _differs(found, wanted):
        sdk.webhooks.update(found.id, **wanted)
    if found.id != link.ls_webhook:
        hold.write(ls_webhook=found.id)


def _differs(found: Any, wanted: dict[str, Any]) -> bool:
    said = {name: getattr(found, name, None) for name in wanted}
    return (said | {"actions": sorted(map(str, said["actions"] or []))}) != (
        wanted | {"actions": sorted(ACTIONS)}
    )


def _ml_backend(hold: Hold, sdk: Sdk) -> None:
    """Connect it, if one is wanted; what hinders is said, and the link works without it."""
    link = hold.link
    is_as_wanted = (link.ls_ml is not None) == bool(link.ml_url) and not link.ml_error
    if is_as_wanted and link.state == LinkState.LINKED:
        return
    try:
        with talking(link.url):
            number = _connected(link, sdk)
    except LabelStudioError as error:
        log.info("%s: no ML backend: %s", link, error)
        hold.write(
            ls_ml=None,
            ml_error=f"Label Studio cannot use the ML backend at {link.ml_url}. Does it run, may Label "
            "Studio reach private addresses, and is its secret ours? Proposals are pushed all the same.",
        )
    else:
        hold.write(ls_ml=number, ml_error="")


def _connected(link: LabelStudioLink, sdk: Sdk) -> int | None:
    ours = None
    for one in sdk.ml.list(project=link.ls_project):
        if one.url.rstrip("/") == link.ml_url and link.ml_url:
            ours = one
        elif str(one.title) == VIEW:
            sdk.ml.delete(one.id)
    for hook in sdk.webhooks.list(project=str(link.ls_project)):
        if hook.url.endswith("/webhook") and hook.url != f"{link.ml_url}/webhook" and _is_ours(hook):
            sdk.webhooks.delete(hook.id)  # Label Studio leaves it behind
    if not link.ml_url:
        return None
    wanted = {
        "url": link.ml_url, "title": VIEW, "auth_method": "BASIC_AUTH",
        "basic_auth_user": "secondsticks", "basic_auth_pass": settings.ML_SECRET,
    }  # fmt: skip
    if ours is None:
        ours = sdk.ml.create(project=link.ls_project, **wanted)
    else:
        sdk.ml.update(ours.id, project=link.ls_project, **wanted)
    for hook in sdk.webhooks.list(project=str(link.ls_project)):
        if hook.url == f"{link.ml_url}/webhook" and not _is_ours(hook):
            # Label Studio makes this one itself, without the credentials that it was given.
            sdk.webhooks.update(hook.id, url=hook.url, headers={SECRET_HEADER: settings.ML_SECRET})
    return ours.id


def _is_ours(hook: Any) -> bool:
    return SECRET_HEADER in (hook.headers or {})

"""Whether a link works, both ways, and what to change where it does not: one sentence for each look.

The last look brings one frame there and back, in a project of its own that is deleted again.
"""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NamedTuple

from secondsticks.labeling import signed_pictures
from secondsticks.labeling.label_studio import bringing, establishing, tokens
from secondsticks.labeling.label_studio.addresses import same_place
from secondsticks.labeling.label_studio.links import LabelStudioLink
from secondsticks.labeling.label_studio.server import (
    VERSION,
    Fault,
    LabelStudioError,
    Sdk,
    connect,
    export_of,
    kind_of,
    talking,
)
from secondsticks.labeling.label_studio.tasks_there import CONFIG, data_of, tasks_in
from secondsticks.labeling.models import QueuedFrame
from training.label_studio import region
from training.slates import Box, State

#: Seconds that Label Studio's webhook may take to reach us, and that we wait for an answer of our own.
PATIENCE = 10.0
BLOCKED = (
    "If it refuses private addresses, start it with USE_DEFAULT_BANNED_SUBNETS=false and "
    "USER_ADDITIONAL_BANNED_SUBNETS=169.254.0.0/16."
)


class Finding(NamedTuple):
    works: bool
    sentence: str


def look(link: LabelStudioLink) -> Iterator[Finding]:
    """Look at everything, one after the other; ends where nothing further can work."""
    try:
        token = tokens.token_of(link)
        sdk = connect(link.url, token)
        with talking(link.url):
            said = sdk.versions.get()
            me = sdk.users.whoami()
    except (LabelStudioError, tokens.NoToken) as error:
        yield Finding(False, str(error))
        return
    version = str(getattr(said, "release", "") or "of an unknown version")
    yield Finding(True, f"We reach Label Studio {version} at {link.url}: {me.email}, by a {kind_of(token)}.")
    if version != VERSION:
        yield Finding(
            True,
            f"We tested with Label Studio {VERSION}: suspect that first where something is odd.",
        )
    yield from _tried(link, sdk, _project)
    yield from _picture(link)
    yield from _tried(link, sdk, _ml_backend)
    yield from _tried(link, sdk, _there_and_back)


def _tried(link: LabelStudioLink, sdk: Sdk, looked: Any) -> Iterator[Finding]:
    try:
        with talking(link.url):
            yield from list(looked(link, sdk))
    except LabelStudioError as error:
        yield Finding(False, str(error))


def _project(link: LabelStudioLink, sdk: Sdk) -> Iterator[Finding]:
    if link.ls_project is None:
        yield Finding(False, "There is no project in Label Studio yet: the next sync makes it.")
        return
    try:
        with talking(link.url):
            project = sdk.projects.get(link.ls_project)
    except LabelStudioError as error:
        if error.fault is not Fault.GONE:
            raise
        yield Finding(False, establishing.GONE.format(number=link.ls_project))
        return
    yield Finding(True, f"Its project {project.id}, {project.title}, is there.")
    controls = project.get_label_interface().controls
    labels = {name for one in controls if one.tag == "RectangleLabels" for name in one.labels_attrs}
    if not {str(state) for state in State} <= labels:
        yield Finding(False, f"Its label config was changed: put this one back. {CONFIG}")
    views = [one for one in sdk.views.list(project=project.id) if one.id == link.ls_view]
    if not views or dict(views[0].data or {}).get("ordering") != establishing.view_wanted()["ordering"]:
        yield Finding(False, "The queue's view is gone or in another order: the next sync puts it right.")
    hooks = [one for one in sdk.webhooks.list(project=str(project.id)) if one.id == link.ls_webhook]
    if not hooks or not hooks[0].is_active or hooks[0].url != establishing.webhook_url(link):
        yield Finding(False, "The webhook is gone, off, or goes elsewhere: the next sync puts it right.")


def _picture(link: LabelStudioLink) -> Iterator[Finding]:
    """What a browser on a page of Label Studio would see of a picture, asked from here."""
    frame = a_frame(link)
    if frame is None:
        yield Finding(True, "No frame has waited yet, so no picture could be tried.")
        return
    address = signed_pictures.address_of(frame, link)
    try:
        request = urllib.request.Request(address, headers={"Origin": link.origin})
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            allowed = answer.headers.get("Access-Control-Allow-Origin", "")
            kind = answer.headers.get("Content-Type", "")
    except (urllib.error.URLError, OSError, ValueError) as error:
        yield Finding(
            False,
            f"Pictures cannot be had at {link.our_url} ({error}). Give the address at which Label Studio and "
            "its people reach Second Sticks, and list it in SECONDSTICKS_ORIGIN.",
        )
        return
    if kind != "image/jpeg" or not (allowed == "*" or same_place(allowed, link.origin)):
        yield Finding(
            False,
            f"What answers at {link.our_url} does not let pages of {link.origin} read pictures (CORS): a "
            "proxy in between must pass Access-Control-Allow-Origin on.",
        )
    else:
        yield Finding(True, f"Pages of {link.origin} may read pictures from {link.our_url}.")


def _ml_backend(link: LabelStudioLink, sdk: Sdk) -> Iterator[Finding]:
    if not link.ml_url:
        yield Finding(True, "No ML backend is connected: proposals are pushed.")
        return
    for one in sdk.ml.list(project=link.ls_project) if link.ls_project else []:
        if one.url.rstrip("/") == link.ml_url:
            state = str(getattr(one.state, "value", one.state))
            if state == "CO":
                yield Finding(True, f"Label Studio reaches the ML backend at {link.ml_url}.")
            else:
                yield Finding(
                    False, f"Label Studio does not reach the ML backend at {link.ml_url}: start it. {BLOCKED}"
                )
            return
    yield Finding(
        False,
        f"The ML backend at {link.ml_url} is not connected in Label Studio: start it (`make run` does, with "
        f"a project linked), then sync. {BLOCKED}",
    )


def _there_and_back(link: LabelStudioLink, sdk: Sdk) -> Iterator[Finding]:
    """One frame as a task, an annotation of it, and that back as a box; the webhook of it should reach us."""
    frame = a_frame(link)
    if frame is None:
        yield Finding(True, "No frame has waited yet, so none could be sent there and back.")
        return
    project = sdk.projects.create(
        title="Second Sticks: doctor", description="May be deleted.", label_config=CONFIG
    )
    try:
        sdk.webhooks.create(
            project=project.id, url=establishing.webhook_url(link), actions=establishing.ACTIONS,
            headers={establishing.SECRET_HEADER: link.webhook_secret}, send_for_all_actions=False,
            send_payload=True, is_active=True,
        )  # fmt: skip
        before = LabelStudioLink.objects.get(pk=link.pk).heard_at
        yield _round_trip(link, sdk, project.id, frame)
        yield _heard(link, before)
    finally:
        with suppress(LabelStudioError), talking(link.url):
            sdk.projects.delete(project.id)


def _round_trip(link: LabelStudioLink, sdk: Sdk, project: int, frame: QueuedFrame) -> Finding:
    box = Box(frame.width * 0.25, frame.height * 0.25, frame.width * 0.5, frame.height * 0.5)
    drawn = region(box, State.OPEN, width=frame.width, height=frame.height, id="doctor")
    made = sdk.projects.import_tasks(project, request=[{"data": data_of(frame, link)}], return_task_ids=True)
    sdk.annotations.create((made.task_ids or [0])[0], result=[drawn], lead_time=1.0)
    (task,) = tasks_in(export_of(sdk, project)).get(frame.frame_key, [None])
    boxes = bringing.boxes_of(task.annotations[0].get("result"), frame) if task and task.annotations else []
    same = len(boxes) == 1 and all(abs(boxes[0][side] - getattr(box, side)) < 1 for side in "xywh")
    if same and boxes[0]["state"] == State.OPEN:
        return Finding(True, "A frame went there, was annotated, and came back with the same box.")
    return Finding(False, f"A frame went there and came back with {boxes} instead of {box}.")


def _heard(link: LabelStudioLink, before: Any) -> Finding:
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        if LabelStudioLink.objects.get(pk=link.pk).heard_at != before:
            return Finding(True, f"Label Studio reaches us at {link.our_url}: its webhook came.")
        time.sleep(0.2)
    return Finding(
        False,
        f"Label Studio's webhook did not reach us at {link.our_url}. Answers arrive later all the same. "
        "Try that address on Label Studio's machine; its host has a dot in it, or is localhost. "
        f"{BLOCKED}",
    )


def a_frame(link: LabelStudioLink) -> QueuedFrame | None:
    rows = QueuedFrame.objects.filter(project=link.project_id).exclude(picture_sha256="")
    return rows.select_related("clip", "checkpoint").order_by("-pk").first()

"""What is written on the slate: the part of the clip page that shows it, and the project's setting."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from secondsticks.detection import slate_page, slate_reading, tasks
from secondsticks.detection.decisions import Stale
from secondsticks.footage.models import Clip, Role
from secondsticks.footage.permissions import SignedInRequest, get_clip_for, get_project_for
from training.slate_text import NOT_INSTALLED, is_installed

STALE = "Somebody else filled this in a moment ago: this is what they wrote."
TURNED_ON = "Slates are read from now on, also those of the clips that are here."
TOO_LONG = f"At most {slate_page.LONGEST} letters in each field: this was not kept."


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def slate_text(request: SignedInRequest, uuid: UUID) -> HttpResponse:
    """The slate with its fields; POST accepts or corrects them."""
    clip = get_clip_for(request.user, uuid)
    if request.method != "POST":
        return _shown(request, clip)
    form = slate_page.SlateForm(request.POST)
    if not form.is_valid():
        return _shown(request, clip, TOO_LONG)
    try:
        slate_page.say(clip, request.user, form.fields_said, made_on=form.cleaned_data["made_on"])
    except Stale:
        return _shown(request, clip, STALE)
    return _shown(request, clip)


@login_required
@require_POST
def read_slate_again(request: SignedInRequest, uuid: UUID) -> HttpResponse:
    clip = get_clip_for(request.user, uuid)
    scan = slate_page.on_slate(clip).scan
    if scan is not None:
        slate_reading.read_again(scan, send=tasks.send_reading)
    return _shown(request, clip)


def _shown(request: SignedInRequest, clip: Clip, problem: str = "") -> HttpResponse:
    """The part of the page, for htmx; the whole page, with the problem on it, for a page without scripts."""
    if request.headers.get("HX-Request") != "true":
        if problem:
            messages.warning(request, problem)
        return redirect("detection:clip", clip.uuid)
    known = {"slate": slate_page.on_slate(clip), "clip": clip, "problem": problem}
    return render(request, "detection/_slate_text.html", known)


@login_required
@require_POST
def slate_text_setting(request: SignedInRequest, uuid: UUID) -> HttpResponse:
    """Turn the reading of a project's slates on or off."""
    project = get_project_for(request.user, uuid, Role.ADMIN)
    on = request.POST.get("is_on") == "on"
    if on and not is_installed():
        messages.error(request, NOT_INSTALLED)
    else:
        slate_page.turn(project.pk, on=on)
        said = (
            "Slates are read from now on, also those of the clips that are here."
            if on
            else "Slates are not read."
        )
        messages.success(request, said)
    return redirect("footage:project-settings", uuid)

"""Pages about recorders' files: a project's list of them, and the card on a clip's page."""

from __future__ import annotations

from uuid import UUID

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from secondsticks.detection import tasks
from secondsticks.detection.decisions import Impossible, Stale
from secondsticks.detection.sound_choices import FURTHEST, NUDGES, Choice, choose
from secondsticks.detection.sound_pages import SoundCard, SoundPage
from secondsticks.footage.models import Clip
from secondsticks.footage.permissions import SignedInRequest, get_clip_for, get_project_for

ACTIONS = ("choose", "set", "nudge", "unlink", "find")


class SoundForm(forms.Form):
    action = forms.ChoiceField(choices=[(name, name) for name in ACTIONS])
    made_on = forms.IntegerField(min_value=0, max_value=10**6)
    sound_file = forms.UUIDField(required=False)
    offset = forms.IntegerField(required=False, min_value=-FURTHEST, max_value=FURTHEST)
    nudge = forms.ChoiceField(required=False, choices=[(name, name) for name in NUDGES])


@login_required
@require_safe
def sound_files(request: SignedInRequest, uuid: UUID) -> HttpResponse:
    """A project's sound files; to htmx the list alone."""
    project = get_project_for(request.user, uuid)
    part = request.headers.get("HX-Request") == "true"
    template = "detection/_sound_files.html" if part else "detection/sound_files.html"
    return render(request, template, {"project": project, "page": SoundPage(project)})


@login_required
@require_safe
def sound_link(request: SignedInRequest, uuid: UUID) -> HttpResponse:
    """The card alone: what the page asks for while the sound is looked for."""
    return _card(request, SoundCard(get_clip_for(request.user, uuid)))


@login_required
@require_POST
def change_sound(request: SignedInRequest, uuid: UUID) -> HttpResponse:
    """Keep what a person says about a clip's sound. Answers with what the card now shows."""
    clip = get_clip_for(request.user, uuid)
    form = SoundForm(request.POST)
    if not form.is_valid():
        return _answer(request, clip, 422, "The offset is a whole number of samples.")
    try:
        choose(clip, request.user, _choice(clip, form.cleaned_data), send=tasks.send_link)
    except Stale:
        return _answer(request, clip, 409, "The link has changed since this page was made: see below.")
    except Impossible as error:
        return _answer(request, clip, 422, str(error))
    return _answer(request, clip, 200)


def _choice(clip: Clip, said: dict) -> Choice:
    file = clip.project.sound_files.filter(uuid=said["sound_file"]).first() if said["sound_file"] else None
    return Choice(said["action"], said["made_on"], file, said["offset"], said["nudge"])


def _answer(request: SignedInRequest, clip: Clip, status: int, said: str = "") -> HttpResponse:
    if request.headers.get("HX-Request") == "true":
        return _card(request, SoundCard(clip, said))  # always 200: htmx throws away what is not
    if said:
        return HttpResponse(said, status=status, content_type="text/plain; charset=utf-8")
    return redirect(f"{reverse('detection:clip', args=[clip.uuid])}#sound-link")


def _card(request: SignedInRequest, card: SoundCard) -> HttpResponse:
    return render(request, "detection/_sound_link.html", {"sound": card, "clip": card.clip})

"""The page that accepts many sure clips at once, and takes that back."""

from __future__ import annotations

from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from secondsticks.detection import bulk
from secondsticks.detection.views import uuid_in
from secondsticks.footage.permissions import SignedInRequest, get_project_for


class OverForm(forms.Form):
    over = forms.IntegerField(
        label="Confidence of each clap, at least (%)", min_value=bulk.LEAST, max_value=bulk.MOST
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def accept_sure(request: SignedInRequest, uuid: UUID) -> HttpResponse:
    """Say how many clips there are above the chosen confidence; POST accepts them."""
    project = get_project_for(request.user, uuid)
    asked = request.POST if request.method == "POST" else request.GET
    form = OverForm(asked if "over" in asked else {"over": bulk.USUAL})
    known: dict = {"project": project, "form": form}
    if not form.is_valid():
        return render(request, "detection/accept_sure.html", known, status=422)
    over = form.cleaned_data["over"]
    if request.method == "POST":
        batch = bulk.accept(project, request.user, over)
        return redirect(f"{reverse('detection:accept-sure', args=[uuid])}?over={over}&batch={batch}")
    known |= {"number": bulk.acceptable(project, over).count(), "over": over}
    done = uuid_in(request.GET.get("batch", ""))
    known |= {"batch": done, "accepted": bulk.clips_of(project, done) if done else 0}
    return render(request, "detection/accept_sure.html", known)


@login_required
@require_POST
def take_back(request: SignedInRequest, uuid: UUID, batch: UUID) -> HttpResponse:
    project = get_project_for(request.user, uuid)
    number = bulk.take_back(project, request.user, batch)
    messages.info(request, f"Taken back on {number} clip{'' if number == 1 else 's'}.")
    return redirect("detection:board", uuid)

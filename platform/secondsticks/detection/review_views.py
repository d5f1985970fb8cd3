"""Deciding on claps: the next clip to look at, frames and sound for its page, the decision itself."""

from __future__ import annotations

import json
from uuid import UUID

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from secondsticks.detection import bulk, filmstrip, pictures, waveform
from secondsticks.detection.board import counts_of
from secondsticks.detection.decisions import Impossible, Stale, Wanted, decide
from secondsticks.detection.models import DecisionKind, Scan
from secondsticks.detection.moves import ScanState
from secondsticks.detection.review import Review, next_clip, upcoming
from secondsticks.detection.statuses import with_scans
from secondsticks.detection.views import uuid_in
from secondsticks.footage.models import Clip
from secondsticks.footage.permissions import SignedInRequest, get_clip_for, get_project_for
from training.footage.facts import FootageError

#: So many frames of sound are given at once.
MOST_FRAMES = 100
#: Decisions after which the next clip comes, once nothing of this one is open.
MOVES_ON = (DecisionKind.ACCEPT, DecisionKind.MOVE, DecisionKind.MOS, DecisionKind.NO_SLATE)


class DecisionForm(forms.Form):
    kind = forms.ChoiceField(choices=DecisionKind.choices)
    made_on = forms.IntegerField(min_value=0, max_value=10**6)
    key = forms.CharField(max_length=64)
    clap = forms.UUIDField(required=False)
    frame = forms.IntegerField(required=False, min_value=0, max_value=10**9)


@login_required
@require_safe
def review(request: SignedInRequest, uuid: UUID) -> HttpResponse:
    """Go to the next clip that needs a look, `?after=` the one just seen; the end of it if there is none."""
    project = get_project_for(request.user, uuid)
    named = uuid_in(request.GET.get("after", ""))
    after = Clip.objects.filter(project=project, uuid=named).first() if named else None
    coming = next_clip(project, after)
    if coming is not None:
        came = f"?from={after.uuid}" if after else ""
        return redirect(reverse("detection:clip", args=[coming.uuid]) + came)
    counts, confirmed = counts_of(Clip.objects.filter(project=project))
    known = {"project": project, "counts": counts, "confirmed": confirmed, "came_from": after}
    known |= {"total": sum(counts.values()), "no_slate": counts["no slate"]}
    known["acceptable"] = bulk.acceptable(project, bulk.USUAL).exists()
    return render(request, "detection/reviewed.html", known)


@login_required
@require_POST
def decide_on(request: SignedInRequest, uuid: UUID) -> HttpResponse:
    """Keep a decision. Answers with what the page now shows; `X-Next` says where to go instead."""
    clip = get_clip_for(request.user, uuid)
    form = DecisionForm(request.POST)
    if not form.is_valid():
        return answer(request, clip, 422, "This decision could not be read. Load the page again.")
    try:
        decide(clip, request.user, wanted(clip, form.cleaned_data))
    except Stale:
        return answer(request, clip, 409, "Somebody else decided on this clip a moment ago: see below.")
    except Impossible as error:
        return answer(request, clip, 422, str(error))
    except filmstrip.Busy:
        return answer(request, clip, 503, "The server is busy. Try again in a moment.")
    return answer(request, clip, 200, kind=DecisionKind(form.cleaned_data["kind"]))


def wanted(clip: Clip, said: dict) -> Wanted:
    frame = said["frame"]
    seconds = None
    if said["kind"] in (DecisionKind.MOVE, DecisionKind.ADD) and frame is not None:
        try:
            seconds = filmstrip.seconds_at(clip, frame)
        except (FootageError, IndexError):
            raise Impossible("The clip has no such frame.") from None
    key = f"{said['kind']}/{said['key']}"  # another button pressed on the same page is another decision
    return Wanted(DecisionKind(said["kind"]), said["made_on"], key, said["clap"], frame, seconds)


def answer(
    request: SignedInRequest, clip: Clip, status: int, said: str = "", kind: DecisionKind | None = None
) -> HttpResponse:
    """The part of the page with the decisions; for a page without scripts, the page again."""
    onward = f"{reverse('detection:review', args=[clip.project.uuid])}?after={clip.uuid}"
    fresh = with_scans(Clip.objects.filter(pk=clip.pk)).get()
    fresh.project = clip.project
    shown = Review(fresh, upcoming(clip)) if has_result(fresh) else None
    moves_on = kind in MOVES_ON and shown is not None and shown.standing.is_confirmed
    if "application/json" not in request.headers.get("Accept", ""):
        if said:
            return HttpResponse(said, status=status, content_type="text/plain; charset=utf-8")
        return redirect(onward if moves_on else reverse("detection:clip", args=[clip.uuid]))
    if moves_on:
        return JsonResponse({"next": onward})
    page = render(request, "detection/_review.html", {"review": shown, "clip": fresh, "said": said})
    return JsonResponse({"html": page.content.decode()}, status=status)


def has_result(clip: Clip) -> bool:
    return Scan.objects.filter(clip=clip, is_current=True, state=ScanState.DONE).exists()


def _scan_of(clip: Clip) -> Scan:
    scan = Scan.objects.filter(clip=clip, is_current=True, state=ScanState.DONE).first()
    if scan is None:
        raise Http404
    scan.clip = clip
    return scan


@login_required
@require_safe
def frame(request: SignedInRequest, uuid: UUID, frame: int) -> HttpResponseBase:
    """The small picture of one frame; made now if it was not made with the scan."""
    clip = get_clip_for(request.user, uuid)
    scan = _scan_of(clip)
    if frame >= (clip.frames or 0):
        raise Http404
    try:
        file = filmstrip.frame_file(clip, scan, frame)
    except filmstrip.Busy:
        return HttpResponse(status=503, headers={"Retry-After": "5"})
    except (FootageError, IndexError):
        raise Http404 from None
    response = FileResponse(file.open("rb"), content_type="image/jpeg")
    response["Cache-Control"] = "private, max-age=86400"
    return response


@login_required
@require_safe
def sound(request: SignedInRequest, uuid: UUID) -> HttpResponse:
    """How loud each eighth of the frames `?first=` to `?last=` is, 0 to 255; 204 without sound."""
    clip = get_clip_for(request.user, uuid)
    scan = _scan_of(clip)
    first, last = (_number(request.GET.get(name, "0")) for name in ("first", "last"))
    last = min(last, first + MOST_FRAMES - 1, (clip.frames or 1) - 1)
    columns = waveform.read(pictures.folder_of(scan), first, last) if first <= last else None
    if columns is None:
        return HttpResponse(status=204)
    body = json.dumps({"first": first, "columns": columns, "perFrame": waveform.COLUMNS})
    response = HttpResponse(body, content_type="application/json")
    response["Cache-Control"] = "private, max-age=3600"
    return response


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0

"""The page on which leads link a project to a Label Studio, and the address at which that tells us of news.

Nothing here talks to Label Studio: a sync does, in a worker.
"""

from __future__ import annotations

from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.crypto import constant_time_compare
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from secondsticks.footage.models import Project, Role
from secondsticks.footage.permissions import SignedInRequest, get_project_for
from secondsticks.labeling.label_studio import bringing, linking, syncing
from secondsticks.labeling.label_studio.establishing import SECRET_HEADER
from secondsticks.labeling.label_studio.forms import LinkForm
from secondsticks.labeling.label_studio.links import LabelStudioAnswer, LabelStudioLink, Outcome
from secondsticks.labeling.tasks import send_sync

MOST_CONFLICTS = 50


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def label_studio(request: SignedInRequest, uuid: UUID) -> HttpResponse:
    """The link of a project: how it goes, and the form that makes it."""
    project = get_project_for(request.user, uuid, Role.LEAD)
    link = link_of(project)
    form = LinkForm(request.POST or None, link=link, initial=suggested(request, link))
    if request.method == "POST" and form.is_valid():
        made = linking.link_to(project, **form.cleaned_data)
        ask_for_sync(made)
        messages.success(request, "The link is saved; Label Studio is being asked.")
        return redirect("labeling:label-studio", uuid)
    shown = {"project": project, "form": form, **known_of(project)}
    return render(request, "labeling/label_studio.html", shown, status=422 if form.is_bound else 200)


def suggested(request: HttpRequest, link: LabelStudioLink | None) -> dict[str, str]:
    if link is not None:
        return {"url": link.url, "our_url": link.our_url, "ml_url": link.ml_url}
    ours = settings.ORIGINS[0] if settings.ORIGINS else request.build_absolute_uri("/").rstrip("/")
    return {"our_url": ours}


def link_of(project: Project) -> LabelStudioLink | None:
    return LabelStudioLink.objects.filter(project=project).select_related("project").first()


def known_of(project: Project) -> dict[str, object]:
    """How the link goes, for the page and the part of it that is asked for again."""
    link = link_of(project)
    if link is None:
        return {"link": None}
    conflicts = link.answers.filter(outcome=Outcome.CONFLICT).select_related("frame__clip").order_by("pk")
    return {
        "link": link,
        "there": link.tasks.count(),
        "kept": link.answers.filter(outcome=Outcome.KEPT).count(),
        "conflicts": conflicts[:MOST_CONFLICTS],
        "is_checking": link.is_to_be_checked,
        "at_loopback": urlsplit(link.url).hostname in ("localhost", "127.0.0.1", "::1"),
    }


@login_required
@require_safe
def state(request: SignedInRequest, uuid: UUID) -> HttpResponse:
    """How the link goes, as the page asks for it again and again."""
    project = get_project_for(request.user, uuid, Role.LEAD)
    return render(request, "labeling/_label_studio.html", {"project": project, **known_of(project)})


@login_required
@require_POST
def sync_now(request: SignedInRequest, uuid: UUID) -> HttpResponse:
    """Sync now; with `check=1`, let the doctor look first."""
    project = get_project_for(request.user, uuid, Role.LEAD)
    link = link_of(project)
    if link is not None:
        if request.POST.get("check") == "1":
            LabelStudioLink.objects.filter(pk=link.pk).update(check_asked_at=Now())
        ask_for_sync(link)
    return redirect("labeling:label-studio", uuid)


@login_required
@require_POST
def unlink(request: SignedInRequest, uuid: UUID) -> HttpResponse:
    project = get_project_for(request.user, uuid, Role.LEAD)
    link = link_of(project)
    if link is not None:
        linking.forget(link)
        messages.success(
            request, f"No longer linked. What people said stays here, and {link.url} keeps its project."
        )
    return redirect("labeling:label-studio", uuid)


@login_required
@require_POST
def settle(request: SignedInRequest, uuid: UUID) -> HttpResponse:
    """Settle a conflict: `take=theirs` makes Label Studio's answer this lead's word, `ours` leaves ours."""
    project = get_project_for(request.user, uuid, Role.LEAD)
    number = request.POST.get("answer", "")
    known = LabelStudioAnswer.objects.filter(link__project=project)
    answer = known.filter(pk=int(number) if number.isascii() and number.isdigit() else 0).first()
    if answer is not None:
        theirs = request.POST.get("take") == "theirs"
        settled = bringing.use(answer, request.user) if theirs else bringing.dismiss(answer)
        if not settled:
            messages.warning(request, "That was settled already.")
    return redirect("labeling:label-studio", uuid)


@csrf_exempt
@require_POST
def webhook(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """News from Label Studio. Its secret header lets it in; what it says is not read: the sync asks."""
    link = get_object_or_404(LabelStudioLink, uuid=uuid)
    said = request.headers.get(SECRET_HEADER, "")
    if not constant_time_compare(said.encode(), link.webhook_secret.encode()):
        raise PermissionDenied("The webhook's secret is not right.")
    LabelStudioLink.objects.filter(pk=link.pk).update(heard_at=Now())
    ask_for_sync(link)
    return JsonResponse({"status": "queued"}, status=202)


def ask_for_sync(link: LabelStudioLink) -> None:
    with transaction.atomic():
        syncing.hint(link)
        transaction.on_commit(lambda: send_sync(link), robust=True)  # the sweep sends what was not sent

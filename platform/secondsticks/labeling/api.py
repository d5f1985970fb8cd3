"""The labelling API: what the label page asks for, in JSON, by session and CSRF token (docs/labelling.md).

    POST projects/<uuid>/label/next/   {holding?: [frame uuids]}                -> {frame} or {frame: null}
    POST frames/<uuid>/take/           {}                                       -> {frame, annotation}
    POST frames/<uuid>/save/           {key, token, made_on, boxes, seconds?}   -> {annotation}
    POST frames/<uuid>/skip/           {key, token, made_on, reason, seconds?}  -> {annotation}
    POST frames/<uuid>/undo/           {key, made_on}                           -> {frame, annotation}
    POST frames/<uuid>/keep-lease/     {token}                                  -> {seconds}
    POST frames/<uuid>/release/        {token}                                  -> {released}
    GET  frames/<uuid>/draft/                                                   -> {draft}
    PUT  frames/<uuid>/draft/          {boxes, made_on}                         -> {draft}
    GET  frames/<uuid>/history/                                                 -> {versions, agreement, …}
    GET  frames/<uuid>/compare/?of=1&with=2                                     -> {changes, agreement}

Errors are {error: sentence}: 400 what was sent cannot be used, 401 sign in again, 404 not there or not yours,
409 with {kind: "lease" | "stale" | "nothing", version, yours, theirs}: nothing was saved.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from functools import wraps
from typing import Any
from uuid import UUID

from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from secondsticks.footage.permissions import SignedInRequest
from secondsticks.labeling import agreement, bodies, documents, queue
from secondsticks.labeling import history as versions
from secondsticks.labeling.bodies import BadBody, Said
from secondsticks.labeling.models import Annotation, Draft, FrameState, QueuedFrame, SkipReason
from secondsticks.labeling.permissions import get_frame_for, get_project_to_label
from secondsticks.labeling.queue import Answer, Conflict, OpenFrame

SIGN_IN = "You are not signed in any more. Sign in in another tab, then send this again: your draft is kept."
View = Callable[..., dict[str, Any]]


def json_api(*methods: str) -> Callable[[View], Callable[..., HttpResponse]]:
    """Make a view of a function that gets what was sent and gives what to answer."""

    def make(answer: View) -> Callable[..., HttpResponse]:
        @never_cache
        @require_http_methods(list(methods))
        @wraps(answer)
        def view(request: HttpRequest, /, **named: Any) -> HttpResponse:
            if not request.user.is_authenticated:
                return JsonResponse({"error": SIGN_IN}, status=401)
            said: Said = {}
            try:
                said = bodies.read(request.body) if request.method in ("POST", "PUT") else {}
                return JsonResponse(answer(request, said, **named))
            except BadBody as error:
                return JsonResponse({"error": str(error)}, status=400)
            except Conflict as conflict:
                return JsonResponse(conflict_document(conflict, said), status=409)

        return view

    return make


def conflict_document(conflict: Conflict, said: Said) -> dict[str, Any]:
    """Both: what was sent, and what is there."""
    newest = conflict.newest
    return {
        "error": str(conflict),
        "kind": conflict.kind,
        "version": conflict.frame.version,
        "yours": {"boxes": said.get("boxes"), "skip_reason": said.get("reason", "")},
        "theirs": documents.annotation(newest) if newest else None,
    }


@json_api("POST")
def next_frame(request: SignedInRequest, said: Said, uuid: UUID) -> dict[str, Any]:
    """Lease the best free frame, or one that this person had open and does not name in `holding`."""
    project = get_project_to_label(request.user, uuid)
    holding = bodies.uuids_in(said, "holding", most=queue.MOST_HELD)
    found = queue.next_frame(request.user, project, holding=holding)
    return {"frame": documents.open_frame(found) if found else None}


@json_api("POST")
def take(request: SignedInRequest, said: Said, uuid: UUID) -> dict[str, Any]:
    """Lease this frame, to look at it again; with what this person said about it."""
    return open_again(queue.take(request.user, uuid), request)


def open_again(found: OpenFrame, request: SignedInRequest) -> dict[str, Any]:
    own = Annotation.objects.filter(frame=found.frame, by=request.user).select_related("undoes")
    mine = own.order_by("-number").first()
    return {"frame": documents.open_frame(found), "annotation": documents.annotation(mine) if mine else None}


@json_api("POST")
def save(request: SignedInRequest, said: Said, uuid: UUID) -> dict[str, Any]:
    def read(frame: QueuedFrame) -> Answer:
        boxes = bodies.boxes_in(said, width=frame.width, height=frame.height)
        return answer_in(said, boxes=boxes)

    return {"annotation": documents.annotation(queue.save(request.user, uuid, read))}


@json_api("POST")
def skip(request: SignedInRequest, said: Said, uuid: UUID) -> dict[str, Any]:
    def read(frame: QueuedFrame) -> Answer:
        return answer_in(said, skip_reason=bodies.choice_in(said, "reason", SkipReason.values))

    return {"annotation": documents.annotation(queue.save(request.user, uuid, read))}


def answer_in(said: Said, **what: Any) -> Answer:
    return Answer(
        key=bodies.key_in(said),
        token=bodies.uuid_in(said, "token"),
        made_on=bodies.version_in(said),
        seconds=bodies.seconds_in(said),
        **what,
    )


@json_api("POST")
def undo(request: SignedInRequest, said: Said, uuid: UUID) -> dict[str, Any]:
    """Take back this person's last word, and lease the frame to them again."""
    key, made_on = bodies.key_in(said), bodies.version_in(said)
    return open_again(queue.undo(request.user, uuid, key=key, made_on=made_on), request)


@json_api("POST")
def keep_lease(request: SignedInRequest, said: Said, uuid: UUID) -> dict[str, Any]:
    frame = get_frame_for(request.user, uuid)
    return {"seconds": queue.keep_lease(request.user, frame, bodies.uuid_in(said, "token"))}


@json_api("POST")
def release(request: SignedInRequest, said: Said, uuid: UUID) -> dict[str, Any]:
    frame = get_frame_for(request.user, uuid)
    return {"released": queue.release(request.user, frame, bodies.uuid_in(said, "token"))}


@json_api("GET", "HEAD", "PUT")
def draft(request: SignedInRequest, said: Said, uuid: UUID) -> dict[str, Any]:
    """What this person has drawn and not saved. Kept without a lease too, so that nothing is ever lost."""
    frame = get_frame_for(request.user, uuid)
    if request.method == "PUT":
        boxes = bodies.boxes_in(said, width=frame.width, height=frame.height, finished=False)
        drawn = {"boxes": boxes, "made_on": bodies.version_in(said), "at": Now()}
        Draft.objects.bulk_create(
            [Draft(frame=frame, person=request.user, **drawn)],
            update_conflicts=True,
            unique_fields=["frame", "person"],
            update_fields=list(drawn),
        )
    kept = Draft.objects.filter(frame=frame, person=request.user).values("boxes", "made_on").first()
    return {"draft": kept}


def versions_to_show(request: SignedInRequest, frame: QueuedFrame) -> list[Annotation]:
    """All versions; only their own to an annotator whose opinion is still wanted, so that it is their own."""
    rows = Annotation.objects.filter(frame=frame).select_related("undoes").order_by("number")
    asked = frame.state == FrameState.WAITING and request.user.pk not in frame.people
    if asked and not frame.project.you_lead:
        rows = rows.filter(by=request.user)
    return list(rows)


@json_api("GET", "HEAD")
def history(request: SignedInRequest, said: Said, uuid: UUID) -> dict[str, Any]:
    frame = get_frame_for(request.user, uuid)
    shown = versions_to_show(request, frame)
    whole = len(shown) == frame.version
    return {
        "state": frame.state,
        "version": frame.version,
        "versions": [documents.annotation(row) for row in shown],
        "agreement": agreement.agreement_of_all(versions.opinions_of(frame)) if whole else None,
    }


@json_api("GET", "HEAD")
def compare(request: SignedInRequest, said: Said, uuid: UUID) -> dict[str, Any]:
    """What changed from version `?of=` to version `?with=`; one without boxes counts as none."""
    frame = get_frame_for(request.user, uuid)
    numbers = {name: _number(request.GET.get(name, "")) for name in ("of", "with")}
    found = {row.number: row for row in versions_to_show(request, frame)}
    if not all(number in found for number in numbers.values()):
        raise BadBody("of, with: give the numbers of two versions of this frame.")
    before, after = (found[number].boxes or [] for number in numbers.values())
    return {
        **{name: documents.annotation(found[number]) for name, number in numbers.items()},
        "changes": [asdict(change) for change in agreement.changes(before, after)],
        "agreement": agreement.agreement(before, after),
    }


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 8 else -1

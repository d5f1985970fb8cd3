"""Pictures of frames for the browsers of Label Studio's people, who have no session with us.

An address is signed for one frame and ends after DAYS; it works only while the frame's project is linked, and
only pages of the linked server may read what it shows. The sync renews addresses long before they end.
"""

from __future__ import annotations

from datetime import timedelta

from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.views.decorators.http import require_safe

from secondsticks import store
from secondsticks.labeling.label_studio.addresses import same_place
from secondsticks.labeling.label_studio.links import LabelStudioLink
from secondsticks.labeling.models import QueuedFrame
from secondsticks.labeling.pictures import NO_STORE, kept_by_browsers
from training.store import StoreError, Trouble

DAYS = 30
_SALT = "secondsticks.labeling.signed-pictures"


def address_of(frame: QueuedFrame, link: LabelStudioLink) -> str:
    """Where a browser finds the picture, for DAYS from now."""
    signed = signing.TimestampSigner(salt=_SALT).sign(frame.uuid.hex)
    return link.our_url + reverse("labeling:signed-picture", args=[signed])


def is_fresh(address: str, frame: QueuedFrame, link: LabelStudioLink) -> bool:
    """Whether an address is this frame's and will work for half its time at least."""
    begin, end = reverse("labeling:signed-picture", args=["0"]).rsplit("0", 1)
    begin = link.our_url + begin
    if not (address.startswith(begin) and address.endswith(end)):
        return False
    signed = address.removeprefix(begin).removesuffix(end)
    return _frame_in(signed, timedelta(days=DAYS / 2)) == frame.uuid.hex


def _frame_in(signed: str, most: timedelta) -> str | None:
    try:
        return signing.TimestampSigner(salt=_SALT).unsign(signed, max_age=most)
    except signing.BadSignature:
        return None


@require_safe
def signed_picture(request: HttpRequest, signed: str) -> HttpResponseBase:
    """The whole frame, as a JPEG, to whoever has its address."""
    found = _frame_in(signed, timedelta(days=DAYS))
    rows = QueuedFrame.objects.select_related("clip", "project__label_studio")
    frame = rows.filter(uuid=found, project__label_studio__isnull=False).first() if found else None
    if frame is None or not frame.picture_sha256:
        raise Http404
    etag = f'"{frame.picture_sha256}"'
    if request.headers.get("If-None-Match", "") == etag:
        return readable_there(HttpResponse(status=304), request, frame, etag)
    try:
        content = store.store().get(frame.picture_key)
    except StoreError as error:
        if error.trouble == Trouble.MISSING:
            raise Http404 from None
        return HttpResponse(NO_STORE, status=503, content_type="text/plain", headers={"Retry-After": "5"})
    return readable_there(HttpResponse(content, content_type="image/jpeg"), request, frame, etag)


def readable_there(
    response: HttpResponse, request: HttpRequest, frame: QueuedFrame, etag: str
) -> HttpResponse:
    """Let pages of the linked Label Studio read it, and no others."""
    allowed = frame.project.label_studio.origin
    asking = request.headers.get("Origin", "")
    response["Access-Control-Allow-Origin"] = asking if asking and same_place(asking, allowed) else allowed
    response["Vary"] = "Origin"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    kept_by_browsers(response, etag)
    del response["Accept-Ranges"]
    return response

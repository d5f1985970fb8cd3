"""Roles × routes of labelling. Walked by tests/test_permissions.py."""

from datetime import timedelta
from io import BytesIO
from uuid import UUID

from PIL import Image

from tests.routes import Route

TOKEN = UUID("5ecd5ecd-0000-4000-8000-000000000001")
SAID = {"key": "a key", "token": str(TOKEN), "made_on": 0}
NO_LEASE = (409,)  # nobody has the frame open; who may open it is in other tests


def route(name: str, *, on: str = "queued", ok: tuple[int, ...] = (200,), **form) -> Route:
    """An address that JSON is posted to."""
    return Route(
        f"labeling:{name}", needs="annotator", methods=("POST",), args=(on,), ok=ok, form=form, json=True
    )


ROUTES = [
    Route("labeling:queue", needs="annotator", args=("project",)),
    Route("labeling:label", needs="annotator", args=("project",)),
    Route(
        "labeling:settings", needs="lead", methods=("GET", "HEAD", "POST"), args=("project",), form={
            "strategy": "diverse", "batch_size": "20", "random_percent": "10", "second_percent": "5",
            "second_opinions": "2", "lease_minutes": "5",
        },
    ),
    route("next", on="project"),
    route("take"),
    route("save", ok=NO_LEASE, boxes=[], **SAID),
    route("skip", ok=NO_LEASE, reason="unsure", **SAID),
    route("undo", ok=NO_LEASE, **SAID),
    route("keep-lease", ok=NO_LEASE, **SAID),
    route("release", **SAID),
    Route(
        "labeling:draft", needs="annotator", methods=("GET", "HEAD", "PUT"), args=("queued",),
        form={"boxes": [], "made_on": 0}, json=True,
    ),
    Route("labeling:history", needs="annotator", args=("queued",)),
    Route("labeling:annotations", needs="lead", args=("project",)),
    Route("labeling:annotations-zip", needs="lead", args=("project",)),
    Route("labeling:import-file", needs="lead", methods=("POST",), args=("project",), ok=(422,)),
    Route("labeling:import", needs="lead", args=("import",)),
    Route("labeling:import-take", needs="lead", methods=("POST",), args=("import",)),
    Route("labeling:import-take-back", needs="lead", methods=("POST",), args=("import",)),
    Route("labeling:import-forget", needs="lead", methods=("POST",), args=("import",)),
    Route("labeling:compare", needs="annotator", args=("queued",), ok=(400,)),
    Route("labeling:picture", needs="annotator", args=("queued",)),
    Route("labeling:small-picture", needs="annotator", args=("queued",)),
    Route("labeling:neighbour", needs="annotator", args=("queued", "frame")),
    Route(
        "labeling:label-studio", needs="lead", methods=("GET", "HEAD", "POST"), args=("project",), form={
            "url": "http://127.0.0.1:9", "token": "a.b.c", "our_url": "http://127.0.0.1:8000", "ml_url": "",
        },
    ),
    Route("labeling:label-studio-state", needs="lead", args=("project",)),
    Route(
        "labeling:label-studio-sync", needs="lead", methods=("POST",), args=("project",), form={"check": "1"}
    ),
    Route("labeling:label-studio-settle", needs="lead", methods=("POST",), args=("project",)),
    Route("labeling:label-studio-unlink", needs="lead", methods=("POST",), args=("project",)),
    # Its secret header lets in whoever has it, and nobody else: a CSRF token is no use there.
    Route("labeling:label-studio-webhook", methods=("POST",), args=("link",), ok=(403,)),
    Route("labeling:signed-picture", args=("signed",)),
]  # fmt: skip


def furnish(clip) -> dict[str, object]:
    """A frame in the queue with its picture, and a neighbour that was made before."""
    from hashlib import sha256

    from django.db.models.functions import Now

    from secondsticks.labeling import pictures, signed_pictures
    from secondsticks.labeling.models import Import, LabelStudioLink, QueuedFrame
    from secondsticks.store import store

    picture = BytesIO()
    Image.new("RGB", (16, 9)).save(picture, "JPEG")
    queued = QueuedFrame(
        project=clip.project, clip=clip, frame=10, pts=10, timecode="01:00:00:10", width=1920, height=1080,
        picture_sha256=sha256(picture.getvalue()).hexdigest(), batch=1,
        leased_until=Now() - timedelta(hours=1), lease_token=TOKEN,
    )  # fmt: skip
    queued.save()
    store().put(queued.picture_key, picture.getvalue())
    near = pictures.folder_of(clip)
    near.mkdir(parents=True)
    (near / "12.jpg").write_bytes(picture.getvalue())
    link = LabelStudioLink.objects.create(
        project=clip.project, url="http://127.0.0.1:9", our_url="http://127.0.0.1:8000"
    )
    signed = signed_pictures.address_of(queued, link).rpartition("/")[2].removesuffix(".jpg")
    batch = Import.objects.create(project=clip.project, name="a.json", size=2, sha256="ab" * 32, source="a")
    return {"import": batch.uuid, "queued": queued.uuid, "link": link.uuid, "signed": signed}

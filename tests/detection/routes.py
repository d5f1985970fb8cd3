"""Roles × routes of detection. Walked by tests/test_permissions.py."""

from uuid import uuid4

from PIL import Image

from tests.routes import Route

ACCEPT = {"kind": "mos", "made_on": "0", "key": "a key"}
ROUTES = [
    Route("detection:board", needs="annotator", args=("project",)),
    Route("detection:board-clips", needs="annotator", args=("project",)),
    Route("detection:project-export", needs="annotator", args=("project", "format")),
    Route("detection:clip", needs="annotator", args=("clip",)),
    Route("detection:clip-progress", needs="annotator", args=("clip",)),
    Route("detection:clip-export", needs="annotator", args=("clip", "format")),
    Route("detection:scan-again", needs="annotator", methods=("POST",), args=("clip",)),
    Route("detection:cancel-scan", needs="annotator", methods=("POST",), args=("clip",)),
    Route(
        "detection:accept-sure",
        needs="annotator",
        methods=("GET", "HEAD", "POST"),
        args=("project",),
        form={"over": "90"},
    ),
    Route("detection:take-back", needs="annotator", methods=("POST",), args=("project", "batch")),
    Route("detection:contact-sheet", needs="annotator", args=("project",)),
    Route("detection:contact-sheet-pdf", needs="annotator", args=("project",)),
    Route("detection:slate", needs="annotator", args=("scan",)),
    Route("detection:review", needs="annotator", args=("project",)),
    Route("detection:decide", needs="annotator", methods=("POST",), args=("clip",), form=ACCEPT),
    Route("detection:clip-frame", needs="annotator", args=("clip", "frame")),
    Route("detection:clip-sound", needs="annotator", args=("clip",)),
    Route("detection:sound-files", needs="annotator", args=("project",)),
    Route("detection:sound-link", needs="annotator", args=("clip",)),
    Route(
        "detection:change-sound",
        needs="annotator",
        methods=("POST",),
        args=("clip",),
        form={"action": "unlink", "made_on": "0"},
    ),
    Route(
        "detection:slate-text",
        needs="annotator",
        methods=("GET", "HEAD", "POST"),
        args=("clip",),
        form={"made_on": "0", "scene": "12A"},
    ),
    Route("detection:read-slate-again", needs="annotator", methods=("POST",), args=("clip",)),
    Route("detection:slate-text-setting", needs="admin", methods=("POST",), args=("project",)),
    Route("detection:clap-closed", needs="annotator", args=("clap",)),
    Route("detection:clap-open", needs="annotator", args=("clap",)),
]


def furnish(clip) -> dict[str, object]:
    """A finished scan of the clip with one clap and its pictures."""
    from secondsticks.detection import pictures
    from secondsticks.detection.models import Checkpoint, Clap, Scan

    checkpoint = Checkpoint.objects.create(name="day 0", architecture="fake", sha256="ab" * 32)
    scan = Scan.objects.create(
        clip=clip, state="done", verdict="sure", checkpoint=checkpoint, slate_picture="slate.jpg"
    )
    clap = Clap.objects.create(
        scan=scan, frame=12, last_open=11, timecode="01:00:00:12", seconds=0.5, confidence=0.9,
        picture="12.jpg", open_picture="11.jpg",
    )  # fmt: skip
    folder = pictures.folder_of(scan)
    folder.mkdir(parents=True)
    for name in ("11.jpg", "12.jpg", "slate.jpg"):
        Image.new("RGB", (16, 9)).save(folder / name)
    (folder / "strip").mkdir()
    (folder / "strip" / "12.jpg").write_bytes(b"a picture")
    return {"clap": clap.uuid, "format": "all", "frame": 12, "scan": scan.uuid, "batch": uuid4()}

"""Roles × routes of footage. Walked by tests/test_permissions.py."""

from tests.routes import Route

READ = ("GET", "HEAD")
FORM = ("GET", "HEAD", "POST")
TUS = {"Tus-Resumable": "1.0.0"}

ROUTES = [
    Route("footage:projects", needs="outsider"),
    Route("footage:password", needs="outsider", methods=FORM),
    Route("footage:people", needs="site_admin", methods=FORM, form={"username": "new"}),
    Route("footage:new-password", needs="site_admin", methods=("POST",), args=("person",)),
    Route("footage:new-project", needs="outsider", methods=FORM, form={"name": "New"}),
    Route(
        "footage:project-settings",
        needs={"GET": "annotator", "HEAD": "annotator", "POST": "admin"},
        methods=FORM,
        args=("project",),
        form={"name": "New"},
    ),
    Route(
        "footage:add-member",
        needs="admin",
        methods=("POST",),
        args=("project",),
        form={"person": "out", "role": "lead"},
    ),
    Route(
        "footage:change-member",
        needs="admin",
        methods=("POST",),
        args=("project", "member"),
        form={"role": "lead"},
    ),
    Route("footage:remove-member", needs="admin", methods=("POST",), args=("project", "member")),
    Route("footage:register-folder", needs="lead", methods=FORM, args=("project",), ok=(200, 422)),
    Route("footage:watched-folders", needs="lead", args=("project",)),
    Route("footage:watch-folder", needs="lead", methods=("POST",), args=("project",), ok=(302, 422)),
    Route("footage:pause-watched", needs="lead", methods=("POST",), args=("watched",)),
    Route("footage:remove-watched", needs="lead", methods=("POST",), args=("watched",)),
    Route(
        "footage:project-upload",
        needs="annotator",
        methods=("POST", "OPTIONS"),
        args=("project",),
        headers={**TUS, "Upload-Length": "7"},
        ok=(201, 204),
    ),
    Route(
        "footage:upload",
        only="annotator",
        methods=("HEAD", "PATCH", "DELETE", "OPTIONS"),
        args=("upload",),
        headers={**TUS, "Upload-Offset": "0", "Content-Length": "0"},
        ok=(200, 204, 415),  # a PATCH without a piece of a file
    ),
    # No bucket is configured here: who may is told so, and a store that is not there cannot be asked.
    Route("footage:project-multipart", needs="annotator", methods=("POST",), args=("project",), ok=(409,)),
    Route(
        "footage:multipart",
        only="annotator",
        methods=("GET", "DELETE"),
        args=("multipart",),
        ok=(204, 502),
    ),
    Route(
        "footage:multipart-parts",
        only="annotator",
        methods=("POST",),
        args=("multipart",),
        ok=(400,),
    ),
    Route(
        "footage:multipart-complete",
        only="annotator",
        methods=("POST",),
        args=("multipart",),
        ok=(502,),
    ),
    Route("footage:clip-video", needs="annotator", args=("clip",)),
    Route("footage:clip-source", needs="annotator", args=("clip",)),
    Route("footage:clip-poster", needs="annotator", args=("clip",)),
    Route("footage:clip-try-again", needs="annotator", methods=("POST",), args=("clip",)),
    Route("footage:clip-remove", needs="lead", methods=("POST",), args=("clip",)),
    Route("footage:sound-source", needs="annotator", args=("sound",)),
    Route("footage:sound-try-again", needs="annotator", methods=("POST",), args=("sound",)),
    Route("footage:sound-remove", needs="lead", methods=("POST",), args=("sound",)),
]


def furnish(clip) -> dict[str, object]:
    """A sound file and a watched folder in the clip's project, and an upload into a bucket."""
    from django.contrib.auth.models import User

    from secondsticks.footage.models import SoundFile, Upload, WatchedFolder

    sound_file = SoundFile.objects.create(
        project=clip.project, name="day.wav", origin="upload", location="footage/tests/day.wav"
    )
    sound_file.path.write_bytes(b"sound")
    watched = WatchedFolder.objects.create(project=clip.project, path="/mnt/dailies/day 12")
    upload = Upload.objects.create(
        project=clip.project, user=User.objects.get(username="ann"), name="c.mov", size=7, part_bytes=7
    )
    return {"multipart": upload.uuid, "sound": sound_file.uuid, "watched": watched.uuid}

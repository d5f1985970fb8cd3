"""Loaded by conftest.py: one person per role, a project, and clips."""

from __future__ import annotations

from collections.abc import Callable

import pytest

PASSWORD = "a long password"


@pytest.fixture
def make_person(db, django_user_model) -> Callable:
    def make(username: str, **fields):
        return django_user_model.objects.create_user(username, password=PASSWORD, **fields)

    return make


@pytest.fixture
def make_project(db) -> Callable:
    """Make a project; keyword arguments name its members by role."""
    from secondsticks.footage.models import Project

    def make(name: str = "Night Train", **members):
        project = Project.objects.create(name=name)
        for role, person in members.items():
            project.memberships.create(user=person, role=role)
        return project

    return make


@pytest.fixture
def annotator(make_person):
    return make_person("ann")


@pytest.fixture
def lead(make_person):
    return make_person("lea")


@pytest.fixture
def admin(make_person):
    return make_person("ada")


@pytest.fixture
def site_admin(make_person):
    return make_person("root", is_superuser=True, is_staff=True)


@pytest.fixture
def outsider(make_person, make_project):
    """Somebody with a project of their own, who sees nothing of ours."""
    person = make_person("out")
    make_project("Elsewhere", admin=person)
    return person


@pytest.fixture
def project(make_project, annotator, lead, admin):
    return make_project(annotator=annotator, lead=lead, admin=admin)


@pytest.fixture
def make_clip(project, settings) -> Callable:
    """Make a clip that has been read: 23.976 fps, 240 frames, from 01:00:00:00. `content` makes its file."""
    from secondsticks.footage.models import Clip, ClipState, ProxyState

    def make(name: str = "A001C001.mov", *, content: bytes | None = None, **fields):
        known = {
            "project": project,
            "origin": Clip.Origin.UPLOAD,
            "location": f"footage/tests/{name}",
            "state": ClipState.READY,
            **{"rate_num": 24000, "rate_den": 1001, "frames": 240, "duration_num": 1001, "duration_den": 100},
            **{"start_timecode": "01:00:00:00", "width": 1920, "height": 1080},
            **{"codec": "h264", "container": "mov", "pixel_format": "yuv420p"},
            "proxy_state": ProxyState.NOT_NEEDED,
        }
        clip = Clip.objects.create(name=name, **{**known, **fields})
        if content is not None:
            clip.path.parent.mkdir(parents=True, exist_ok=True)
            clip.path.write_bytes(content)
        return clip

    return make


@pytest.fixture
def home(settings, tmp_path):
    """A home of its own for this test."""
    settings.HOME = tmp_path
    return tmp_path

"""Projects, members, people, server folders."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse

from secondsticks.footage import views
from secondsticks.footage.models import Clip, ClipState, Membership, Project, ProxyState, Role
from tests.people import PASSWORD

HOSTILE = "<img src=x onerror=alert(1)>\"'{{7*7}}"


@pytest.fixture(autouse=True)
def _home(home):
    """Files of each test lie in a home of their own."""


@pytest.fixture(autouse=True)
def sent(monkeypatch):
    """Note what would be sent to the workers."""
    from secondsticks.footage import clip_views

    sent = []
    monkeypatch.setattr(views, "send_ingest", sent.append)
    monkeypatch.setattr(clip_views, "send_ingest", sent.append)
    monkeypatch.setattr(clip_views, "send_proxy", sent.append)
    return sent


@pytest.fixture
def as_(client):
    def sign_in(person):
        client.force_login(person)
        return client

    return sign_in


def page(response) -> str:
    return response.content.decode()


def url(name, *args):
    return reverse(f"footage:{name}", args=args)


def test_the_list_shows_my_projects_and_no_others(as_, annotator, project, make_clip, outsider):
    make_clip("1.mov")
    make_clip("2.mov", state=ClipState.UPLOADED)
    make_clip("3.mov", state=ClipState.REFUSED)
    shown = page(as_(annotator).get("/"))
    assert "Night Train" in shown
    assert "3 clips · 3 members" in shown
    assert "1 being read" in shown
    assert "1 refused" in shown
    assert "Elsewhere" not in shown
    assert "Night Train" not in page(as_(outsider).get("/"))


def test_the_list_asks_the_database_as_often_for_one_project_as_for_many(
    as_, annotator, make_project, django_assert_num_queries
):
    browser = as_(annotator)
    for number in range(20):
        make_project(f"P{number}", annotator=annotator)
    with django_assert_num_queries(3):
        browser.get("/")


def test_somebody_without_projects_is_told_what_to_do(as_, make_person):
    shown = page(as_(make_person("new")).get("/"))
    assert "No projects yet" in shown
    assert "<strong>new</strong>" in shown


def test_whoever_makes_a_project_is_its_admin(as_, annotator):
    response = as_(annotator).post(url("new-project"), {"name": "  Dailies ", "sample": "1", "uuid": "1"})
    made = Project.objects.get(name="Dailies")
    assert response["Location"] == made.get_absolute_url()
    assert made.role_of(annotator) == Role.ADMIN
    assert (made.created_by, made.sample) == (annotator, False)


@pytest.mark.parametrize("name", ["", "   ", "x" * 121])
def test_a_project_needs_a_name(as_, annotator, name):
    assert "errorlist" in page(as_(annotator).post(url("new-project"), {"name": name}))
    assert not Project.objects.exists()


def test_admins_rename(as_, admin, project):
    as_(admin).post(url("project-settings", project.uuid), {"name": "Day Train"})
    project.refresh_from_db()
    assert project.name == "Day Train"


@pytest.mark.parametrize("typed", ["mia", " mia ", "MIA@example.org"])
def test_members_are_added_by_name_or_address(as_, admin, project, make_person, typed):
    mia = make_person("mia", email="mia@example.org")
    as_(admin).post(url("add-member", project.uuid), {"person": typed, "role": "lead"})
    assert project.role_of(mia) == Role.LEAD


@pytest.mark.parametrize(
    "form", [{"person": "nobody", "role": "lead"}, {"person": "ann", "role": "lead"}, {}]
)
def test_who_is_unknown_or_a_member_already_is_not_added(as_, admin, project, form):
    response = as_(admin).post(url("add-member", project.uuid), form)
    assert response.status_code == 422
    assert "errorlist" in page(response)
    assert project.memberships.count() == 3


def test_two_accounts_with_one_address_are_not_mixed_up(as_, admin, project, make_person):
    make_person("one", email="same@example.org")
    make_person("two", email="same@example.org")
    as_(admin).post(url("add-member", project.uuid), {"person": "same@example.org", "role": "lead"})
    assert project.memberships.count() == 3


def test_roles_change(as_, admin, annotator, project):
    member = project.memberships.get(user=annotator)
    as_(admin).post(url("change-member", project.uuid, member.pk), {"role": "lead"})
    assert project.role_of(annotator) == Role.LEAD
    as_(admin).post(url("change-member", project.uuid, member.pk), {"role": "owner"})
    assert project.role_of(annotator) == Role.LEAD


def test_a_project_keeps_an_admin(as_, admin, project):
    member = project.memberships.get(user=admin)
    for name, form in (("change-member", {"role": "lead"}), ("remove-member", {})):
        response = as_(admin).post(url(name, project.uuid, member.pk), form, follow=True)
        assert "at least one admin" in page(response)
    assert project.role_of(admin) == Role.ADMIN


def test_members_leave_and_admins_remove(as_, admin, annotator, lead, project):
    mine, theirs = (project.memberships.get(user=person).pk for person in (annotator, lead))
    assert as_(annotator).post(url("remove-member", project.uuid, theirs)).status_code == 403
    assert as_(annotator).post(url("remove-member", project.uuid, mine))["Location"] == "/"
    assert as_(annotator).get(url("project-settings", project.uuid)).status_code == 404
    as_(admin).post(url("remove-member", project.uuid, theirs))
    assert [member.user for member in project.memberships.all()] == [admin]


def test_a_site_admin_adds_a_person_who_can_sign_in_with_the_password_shown(as_, site_admin, client):
    response = as_(site_admin).post(
        url("people"), {"username": "mia", "email": "mia@example.org", "is_superuser": "on", "is_staff": "on"}
    )
    password = re.search(r'id="password">([^<]+)<', page(response))[1]
    assert "no-store" in response["Cache-Control"]
    client.logout()
    client.post(reverse("sign-in"), {"username": "mia", "password": password})
    mia = get_user_model().objects.get(username="mia")
    assert client.session["_auth_user_id"] == str(mia.pk)
    assert not mia.is_superuser
    assert not mia.is_staff


def test_a_new_password_ends_the_old_one(as_, site_admin, annotator, client):
    response = as_(site_admin).post(url("new-password", annotator.pk))
    password = re.search(r'id="password">([^<]+)<', page(response))[1]
    annotator.refresh_from_db()
    assert annotator.check_password(password)
    assert not annotator.check_password(PASSWORD)


def test_site_admins_do_not_take_over_each_other(as_, site_admin, make_person):
    other = make_person("root2", is_superuser=True)
    assert as_(site_admin).post(url("new-password", other.pk)).status_code == 404


def test_people_change_their_own_password(as_, annotator):
    form = {
        "old_password": PASSWORD,
        "new_password1": "another long one",
        "new_password2": "another long one",
    }
    assert "is changed" in page(as_(annotator).post(url("password"), form, follow=True))
    annotator.refresh_from_db()
    assert annotator.check_password("another long one")


@pytest.fixture
def dailies(tmp_path, settings):
    """An allowed folder: two clips, things that are none, and links."""
    top = tmp_path / "dailies"
    for name in ("A/one.MOV", "A/B/two.mxf", "A/notes.txt", "A/._one.MOV", "secret/three.mov"):
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_bytes(b"x")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "private.mov").write_bytes(b"x")
    (top / "A/link.mov").symlink_to(outside / "private.mov")
    (top / "A/linked").symlink_to(outside)
    (top / "A/again.mov").symlink_to(top / "A/one.MOV")
    settings.SECONDSTICKS_FOLDERS = [str(top)]
    return top


def test_a_folder_is_registered_where_it_lies(
    as_, lead, project, dailies, sent, django_capture_on_commit_callbacks
):
    before = {path: path.stat().st_mtime_ns for path in dailies.rglob("*")}
    with django_capture_on_commit_callbacks(execute=True):
        response = as_(lead).post(url("register-folder", project.uuid), {"folder": str(dailies / "A")})
    assert "2 clips added" in page(response)
    clips = list(Clip.objects.order_by("name"))
    assert [(clip.name, clip.path) for clip in clips] == [
        ("one.MOV", dailies / "A/one.MOV"),
        ("two.mxf", dailies / "A/B/two.mxf"),
    ]
    assert {clip.pk for clip in sent} == {clip.pk for clip in clips}
    assert {path: path.stat().st_mtime_ns for path in dailies.rglob("*")} == before
    again = page(as_(lead).post(url("register-folder", project.uuid), {"folder": str(dailies / "A")}))
    assert "Nothing new in this folder" in again
    assert "2 are in the project already" in again
    assert Clip.objects.count() == 2


@pytest.mark.parametrize(
    "folder", ["/", "/etc", "{top}/..", "{top}/A/linked", "A", "{top}/none", "{top}\0", "{top}/A/one.MOV"]
)
def test_other_folders_are_refused(as_, lead, project, dailies, folder):
    response = as_(lead).post(url("register-folder", project.uuid), {"folder": folder.format(top=dailies)})
    assert response.status_code == 422
    assert not Clip.objects.exists()


def test_without_allowed_folders_the_page_says_how_to_allow_one(as_, lead, project):
    assert "SECONDSTICKS_FOLDERS" in page(as_(lead).get(url("register-folder", project.uuid)))


def test_a_folder_that_is_no_longer_allowed_is_no_longer_served(as_, lead, project, dailies, settings):
    as_(lead).post(url("register-folder", project.uuid), {"folder": str(dailies)})
    address = url("clip-source", Clip.objects.get(name="one.MOV").uuid)
    assert as_(lead).get(address).status_code == 200
    settings.SECONDSTICKS_FOLDERS = []
    assert as_(lead).get(address).status_code == 404


def test_a_file_that_became_a_link_outwards_is_not_served(as_, lead, project, dailies):
    as_(lead).post(url("register-folder", project.uuid), {"folder": str(dailies)})
    (dailies / "A/one.MOV").unlink()
    (dailies / "A/one.MOV").symlink_to("/etc/passwd")
    assert as_(lead).get(url("clip-source", Clip.objects.get(name="one.MOV").uuid)).status_code == 404


def test_a_refused_clip_is_tried_again(as_, annotator, make_clip, sent, django_capture_on_commit_callbacks):
    clip = make_clip(state=ClipState.REFUSED, message="It is empty.", failures=3)
    with django_capture_on_commit_callbacks(execute=True):
        as_(annotator).post(url("clip-try-again", clip.uuid))
        as_(annotator).post(url("clip-try-again", clip.uuid))
    clip.refresh_from_db()
    assert (clip.state, clip.message, clip.failures) == (ClipState.UPLOADED, "", 0)
    assert sent == [clip]


def test_a_failed_proxy_is_tried_again(as_, annotator, make_clip, sent, django_capture_on_commit_callbacks):
    clip = make_clip(proxy_state=ProxyState.FAILED, proxy_message="No room.")
    with django_capture_on_commit_callbacks(execute=True):
        as_(annotator).post(url("clip-try-again", clip.uuid))
    clip.refresh_from_db()
    assert (clip.state, clip.proxy_state, clip.proxy_message) == (ClipState.READY, ProxyState.QUEUED, "")
    assert sent == [clip]


def test_a_removed_clip_takes_our_files_with_it(as_, lead, make_clip, django_capture_on_commit_callbacks):
    clip = make_clip()
    clip.folder.mkdir(parents=True)
    clip.poster_path.write_bytes(b"x")
    with django_capture_on_commit_callbacks(execute=True):
        as_(lead).post(url("clip-remove", clip.uuid))
    assert not Clip.objects.exists()
    assert not clip.folder.exists()


def test_a_removed_clip_of_a_folder_leaves_the_camera_file(as_, lead, project, dailies):
    as_(lead).post(url("register-folder", project.uuid), {"folder": str(dailies)})
    for clip in Clip.objects.all():
        as_(lead).post(url("clip-remove", clip.uuid))
    assert (dailies / "A/one.MOV").read_bytes() == b"x"


def test_hostile_names_are_shown_as_text(as_, admin, site_admin, make_person, make_project):
    mia = make_person("mia", email='"<b>"@example.org')
    project = make_project(HOSTILE, admin=admin, annotator=mia)
    get_user_model().objects.filter(pk=admin.pk).update(username=HOSTILE)
    admin.refresh_from_db()
    for person, address in (
        (admin, "/"),
        (admin, url("project-settings", project.uuid)),
        (admin, url("register-folder", project.uuid)),
        (site_admin, url("people")),
    ):
        shown = page(as_(person).get(address))
        assert "&lt;img src=x" in shown
        assert "<img src=x" not in shown
        assert "<b>" not in shown
        assert "{{7*7}}" in shown


def test_pages_forbid_scripts_that_are_not_ours(client, db):
    policy = client.get(reverse("sign-in"))["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy


def test_no_page_of_ours_has_inline_scripts_or_styles(as_, site_admin, project):
    for address in (
        "/",
        url("people"),
        url("password"),
        url("new-project"),
        url("project-settings", project.uuid),
    ):
        shown = page(as_(site_admin).get(address))
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", shown)


def test_a_page_that_is_not_there_says_so(as_, annotator):
    response = as_(annotator).get("/nowhere/")
    assert response.status_code == 404
    assert "To your projects" in page(response)


def test_membership_is_unique(project, annotator):
    assert Membership.objects.get(project=project, user=annotator).role == "annotator"
    assert str(project.memberships.get(user=annotator)) == "ann in Night Train: annotator"

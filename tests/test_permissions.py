"""Every address × every person × every method: who may does, who may not gets 404 (or 403 as a member)."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from uuid import uuid4

import pytest
from django.apps import apps
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from tests.routes import PEOPLE, SITE_ROUTES, Route

APPS = [import_module(f"tests.{app}.routes") for app in ("footage", "detection", "labeling")]
ROUTES = {route.name: route for route in [*SITE_ROUTES, *(r for app in APPS for r in app.ROUTES)]}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
WRITING = ("POST", "PUT", "PATCH", "DELETE")
#: Django's own site for superusers, with Django's own permissions and tests.
NOT_OURS = {"admin"}


def names_of(patterns: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLPattern):
            yield f"{prefix}{pattern.name}"
        elif pattern.namespace not in NOT_OURS:
            inner = f"{prefix}{pattern.namespace}:" if pattern.namespace else prefix
            yield from names_of(pattern.url_patterns, inner)


def test_every_address_is_in_a_table_and_every_table_entry_is_an_address():
    assert sorted(names_of(get_resolver().url_patterns)) == sorted(ROUTES)


@pytest.fixture
def world(home, project, make_project, make_clip, make_person, annotator, outsider) -> dict[str, object]:
    """Name -> id of what the addresses speak of, all in one project that outsiders do not know."""
    from secondsticks.footage.models import Upload

    clip = make_clip(content=b"moving pictures", has_poster=True)
    clip.folder.mkdir(parents=True, exist_ok=True)
    clip.poster_path.write_bytes(b"a picture")
    member = project.memberships.create(user=make_person("mia"), role="annotator")
    elsewhere = make_project("A third one").memberships.create(user=make_person("else"), role="annotator")
    upload = Upload.objects.create(project=project, user=annotator, name="b.mov", size=7)
    found = {
        "project": project.uuid,
        "clip": clip.uuid,
        "upload": upload.uuid,
        "member": member.pk,
        "foreign member": elsewhere.pk,
        "person": member.user.pk,
    }
    for app in APPS:
        if hasattr(app, "furnish"):
            found |= app.furnish(clip)
    return found


@pytest.fixture
def client_of(annotator, lead, admin, site_admin, outsider):
    people = dict(zip(PEOPLE[1:], (outsider, annotator, lead, admin, site_admin), strict=True))

    def make(person: str, **options) -> Client:
        client = Client(**options)
        if person != "anonymous":
            client.force_login(people[person])
        return client

    return make


def call(client: Client, method: str, route: Route, world: dict[str, object]):
    """Make one request, and roll back what it did. A view that breaks raises."""
    address = reverse(route.name, args=[world[name] for name in route.args])
    with transaction.atomic():
        body = {"data": route.form} if method == "POST" or (route.json and method == "PUT") else {}
        body |= {"content_type": "application/json"} if route.json and body else {}
        response = getattr(client, method.lower())(address, headers=route.headers, **body)
        transaction.set_rollback(True)
    return response


def refused(response, person: str) -> bool:
    """Whether somebody who may not was told so, and in the way that tells them least."""
    if person == "anonymous":
        sent_to_sign_in = response.status_code == 302 and response["Location"].startswith("/sign-in/")
        return sent_to_sign_in or response.status_code == 401
    if person == "outsider":
        return response.status_code == 404
    return response.status_code in (403, 404)


@pytest.mark.parametrize("person", PEOPLE)
@pytest.mark.parametrize("name", ROUTES)
def test_each_person_gets_what_their_role_allows_and_no_more(name, person, world, client_of):
    route, client, wrong = ROUTES[name], client_of(person), []
    for method in METHODS:
        response = call(client, method, route, world)
        if method not in route.methods:
            right = response.status_code in (405, *route.otherwise) or refused(response, person)
        elif route.lets(person, method):
            right = response.status_code in route.ok
        else:
            right = refused(response, person)
        if not right:
            wrong.append((method, response.status_code))
    assert not wrong


@pytest.mark.parametrize("name", [name for name, route in ROUTES.items() if route.args])
def test_an_id_that_is_not_there_looks_like_one_that_is_not_yours(name, world, client_of):
    client, route = client_of("admin"), ROUTES[name]
    nowhere = {key: uuid4() if isinstance(value, type(uuid4())) else 10**9 for key, value in world.items()}
    assert {call(client, method, route, nowhere).status_code for method in route.methods} == {404}


@pytest.mark.parametrize("name", [name for name, route in ROUTES.items() if "member" in route.args])
def test_an_id_of_another_project_under_ones_own_is_404(name, world, client_of):
    response = call(client_of("admin"), "POST", ROUTES[name], {**world, "member": world["foreign member"]})
    assert response.status_code == 404


@pytest.mark.parametrize("name", ROUTES)
def test_nothing_is_written_without_a_csrf_token(name, world, client_of):
    route, client = (
        ROUTES[name],
        client_of("annotator" if ROUTES[name].only else "site_admin", enforce_csrf_checks=True),
    )
    answers = {
        method: call(client, method, route, world).status_code
        for method in WRITING
        if method in route.methods
    }
    assert set(answers.values()) <= {403}


@pytest.mark.parametrize("name", ROUTES)
def test_reading_writes_nothing(name, world, client_of):
    route, client = ROUTES[name], client_of("annotator" if ROUTES[name].only else "site_admin")
    before = everything()
    address = reverse(route.name, args=[world[key] for key in route.args])
    for method in ("GET", "HEAD"):
        if method in route.methods:
            getattr(client, method.lower())(address, headers=route.headers)
    assert everything() == before


def everything() -> dict[str, list]:
    models = [
        model
        for app in ("footage", "detection", "labeling", "auth")
        for model in apps.get_app_config(app).get_models()
    ]
    return {model.__name__: list(model.objects.order_by("pk").values()) for model in models}

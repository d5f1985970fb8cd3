"""What holds for every page: headers, health, the lock on sign-in, and words when the database is away."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from django.http import HttpResponse
from django.test import Client

HEADERS = {
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


@pytest.fixture
def no_database(monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """A client of a server that has lost its database; it shows what a browser would see."""

    def refuse(*_: object) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(connection, "cursor", refuse)
    return Client(raise_request_exception=False)


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/sign-in/", "/healthz", "/readyz", "/nowhere/", "/", "/admin/login/"])
def test_every_answer_has_the_safe_headers(client: Client, path: str) -> None:
    answer = client.get(path)

    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    policy = dict(rule.split(" ", 1) for rule in answer.headers["Content-Security-Policy"].split("; "))
    assert (policy["default-src"], policy["script-src"]) == ("'none'", "'self'")
    assert "unsafe" not in " ".join(policy.values())


@pytest.mark.django_db
def test_cookies_stay_ours(client: Client) -> None:
    User.objects.create_user("sam", password="right-password")
    client.get("/sign-in/")
    client.post("/sign-in/", {"username": "sam", "password": "right-password"})

    for name in ("secondsticks_session", "secondsticks_csrf"):
        cookie = client.cookies[name]
        assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax"), name


@pytest.mark.django_db
def test_ten_wrong_passwords_lock_that_person_out_and_nobody_else(client: Client) -> None:
    for name in ("sam", "kim"):
        User.objects.create_user(name, password="right-password")

    def sign_in(name: str, password: str) -> int:
        return client.post("/sign-in/", {"username": name, "password": password}).status_code

    assert [sign_in("sam", "wrong") for _ in range(9)] == [200] * 9
    assert sign_in("sam", "wrong") == 429
    assert sign_in("sam", "right-password") == 429
    refused = client.post("/sign-in/", {"username": "sam", "password": "right-password"})
    assert b"Too many wrong passwords for this name" in refused.content
    assert sign_in("kim", "right-password") == 302


@pytest.mark.django_db
def test_an_unknown_name_is_answered_as_a_known_one(client: Client) -> None:
    User.objects.create_user("sam", password="right-password")

    def answer(name: str) -> str:
        page = client.post("/sign-in/", {"username": name, "password": "wrong"}).content.decode()
        return page.replace(name, "NAME").split("<form")[-1].split("csrfmiddlewaretoken")[0]

    assert answer("sam") == answer("nobody")


def test_alive_needs_no_database(no_database: Client) -> None:
    assert no_database.get("/healthz").content == b"alive\n"
    assert no_database.post("/healthz").status_code == 405


@pytest.mark.django_db
def test_ready_with_a_database(client: Client) -> None:
    assert client.get("/readyz").content == b"ready\n"


@pytest.mark.parametrize("path", ["/readyz", "/"])
def test_without_a_database_a_page_says_when_to_try_again(no_database: Client, path: str) -> None:
    no_database.cookies["secondsticks_session"] = "x" * 32

    answer = no_database.get(path, headers={"accept": "text/html"})

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "3")
    assert b"Nothing is lost" in answer.content


def test_without_a_database_a_program_gets_json(no_database: Client) -> None:
    answer = no_database.get("/readyz", headers={"accept": "application/json"})

    assert answer.status_code == 503
    assert set(answer.json()) == {"error"}


@pytest.mark.django_db
def test_a_defect_is_said_without_our_insides(monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(self: object, *args: object, **kwargs: object) -> HttpResponse:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr("django.contrib.auth.views.LoginView.get", break_down)

    answer = Client(raise_request_exception=False).get("/sign-in/")

    assert answer.status_code == 500
    assert b"Something broke on our side" in answer.content
    assert b"secret detail" not in answer.content

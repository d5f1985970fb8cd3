"""Who may ask what, and what a replayed or altered webhook gets."""

import base64
import json

import pytest

from ml_backend.authentication import SECRET as SECRET_HEADER
from ml_backend.authentication import SIGNATURE, STAMP, WINDOW, signature_of
from tests.ml_backend import bodies
from tests.ml_backend.conftest import SECRET, Backend, basic

ASKED = [
    ("/setup", bodies.SETUP),
    ("/predict", bodies.predict(bodies.task(0))),
    ("/webhook", bodies.START_TRAINING),
    ("/versions", None),
    ("/nowhere", None),
]
WRONG = {
    "none": "",
    "empty": basic(""),
    "wrong": basic("not the secret"),
    "longer": basic(SECRET + "x"),
    "in another case": basic(SECRET.upper()),
    "as the user": basic("", user=SECRET),
    "not ASCII": basic("gehéim"),
    "not ASCII outside": "Basic gehéim",
    "not base64": "Basic !!!",
    "no colon": "Basic " + base64.b64encode(SECRET.encode()).decode(),
    "bearer": f"Bearer {SECRET}",
    "token": f"Token {SECRET}",
    "bare": SECRET,
}


@pytest.mark.parametrize("authorization", WRONG.values(), ids=WRONG.keys())
@pytest.mark.parametrize(("path", "body"), ASKED, ids=[path for path, _ in ASKED])
def test_without_the_secret_nothing_but_health(
    backend: Backend, path: str, body: object, authorization: str
) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    answer = backend.ask(path, body, secret=None, headers=headers)

    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")
    assert backend.ask("/health", secret=None, headers=headers).status == 200
    assert bodies.kept(backend.folder) == []


def test_the_user_may_be_any_and_the_scheme_in_any_case(backend: Backend) -> None:
    for authorization in [
        basic(SECRET, user=""),
        basic(SECRET, user="é"),
        basic(SECRET).replace("Basic", "basic"),
    ]:
        headers = {"Authorization": authorization}
        assert backend.ask("/setup", bodies.SETUP, secret=None, headers=headers).status == 200


def test_a_webhook_may_bring_the_secret_in_a_header(backend: Backend) -> None:
    right = backend.ask("/webhook", bodies.CREATED, secret=None, headers={SECRET_HEADER: SECRET})
    wrong = backend.ask("/webhook", bodies.CREATED, secret=None, headers={SECRET_HEADER: "x"})
    elsewhere = backend.ask("/predict", ASKED[1][1], secret=None, headers={SECRET_HEADER: SECRET})

    assert (right.status, wrong.status, elsewhere.status) == (201, 401, 401)
    assert len(bodies.kept(backend.folder)) == 1


def signed(backend: Backend, *, age: int = 0, body: bytes | None = None) -> tuple[bytes, dict[str, str]]:
    content = json.dumps(bodies.CREATED).encode() if body is None else body
    stamp = str(int(backend.clock[0]) - age)
    return content, {STAMP: stamp, SIGNATURE: signature_of(SECRET.encode(), stamp, content)}


@pytest.mark.parametrize("age", [0, WINDOW, -WINDOW])
def test_a_signed_webhook_is_taken_once(backend: Backend, age: int) -> None:
    body, headers = signed(backend, age=age)
    answers = [backend.ask("/webhook", body, secret=None, headers=headers).status for _ in range(3)]

    assert answers == [201, 409, 409]
    assert len(bodies.kept(backend.folder)) == 1


def test_a_replay_is_never_taken_however_late(backend: Backend) -> None:
    body, headers = signed(backend, age=-WINDOW)
    answers = []
    for _ in range(8):
        answers.append(backend.ask("/webhook", body, secret=None, headers=headers).status)
        backend.clock[0] += WINDOW / 2

    assert answers[0] == 201
    assert set(answers[1:]) == {409, 401}
    assert len(bodies.kept(backend.folder)) == 1


def test_altered_or_old_or_half_signed_webhooks_are_refused(backend: Backend) -> None:
    body, headers = signed(backend)
    _, old = signed(backend, age=WINDOW + 1)
    _, early = signed(backend, age=-WINDOW - 1)
    cases = [
        (body.replace(b"97", b"98"), headers),
        (body, headers | {STAMP: str(int(headers[STAMP]) + 1)}),
        (body, headers | {SIGNATURE: headers[SIGNATURE][:-1]}),
        (body, headers | {SIGNATURE: "é"}),
        (body, old),
        (body, early),
        (body, {STAMP: headers[STAMP]}),
        (body, {SIGNATURE: headers[SIGNATURE]}),
        (body, headers | {STAMP: "²"}),
        (body, headers | {STAMP: "9" * 400}),
    ]
    # Whoever signs is judged by the signature, also with the secret beside it.
    for content, sent in cases:
        assert backend.ask("/webhook", content, secret=SECRET, headers=sent).status == 401
    assert bodies.kept(backend.folder) == []


def test_a_signed_webhook_that_could_not_be_kept_may_come_again(backend: Backend) -> None:
    body, headers = signed(backend)
    backend.folder.mkdir(exist_ok=True)
    (backend.folder / "webhooks").write_text("in the way")
    refused = backend.ask("/webhook", body, secret=None, headers=headers).status
    (backend.folder / "webhooks").unlink()
    taken = backend.ask("/webhook", body, secret=None, headers=headers).status

    assert (refused, taken) == (503, 201)

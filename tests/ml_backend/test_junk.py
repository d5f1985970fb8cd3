"""Whatever is sent, the answer is JSON with one sentence, never a traceback and never a 500."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ml_backend import application
from tests.ml_backend import bodies
from tests.ml_backend.conftest import Backend, Drawn, put_frames

quickly = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
)
words = [
    "tasks",
    "data",
    "frame_key",
    "image",
    "label_config",
    "schema",
    "project",
    "action",
    "annotation",
    "id",
]
objects = st.recursive(
    anything, lambda inner: st.dictionaries(st.sampled_from(words), inner, max_size=4), max_leaves=6
)
KEYS = {"/setup": "schema", "/predict": "label_config", "/webhook": "action"}


def is_an_answer(status: int, text: str) -> bool:
    document = json.loads(text)
    return status < 500 and "Traceback" not in text and (status < 400 or len(document["error"]) > 10)


@pytest.mark.parametrize("path", KEYS)
@quickly
@given(body=st.binary(max_size=200) | objects.map(lambda value: json.dumps(value).encode()))
def test_any_body(backend: Backend, path: str, body: bytes) -> None:
    answer = backend.ask(path, body)
    assert is_an_answer(answer.status, answer.text), answer.text


@quickly
@given(tasks=st.lists(st.dictionaries(st.sampled_from(["id", "data"]), objects, max_size=2), max_size=3))
def test_any_tasks(backend: Backend, tasks: list[dict[str, Any]]) -> None:
    answer = backend.ask("/predict", {"tasks": tasks, "label_config": bodies.CONFIG})
    assert is_an_answer(answer.status, answer.text), answer.text
    if answer.status == 200:
        assert len(answer.json["results"]) == len(tasks)


@quickly
@given(value=objects, key=st.sampled_from(["image", "frame_key"]))
def test_any_data(backend: Backend, value: object, key: str) -> None:
    answer = backend.ask("/predict", {"tasks": [{"data": {key: value}}], "label_config": bodies.CONFIG})
    assert (answer.status, answer.json["results"][0]["result"]) == (200, [])


@quickly
@given(
    config=st.text(max_size=60)
    | st.from_regex(r"<(View|Image|RectangleLabels|!--)[^>]{0,30}/?>?", fullmatch=True)
)
def test_any_label_config(backend: Backend, config: str) -> None:
    answer = backend.ask("/setup", {"schema": config})
    assert answer.status == 400
    assert is_an_answer(answer.status, answer.text), answer.text


@quickly
@given(event=objects, key=st.sampled_from(["annotation", "annotations", "task", "tasks", "project"]))
def test_any_event(backend: Backend, event: object, key: str) -> None:
    answer = backend.ask("/webhook", {"action": "ANNOTATION_CREATED", key: event})
    assert answer.status == 201, answer.text


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "The body is not JSON."),
        (b"[]", "The body is not a JSON object."),
        (b'{"a":' * 100_000, "The body is not JSON."),
        (b'{"a": NaN}', "The body is not JSON."),
        (b'{"a": 1e999}', "The body is not JSON."),
        (b'{"a": ' + b"9" * 5000 + b"}", "The body is not JSON."),
        (b"\xff\xfe", "The body is not JSON."),
        (b"{}", "The request has no list of tasks."),
        (b'{"tasks": [1]}', "Task 0 of the list is not an object with data."),
        (b'{"tasks": [{"data": {}}, {}]}', "Task 1 of the list is not an object with data."),
        (b'{"tasks": []}', "The request has no label_config: the project's label config, as text."),
    ],
)
def test_what_is_wrong_is_said(backend: Backend, body: bytes, sentence: str) -> None:
    answer = backend.ask("/predict", body)
    assert (answer.status, answer.json["error"]) == (400, sentence)


@pytest.mark.parametrize(("path", "method", "allowed"), [
    ("/predict", "GET", "POST"), ("/setup", "PUT", "POST"),
    ("/webhook", "DELETE", "POST"), ("/health", "POST", "GET"),
])  # fmt: skip
def test_other_methods(backend: Backend, path: str, method: str, allowed: str) -> None:
    answer = backend.ask(path, {}, method=method)
    assert (answer.status, answer.headers["Allow"]) == (405, allowed)


def test_bodies_and_tasks_are_bounded(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(application, "LARGEST", 1 << 20)
    monkeypatch.setattr(application, "MOST_TASKS", 3)
    large = b'{"schema": "' + b"x" * (1 << 20) + b'"}'
    said = backend.ask("/setup", large)
    unsaid = backend.ask("/setup", large, headers={"Content-Length": ""})
    many = backend.ask("/predict", bodies.predict(*[bodies.task(0)] * 4))

    assert (said.status, unsaid.status, many.status) == (413, 413, 413)
    assert said.json["error"] == "The body has more than 1 MB: send fewer tasks at once."


def test_our_own_faults_are_a_sentence(make_backend: Callable[..., Backend]) -> None:
    """A detector that fails costs the pictures it failed on; anything else is a 500 without insides."""

    class LooksOnce(Drawn):
        looked = False

        def detect(self, pictures: Any) -> Any:
            if self.looked:
                raise RuntimeError("out of memory at 0xdeadbeef")
            self.looked = True
            return super().detect(pictures)

    backend = make_backend(LooksOnce)
    backend.weights.look()
    put_frames(backend.store, 200)
    failed = backend.ask("/predict", bodies.predict(bodies.task(0)))
    backend.application._weights = None  # type: ignore[assignment]
    broken = backend.ask("/health")

    assert failed.status == 200
    assert failed.json["results"][0]["error"].startswith("The network failed on the picture")
    assert (broken.status, broken.json) == (
        500, {"error": "The request failed on our side; the service's log says why."},
    )  # fmt: skip

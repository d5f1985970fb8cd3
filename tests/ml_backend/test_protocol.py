"""What Label Studio 1.23.2 asks, as recorded, and what it must get."""

import pytest
from label_studio_sdk.label_interface import LabelInterface

from ml_backend import predicting
from tests.ml_backend import bodies
from tests.ml_backend.conftest import Backend, jpeg, put_frames
from training.champion import Champion
from training.checkpoints import SHIPPED, read_card

SHIPPED_CARD = read_card(SHIPPED)
VERSION = Champion(SHIPPED_CARD.sha256, SHIPPED_CARD.name, SHIPPED_CARD.architecture).model_version


@pytest.mark.parametrize("prefix", ["", "/ml/slates", "/ml//"])
def test_every_route_below_any_prefix(backend: Backend, prefix: str) -> None:
    put_frames(backend.store, 200)
    health = backend.ask(f"{prefix}/health")
    setup = backend.ask(f"{prefix}/setup", bodies.SETUP)
    versions = backend.ask(f"{prefix}/versions")
    predicted = backend.ask(f"{prefix}/predict", bodies.predict(bodies.task(0)))
    trained = backend.ask(f"{prefix}/webhook", bodies.START_TRAINING)

    assert (health.status, health.json["status"], health.json["weights"]) == (200, "UP", "ready")
    assert (setup.status, setup.json) == (200, {"model_version": VERSION})
    assert (versions.status, versions.json) == (200, {"versions": [VERSION]})
    assert (predicted.status, len(predicted.json["results"])) == (200, 1)
    assert (trained.status, trained.json["status"]) == (201, "queued")
    assert health.headers["Content-Type"] == "application/json"


def test_predictions_are_what_label_studio_would_take(backend: Backend) -> None:
    put_frames(backend.store, 200, 20)
    answer = backend.ask("/predict", bodies.predict(bodies.task(0), bodies.task(1))).json

    interface = LabelInterface(bodies.CONFIG)
    assert [interface.validate_prediction(one, return_errors=True) for one in answer["results"]] == [[], []]
    states = [one["result"][0]["value"]["rectanglelabels"] for one in answer["results"]]
    assert states == [["open"], ["closed"]]
    region = answer["results"][0]["result"][0]
    left = int(SHIPPED_CARD.sha256[:2], 16) % 100
    assert region["value"]["x"] == pytest.approx(left / 160 * 100, abs=0.01)
    assert region["value"]["y"] == pytest.approx(20 / 90 * 100, abs=0.01)
    assert (region["original_width"], region["original_height"], region["image_rotation"]) == (160, 90, 0)
    assert (region["from_name"], region["to_name"], region["type"]) == ("label", "image", "rectanglelabels")
    assert region["score"] == pytest.approx(0.9) and region["id"]
    assert [one["model_version"] for one in answer["results"]] == [VERSION, VERSION]
    assert all(0 < one["score"] <= 1 for one in answer["results"])


def test_as_many_results_in_the_same_order_over_several_chunks(backend: Backend) -> None:
    greys = [200 if number % 3 else 20 for number in range(predicting.CHUNK * 2 + 3)]
    put_frames(backend.store, *greys)
    asked = [bodies.task(number) for number in range(len(greys))]
    asked[4]["data"]["frame_key"] = f"{bodies.CLIP}/999"
    backend.store.put(f"frames/{bodies.CLIP}/9.jpg", jpeg(20)[:300])
    results = backend.ask("/predict", bodies.predict(*asked)).json["results"]

    seen = [one["result"][0]["value"]["rectanglelabels"][0] if one["result"] else None for one in results]
    expected: list[str | None] = ["open" if grey == 200 else "closed" for grey in greys]
    expected[4] = expected[9] = None
    assert seen == expected
    assert results[4]["error"] == f"The frame {bodies.CLIP}/999 is not in the store."
    assert results[9]["error"] == "The file is not a whole JPEG, PNG or WebP picture."
    assert (results[4]["score"], results[4]["model_version"]) == (0, VERSION)


def test_no_tasks_no_results(backend: Backend) -> None:
    assert backend.ask("/predict", bodies.predict()).json["results"] == []


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        ('<Label value="Open"/><Label value="CLOSED"/>', ["Open", "CLOSED"]),
        ('<Label value="auf" alias="open"/><Label value="zu" alias="closed"/>', ["open", "closed"]),
        ('<Label value="open" alias="o"/><Label value="closed" alias="c"/>', ["o", "c"]),
        ('<Label value="person"/><Label value=" closed "/><Label value="open"/>', ["open", " closed "]),
    ],
)  # fmt: skip
def test_labels_are_found_by_name_or_alias(backend: Backend, labels: str, names: list[str]) -> None:
    put_frames(backend.store, 200, 20)
    config = (
        '<View><Image name="frame" value="$picture"/><RectangleLabels name="box" toName="frame">'
        f"{labels}</RectangleLabels></View>"
    )
    asked = bodies.predict(bodies.task(0), bodies.task(1), config=config)
    results = backend.ask("/predict", asked).json["results"]

    assert [one["result"][0]["value"]["rectanglelabels"][0] for one in results] == names
    assert (results[0]["result"][0]["from_name"], results[0]["result"][0]["to_name"]) == ("box", "frame")


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ("<View></View>", "has no RectangleLabels, for example <RectangleLabels"),
        (bodies.CONFIG.replace("RectangleLabels", "BrushLabels"), "has no RectangleLabels"),
        (bodies.CONFIG.replace('toName="image"', 'toName="video"'), "not over an Image"),
        (bodies.CONFIG.replace("<Image", "<Text"), "not over an Image"),
        (bodies.CONFIG.replace('"closed"', '"shut"'), 'whose value or alias is "closed".'),
        (bodies.CONFIG.replace('"closed"', '"b"').replace('"open"', '"a"'), 'is "open" and "closed".'),
        (bodies.CONFIG[:-3], "not one that Label Studio would take"),
        ("nothing like it", "not one that Label Studio would take"),
        ('<?xml version="1.0" encoding="utf-8"?><View/>', "not one that Label Studio would take"),
        (
            '<!DOCTYPE v [<!ENTITY a SYSTEM "file:///etc/passwd">]><View>&a;</View>',
            "declares a document type",
        ),
        ("<View>" + " " * 300_000 + "</View>", "more than"),
    ],
)
def test_a_label_config_that_cannot_be_answered_in_is_refused(
    backend: Backend, config: str, sentence: str
) -> None:
    for route, body in [
        ("/setup", {**bodies.SETUP, "schema": config}),
        ("/predict", bodies.predict(bodies.task(0), config=config)),
    ]:
        answer = backend.ask(route, body)
        assert answer.status == 400
        assert sentence in answer.json["error"]


def test_a_task_can_name_no_file_but_a_frame(backend: Backend) -> None:
    backend.store.put("champions/secret.jpg", jpeg(200))
    keys = [
        "../champions/secret",
        f"{bodies.CLIP}/../../x",
        f"{bodies.CLIP}/1.jpg",
        "",
        7,
        [],
        f"{bodies.CLIP}/1\n",
    ]
    tasks = [bodies.task(0, frame_key=key) for key in keys]
    results = backend.ask("/predict", bodies.predict(*tasks)).json["results"]

    assert {one["error"] for one in results} == {"The frame_key is not of the form <clip's uuid>/<frame>."}
    assert all(one["result"] == [] for one in results)


def test_webhooks_are_kept_as_hints_without_anybodys_secrets(backend: Backend) -> None:
    sent = [bodies.CREATED, bodies.SKIPPED, bodies.MANY, bodies.DELETED, bodies.START_TRAINING]
    answers = [backend.ask("/webhook", body) for body in sent]
    ignored = backend.ask("/webhook", {"action": "PROJECT_UPDATED", "project": bodies.PROJECT})

    assert [answer.status for answer in answers] == [201] * 5
    assert (ignored.status, ignored.json) == (201, {"status": "ignored"})
    events = bodies.kept(backend.folder)
    assert [event["id"] for event in events] == [answer.json["job"] for answer in answers]
    assert [event["action"] for event in events] == [body["action"] for body in sent]
    created, skipped, many, deleted, training = events
    assert created["annotations"] == [{"id": 97, "task": 5365, "was_cancelled": False}]
    assert created["tasks"] == [{"id": 5365, "frame_key": f"{bodies.CLIP}/7"}]
    assert skipped["annotations"][0]["was_cancelled"] is True
    assert [one["id"] for one in many["annotations"]] == [1, 2]
    assert many["tasks"] == [{"id": 5, "frame_key": f"{bodies.CLIP}/1"}, {"id": 6, "frame_key": None}]
    assert deleted["annotations"] == [{"id": 69, "task": None, "was_cancelled": False}]
    assert (training["project"], training["annotations"], training["tasks"]) == (33, [], [])
    assert "a-secret-of-theirs" not in str(events)


def test_a_webhook_that_cannot_be_kept_is_not_acknowledged(backend: Backend) -> None:
    backend.folder.mkdir(exist_ok=True)
    (backend.folder / "webhooks").write_text("in the way")
    answer = backend.ask("/webhook", bodies.CREATED)

    assert (answer.status, answer.headers["Retry-After"]) == (503, "30")
    assert answer.json["error"].startswith("The event cannot be kept just now.")

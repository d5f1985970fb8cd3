"""Frames in a Label Studio and answers back: against a stub that answers as the real one was recorded."""

from __future__ import annotations

import json
from datetime import timedelta
from hashlib import sha256
from io import BytesIO

import pytest
from django.core import signing
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.urls import reverse
from PIL import Image

from secondsticks.labeling import signed_pictures
from secondsticks.labeling.label_studio import (
    bringing,
    doctor,
    events,
    holding,
    linking,
    server,
    syncing,
    tokens,
)
from secondsticks.labeling.label_studio.addresses import AddressRefused, cleaned, require_allowed, same_place
from secondsticks.labeling.models import (
    Annotation,
    FrameState,
    LabelStudioAnswer,
    LabelStudioLink,
    LabelStudioTask,
    Origin,
)
from secondsticks.store import store
from tests.labeling.conftest import BOX, OTHER
from tests.labeling.label_studio_stub import AUTHOR, TOKEN, Stub, served
from training.label_studio import region
from training.slates import Box, State

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def stub():
    with served(Stub()) as running:
        yield running


@pytest.fixture
def link(stub, home, project, monkeypatch):
    monkeypatch.setattr(server, "TIMEOUT", 10.0)
    monkeypatch.setattr(server, "RETRIES", 0)
    return linking.link_to(project, url=stub.url, token=TOKEN, our_url="http://127.0.0.1:8000", ml_url="")


def sync(link) -> bool:
    hold = holding.claim(link.pk, when_due=False)
    assert hold is not None
    worked = syncing.sync(hold)
    link.refresh_from_db()
    return worked


def drawn(box=BOX, **fields) -> dict:
    one = region(
        Box(box["x"], box["y"], box["w"], box["h"]), State(box["state"]), width=1920, height=1080, id="r"
    )
    return {**one, "origin": "manual", **fields}


def asked(stub) -> dict[str, str]:
    return {one["data"]["frame_key"]: one["data"]["asked"] for one in stub.tasks.values()}


# Frames go there


def test_waiting_frames_go_there_once_in_our_order_with_the_proposals(stub, link, make_frame):
    frames = [make_frame(worth=worth, rank=rank) for worth, rank in ((0.9, 1.25), (0.4, 1.5), (0.7, 12.0))]
    assert sync(link) and sync(link)
    (project,), (view,), (hook,) = stub.projects.values(), stub.views.values(), stub.webhooks.values()
    assert len(stub.tasks) == len(stub.predictions) == 3
    by_place = sorted(stub.tasks.values(), key=lambda task: task["data"]["place"])
    assert [task["data"]["frame_key"] for task in by_place] == [frame.frame_key for frame in frames]
    assert view["data"]["ordering"] == ["tasks:data.place"]
    assert [one["score"] for one in stub.predictions.values()] == [0.1, 0.6, 0.3]
    (shown, *_) = stub.predictions.values()
    assert project["model_version"] == shown["model_version"] == "day 0-abababababab" == link.model_version
    value = shown["result"][0]["value"]
    assert value["rectanglelabels"] == ["open"] and value["x"] == pytest.approx(100 / 19.2)
    assert hook["headers"]["X-Secondsticks-Secret"] == link.webhook_secret
    assert hook["url"] == f"http://127.0.0.1:8000/label-studio/{link.uuid}/webhook/"
    assert link.state == "linked" and link.label_url.endswith(f"data?tab={view['id']}&labeling=1")


def test_a_push_that_broke_off_is_gone_on_with_and_doubles_nothing(stub, link, make_frame, monkeypatch):
    frames = [make_frame() for _ in range(3)]
    assert sync(link)
    LabelStudioTask.objects.all().delete()  # as if we had died before we kept what Label Studio was told
    stub.drop_task(2)
    sync(link)
    assert sorted(asked(stub)) == sorted(frame.frame_key for frame in frames)
    assert len(stub.tasks) == 3 and len({(one["task"]) for one in stub.predictions.values()}) == 3
    number = stub.add_task(next(iter(stub.projects)), dict(stub.tasks[1]["data"]), [])
    sync(link)
    assert number not in stub.tasks, "a double that nobody has worked on goes"
    touched = stub.add_task(next(iter(stub.projects)), dict(stub.tasks[1]["data"]), [])
    stub.tasks[touched]["drafts"] = [5]
    sync(link)
    assert touched in stub.tasks and 1 not in stub.tasks


def test_task_numbers_that_come_again_mean_nothing(stub, link, make_frame):
    """Label Studio on SQLite gives the number of a deleted task to the next one."""
    first, second = make_frame(), make_frame(state=FrameState.WITHDRAWN)
    sync(link)
    number = next(iter(stub.tasks))
    stub.annotate(first.frame_key, [drawn()])
    stub.drop_task(number)
    type(second).objects.filter(pk=second.pk).update(state=FrameState.WAITING)
    type(first).objects.filter(pk=first.pk).update(state=FrameState.WITHDRAWN)
    sync(link)
    assert stub.tasks[number]["data"]["frame_key"] == second.frame_key
    stub.annotate(second.frame_key, [drawn(OTHER)])
    sync(link)
    first.refresh_from_db(), second.refresh_from_db()
    assert (first.version, second.standing.boxes) == (0, [OTHER])


def test_what_does_not_wait_any_more_is_marked_there_and_comes_back(stub, link, make_frame, page):
    make_frame(), make_frame()
    sync(link)
    assert set(asked(stub).values()) == {"yes"}
    frame = page.next()
    page.save(frame)
    sync(link)
    assert asked(stub)[frame["key"]] == "no" and sorted(asked(stub).values()) == ["no", "yes"]
    page.undo(frame, 1)
    sync(link)
    assert set(asked(stub).values()) == {"yes"}


def test_a_new_champion_s_proposals_are_pushed_and_shown(stub, link, make_frame):
    from secondsticks.detection.models import Checkpoint

    frame = make_frame()
    sync(link)
    newer = Checkpoint.objects.create(sha256="cd" * 32, name="run 1")
    type(frame).objects.filter(pk=frame.pk).update(checkpoint=newer, proposals=[{**OTHER, "score": 0.9}])
    sync(link), sync(link)
    versions = [one["model_version"] for one in stub.predictions.values()]
    assert versions == ["day 0-abababababab", "run 1-cdcdcdcdcdcd"]
    assert next(iter(stub.projects.values()))["model_version"] == "run 1-cdcdcdcdcdcd"
    LabelStudioTask.objects.update(model_version="")
    sync(link)
    assert len(stub.predictions) == 2, "what is there is not pushed again"


def test_what_somebody_removed_there_is_made_again(stub, link, make_frame):
    make_frame()
    sync(link)
    stub.views.clear(), stub.webhooks.clear()
    assert sync(link)
    assert len(stub.views) == len(stub.webhooks) == 1
    stub.projects.clear()
    assert not sync(link)
    assert "is gone from Label Studio" in link.error
    linking.link_to(link.project, url=link.url, token="", our_url=link.our_url, ml_url="")
    assert sync(link), link.error
    assert len(stub.projects) == 1


def test_the_ml_backend_is_connected_and_its_webhook_gets_the_secret(stub, link, settings):
    ours = {"url": stub.url, "token": "", "our_url": link.our_url}
    linking.link_to(link.project, ml_url="http://127.0.0.1:9090", **ours)
    assert sync(link)
    (backend,) = stub.backends.values()
    assert (backend["auth_method"], backend["basic_auth_pass"]) == ("BASIC_AUTH", settings.ML_SECRET)
    hook = next(one for one in stub.webhooks.values() if one["url"].endswith(":9090/webhook"))
    assert hook["headers"] == {"X-Secondsticks-Secret": settings.ML_SECRET}
    assert syncing.is_ml_backend_needed()
    linking.link_to(link.project, ml_url="", **ours)
    assert sync(link) and not stub.backends and len(stub.webhooks) == 1
    assert not syncing.is_ml_backend_needed()


def test_without_an_ml_backend_that_answers_the_link_works_and_says_so(stub, link, make_frame):
    make_frame()
    stub.ml_works = False
    linking.link_to(
        link.project, url=stub.url, token="", our_url=link.our_url, ml_url="http://127.0.0.1:9090"
    )
    assert sync(link) and stub.tasks
    assert "Proposals are pushed all the same" in link.ml_error
    stub.ml_works = True
    assert sync(link) and not link.ml_error and stub.backends


# Answers come back


@pytest.mark.parametrize("completed_by", [7, {"id": 7, "email": AUTHOR}, None])
def test_an_answer_becomes_a_version_in_pixels_with_its_author_and_time(stub, link, make_frame, completed_by):
    frame = make_frame()
    sync(link)
    stub.annotate(frame.frame_key, [drawn()], completed_by=completed_by)
    sync(link), sync(link)
    (said,) = Annotation.objects.all()
    assert (said.boxes, said.origin, said.seconds, said.by) == ([BOX], Origin.LABEL_STUDIO, 4.541, None)
    assert said.by_name == (AUTHOR if completed_by else bringing.NOBODY)
    frame.refresh_from_db()
    assert (frame.state, frame.standing) == (FrameState.LABELLED, said)


def test_no_box_says_no_slate_and_a_skip_says_nothing_though_the_proposal_is_in_it(stub, link, make_frame):
    empty, skipped = make_frame(), make_frame()
    sync(link)
    stub.annotate(empty.frame_key, [])
    skip = stub.annotate(skipped.frame_key, [drawn(origin="prediction")], was_cancelled=True)
    sync(link)
    empty.refresh_from_db(), skipped.refresh_from_db()
    assert (empty.standing.boxes, empty.state) == ([], FrameState.LABELLED)
    assert (skipped.standing, skipped.state) == (None, FrameState.SKIPPED)
    said = Annotation.objects.get(frame=skipped)
    assert (said.boxes, said.skip_reason, said.origin) == (None, "other", Origin.SKIPPED)
    stub.change(skip, was_cancelled=False, result=[drawn()])
    sync(link)
    skipped.refresh_from_db()
    assert (skipped.standing.boxes, skipped.state) == ([BOX], FrameState.LABELLED)


def test_a_change_there_is_a_new_version_and_a_touch_without_one_is_none(stub, link, make_frame):
    frame = make_frame()
    sync(link)
    number = stub.annotate(frame.frame_key, [drawn()])
    sync(link)
    stub.change(number)
    sync(link)
    assert Annotation.objects.count() == 1
    stub.change(number, result=[drawn(OTHER)])
    sync(link)
    assert [one.boxes for one in Annotation.objects.order_by("number")] == [[BOX], [OTHER]]


def test_deleting_there_takes_the_word_back_and_deleting_the_task_does_not(stub, link, make_frame):
    taken_back, kept = make_frame(), make_frame()
    sync(link)
    number = stub.annotate(taken_back.frame_key, [drawn()])
    stub.annotate(kept.frame_key, [drawn()])
    sync(link)
    del stub.annotations[number]
    task = next(one["id"] for one in stub.tasks.values() if one["data"]["frame_key"] == kept.frame_key)
    stub.drop_task(task)
    sync(link), sync(link)
    taken_back.refresh_from_db(), kept.refresh_from_db()
    assert (taken_back.standing, taken_back.state, taken_back.version) == (None, FrameState.WAITING, 2)
    assert Annotation.objects.get(frame=taken_back, number=2).undoes.number == 1
    assert (kept.standing.boxes, kept.version) == ([BOX], 1)
    stub.annotate(taken_back.frame_key, [drawn(OTHER)])
    sync(link)
    taken_back.refresh_from_db()
    assert (taken_back.standing.boxes, taken_back.version) == ([OTHER], 3)


def test_what_somebody_here_said_meanwhile_stands_and_the_difference_is_shown(
    stub, link, make_frame, page, other_page, project, lead
):
    same, differs, skipped = make_frame(), make_frame(), make_frame()
    sync(link)
    for _ in range(3):
        page.save(page.next(), [BOX])
    stub.annotate(same.frame_key, [drawn()])
    stub.annotate(differs.frame_key, [drawn(OTHER)])
    stub.annotate(skipped.frame_key, [], was_cancelled=True)
    sync(link), sync(link)
    outcomes = dict(LabelStudioAnswer.objects.values_list("frame", "outcome"))
    assert outcomes == {same.pk: "same", differs.pk: "conflict", skipped.pk: "same"}
    assert Annotation.objects.count() == 3
    shown = other_page.client.get(reverse("labeling:label-studio", args=[project.uuid])).content.decode()
    assert "Answers that differ" in shown and AUTHOR in shown
    settle = reverse("labeling:label-studio-settle", args=[project.uuid])
    answer = LabelStudioAnswer.objects.get(outcome="conflict")
    for _ in range(2):  # a double click decides once
        other_page.client.post(settle, {"answer": answer.pk, "take": "theirs"})
    differs.refresh_from_db()
    assert (differs.standing.boxes, differs.standing.by, differs.version) == ([OTHER], lead, 2)
    sync(link)
    assert Annotation.objects.count() == 4


def test_a_lead_may_keep_what_was_said_here(stub, link, make_frame, page, other_page, project):
    frame = make_frame()
    sync(link)
    page.save(page.next(), [BOX])
    stub.annotate(frame.frame_key, [drawn(OTHER)])
    sync(link)
    answer = LabelStudioAnswer.objects.get(outcome="conflict")
    settle = reverse("labeling:label-studio-settle", args=[project.uuid])
    other_page.client.post(settle, {"answer": answer.pk, "take": "ours"})
    frame.refresh_from_db()
    assert frame.standing.boxes == [BOX]
    assert "Answers that differ" not in other_page.client.get(settle.replace("settle/", "")).content.decode()


def test_who_has_the_frame_open_here_meanwhile_sees_both(stub, link, make_frame, page):
    frame = make_frame()
    sync(link)
    opened = page.next()
    stub.annotate(frame.frame_key, [drawn(OTHER)])
    sync(link)
    refused = page.save(opened, [BOX])
    assert (refused.status_code, refused.json()["kind"]) == (409, "stale")
    assert refused.json()["theirs"]["boxes"] == [OTHER]


@pytest.mark.parametrize(
    ("result", "sentence"),
    [
        ([drawn(image_rotation=90)], "rotated"),
        ([drawn(original_width=640)], "drawn on a picture of 640"),
        ([{**drawn(), "type": "brushlabels"}], "not a rectangle"),
        (
            [drawn(value={"x": 90, "y": 10, "width": 50, "height": 10, "rectanglelabels": ["open"]})],
            "outside",
        ),
        (
            [drawn(value={"x": 1, "y": 1, "width": 5, "height": 5, "rectanglelabels": ["ajar"]})],
            "unknown label",
        ),
        ("no list", "not a list"),
        ([drawn(id=str(n)) for n in range(17)], "at most 16 slates"),
    ],
)
def test_what_cannot_be_used_is_said_and_nothing_is_guessed(stub, link, make_frame, result, sentence):
    frame, other = make_frame(), make_frame()
    sync(link)
    number = stub.annotate(frame.frame_key, result)
    stub.annotate(other.frame_key, [drawn()])
    assert sync(link)
    (note,) = link.notes
    assert sentence in note and AUTHOR in note
    assert list(Annotation.objects.values_list("frame", flat=True)) == [other.pk]
    stub.change(number, result=[drawn()])
    sync(link)
    frame.refresh_from_db()
    assert frame.standing.boxes == [BOX] and not link.notes


def test_tasks_that_are_not_ours_are_left_alone(stub, link, make_frame, make_project, make_clip):
    elsewhere = make_frame(make_clip("B.mov", project=make_project("Other")), frame=5)
    sync(link)
    number = next(iter(stub.projects))
    for key in (None, elsewhere.frame_key, "no/key", "no/key", 7):
        stub.add_task(number, {"image": "x", "frame_key": key}, [])
    stub.annotate(elsewhere.frame_key, [drawn()])
    assert sync(link)
    assert not Annotation.objects.exists() and len(stub.tasks) == 5
    assert link.notes == ["3 task(s) there are of no frame of this project, and left alone."]


# Faults


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("401", "does not accept the token"), ("legacy", "make a personal access token"),
        ("500", "trouble of its own"), ("slow", "does not answer in time"),
        ("html", "is no Label Studio"), ("302", "sends us elsewhere"),
    ],
)  # fmt: skip
def test_a_fault_is_said_and_loses_nothing(stub, link, make_frame, monkeypatch, fault, sentence):
    frame = make_frame()
    assert sync(link)
    stub.annotate(frame.frame_key, [drawn()])
    stub.fault = fault
    if fault == "slow":
        monkeypatch.setattr(server, "TIMEOUT", 0.3)
    assert not sync(link)
    assert (link.state, link.failures, link.leased_until) == ("trouble", 1, None)
    assert sentence in link.error
    assert TOKEN not in link.error
    stub.fault = ""
    monkeypatch.setattr(server, "TIMEOUT", 10.0)
    assert sync(link) and not link.error and link.failures == 0
    frame.refresh_from_db()
    assert frame.standing.boxes == [BOX]


def test_a_server_that_is_down_and_a_token_that_is_gone_are_said(link, stub):
    LabelStudioLink.objects.update(url="http://127.0.0.1:9")
    assert not sync(link) and "cannot be reached" in link.error
    tokens.forget(link)
    assert not sync(link) and "give it again" in link.error


def test_a_worker_that_lost_its_lease_writes_nothing(stub, link, make_frame):
    first = holding.claim(link.pk, when_due=False)
    assert first is not None and holding.claim(link.pk, when_due=False) is None
    LabelStudioLink.objects.update(leased_until="2000-01-01T00:00:00Z")
    second = holding.claim(link.pk, when_due=False)
    assert second is not None and second.link.failures == 1
    assert not syncing.sync(first)
    assert not stub.projects or LabelStudioLink.objects.get().ls_project is None
    assert LabelStudioLink.objects.get().leased_until is not None, "the second still has it"


def test_news_that_comes_during_a_sync_is_not_lost(link):
    hold = holding.claim(link.pk, when_due=False)
    syncing.hint(link)
    hold.give_back(again=timedelta(hours=1))
    link.refresh_from_db()
    soon = link.due_at
    hold = holding.claim(link.pk, when_due=False)
    hold.give_back(again=timedelta(hours=1))
    link.refresh_from_db()
    assert link.due_at - soon > timedelta(minutes=50)


# News


def test_a_webhook_with_the_secret_has_the_link_synced(stub, link, make_frame, run_jobs):
    frame = make_frame()
    sync(link)
    stub.annotate(frame.frame_key, [drawn()])
    client, address = (
        Client(enforce_csrf_checks=True),
        reverse("labeling:label-studio-webhook", args=[link.uuid]),
    )
    body = json.dumps({"action": "ANNOTATION_CREATED", "annotation": {"id": 1, "result": "forged"}})
    for secret in ("", "wrong", link.webhook_secret[:-1], "é"):
        headers = {"X-Secondsticks-Secret": secret}
        assert client.post(address, body, content_type="application/json", headers=headers).status_code == 403
    LabelStudioLink.objects.update(due_at="2999-01-01T00:00:00Z")
    headers = {"X-Secondsticks-Secret": link.webhook_secret}
    answer = client.post(address, body, content_type="application/json", headers=headers)
    assert answer.status_code == 202
    run_jobs()
    frame.refresh_from_db(), link.refresh_from_db()
    assert frame.standing.boxes == [BOX] and link.heard_at is not None


def test_events_that_the_ml_backend_left_are_hints_too(stub, link):
    sync(link)
    assert not syncing.due()
    content = {"version": 1, "action": "ANNOTATION_CREATED", "project": link.ls_project}
    store().put("webhooks/a.json", json.dumps(content).encode())
    store().put("webhooks/b.json", b"no json")
    assert events.read() == [link] and syncing.due() == [link]
    assert not list(store().list("webhooks")) and events.read() == []


def test_without_news_it_looks_again_after_a_while(link, stub):
    sync(link)
    assert not syncing.due()
    LabelStudioLink.objects.update(due_at="2000-01-01T00:00:00Z")
    assert syncing.due() == [link]


# Pictures


@pytest.fixture
def pictured(make_frame):
    picture = BytesIO()
    Image.new("RGB", (32, 18)).save(picture, "JPEG")
    frame = make_frame(picture_sha256=sha256(picture.getvalue()).hexdigest())
    store().put(frame.picture_key, picture.getvalue())
    return frame


def test_a_signed_picture_needs_no_session_and_only_the_linked_server_may_read_it(link, pictured, client):
    path = signed_pictures.address_of(pictured, link).removeprefix("http://127.0.0.1:8000")
    shown = client.get(path, headers={"Origin": "https://evil.example.org"})
    assert shown.content == store().get(pictured.picture_key)
    assert shown["Access-Control-Allow-Origin"] == link.origin == link.url
    assert (shown["Content-Type"], shown["Cross-Origin-Resource-Policy"]) == ("image/jpeg", "cross-origin")
    there = link.url.replace("127.0.0.1", "localhost")
    assert client.get(path, headers={"Origin": there})["Access-Control-Allow-Origin"] == there
    assert client.get(path, headers={"If-None-Match": shown["ETag"]}).status_code == 304
    linking.forget(link)
    assert client.get(path).status_code == 404
    assert not tokens.path_of(link).exists()


def test_an_address_ends_and_is_for_no_other_frame(link, pictured, make_frame, client, monkeypatch):
    path = signed_pictures.address_of(pictured, link).removeprefix("http://127.0.0.1:8000")
    other = make_frame()
    assert client.get(path.replace(pictured.uuid.hex, other.uuid.hex)).status_code == 404
    elsewhere = signing.TimestampSigner(salt="something else").sign(pictured.uuid.hex)
    assert client.get(reverse("labeling:signed-picture", args=[elsewhere])).status_code == 404
    assert signed_pictures.is_fresh(link.our_url + path, pictured, link)
    assert not signed_pictures.is_fresh(link.our_url + path, other, link)
    monkeypatch.setattr(signed_pictures, "DAYS", -1)
    assert client.get(path).status_code == 404


def test_addresses_are_renewed_before_they_end(stub, link, pictured, monkeypatch):
    sync(link)
    before = stub.tasks[1]["data"]["image"]
    sync(link)
    assert stub.tasks[1]["data"]["image"] == before
    monkeypatch.setattr(signed_pictures, "is_fresh", lambda *_: False)
    monkeypatch.setattr(signed_pictures, "address_of", lambda *_: "a new one")
    sync(link)
    assert stub.tasks[1]["data"]["image"] == "a new one"


# Linking


def test_a_lead_links_a_server_and_only_we_can_read_the_token(stub, home, other_page, project):
    address = reverse("labeling:label-studio", args=[project.uuid])
    said = {"url": f"{stub.url}/", "token": TOKEN, "our_url": "http://127.0.0.1:8000", "ml_url": ""}
    assert other_page.client.post(address, said).status_code == 302
    link = LabelStudioLink.objects.get()
    kept = tokens.path_of(link)
    assert (link.url, kept.read_text(), kept.stat().st_mode & 0o777) == (stub.url, TOKEN, 0o600)
    page = other_page.client.get(address).content.decode()
    assert "Being linked" in page and TOKEN not in page
    assert TOKEN not in json.dumps(list(LabelStudioLink.objects.values()), default=str)
    assert other_page.client.post(address, {**said, "token": ""}).status_code == 302
    assert kept.read_text() == TOKEN
    moved = other_page.client.post(address, {**said, "url": "http://127.0.0.1:9", "token": ""})
    assert moved.status_code == 422 and b"Give a token" in moved.content


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("url", "ftp://x"), ("url", "http://user:pw@127.0.0.1"),
        ("url", "http://169.254.169.254"),
        ("url", "http://[fd00:ec2::254]"), ("url", "http://0.0.0.0"), ("url", "http://127.0.0.1:port"),
        ("url", "x"),
        ("our_url", "javascript:alert(1)"), ("ml_url", "127.0.0.1:9090"), ("token", "two words"),
    ],
)  # fmt: skip
def test_addresses_that_make_no_sense_are_refused(home, other_page, project, field, value):
    said = {"url": "http://127.0.0.1:9", "token": TOKEN, "our_url": "http://127.0.0.1:8000", "ml_url": ""}
    address = reverse("labeling:label-studio", args=[project.uuid])
    response = other_page.client.post(address, {**said, field: value})
    assert response.status_code == 422 and b"errorlist" in response.content
    assert not LabelStudioLink.objects.exists()


def test_addresses_are_cleaned_and_compared():
    assert cleaned(" https://labels.example.org/ls/ ", "It") == "https://labels.example.org/ls"
    assert same_place("http://localhost:80", "http://127.0.0.1") and not same_place("http://a", "https://a")
    with pytest.raises(AddressRefused, match="no host"):
        require_allowed("http://nowhere.invalid")


def test_another_server_is_another_link_and_what_people_said_stays(stub, link, make_frame):
    frame = make_frame()
    sync(link)
    stub.annotate(frame.frame_key, [drawn()])
    sync(link)
    other = linking.link_to(
        link.project, url="http://127.0.0.1:9", token="t", our_url=link.our_url, ml_url=""
    )
    assert other.uuid != link.uuid and LabelStudioLink.objects.count() == 1
    frame.refresh_from_db()
    assert frame.standing.boxes == [BOX] and not tokens.path_of(link).exists()
    assert tokens.path_of(other).exists()
    link.project.delete()
    assert not tokens.path_of(other).exists()


def test_the_page_syncs_tests_and_unlinks(stub, link, other_page, project, make_frame, run_jobs):
    make_frame()
    client, name = other_page.client, "labeling:label-studio"
    client.post(reverse(f"{name}-sync", args=[project.uuid]), {"check": "1"})
    run_jobs()
    link.refresh_from_db()
    assert link.findings and not link.is_to_be_checked and link.state == "linked"
    state = client.get(reverse(f"{name}-state", args=[project.uuid])).content.decode()
    assert "Linked" in state and "does not" in state and "Label there" in state
    client.post(reverse(f"{name}-unlink", args=[project.uuid]))
    assert not LabelStudioLink.objects.exists() and stub.projects


def test_the_doctor_says_what_does_not_work(stub, link, make_frame, capsys):
    stub.fault = "401"
    assert [tuple(one) for one in doctor.look(link)] == [(False, server.of_status(link.url, 401, "").args[0])]
    with pytest.raises(CommandError, match="Not everything works"):
        call_command("labelstudio", "doctor")
    assert "NO  Label Studio at" in capsys.readouterr().out


def test_the_sdk_is_not_loaded_with_the_web_process():
    import subprocess
    import sys

    code = (
        "import sys; sys.modules['label_studio_sdk'] = None\n"
        "import secondsticks.wsgi, secondsticks.urls, secondsticks.labeling.tasks"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr

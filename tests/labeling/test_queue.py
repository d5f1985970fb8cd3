"""What the queue gives out, what it keeps, and what it refuses."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from secondsticks.labeling import queue
from secondsticks.labeling.models import Annotation, Draft, LabelingSettings, QueuedFrame
from tests.labeling.conftest import BOX, OTHER

pytestmark = pytest.mark.django_db


def run_out(frame: dict) -> None:
    QueuedFrame.objects.filter(uuid=frame["uuid"]).update(leased_until=Now() - timedelta(seconds=1))


def test_the_best_frame_comes_first_with_all_that_a_page_needs(make_frame, page):
    make_frame(frame=30, rank=2)
    best = make_frame(frame=3, rank=1)
    frame = page.next()
    assert (frame["uuid"], frame["frame"], frame["timecode"]) == (str(best.uuid), 3, "01:00:00:03")
    assert frame["key"] == best.frame_key
    assert frame["proposals"] == best.proposals
    assert frame["reasons"] == ["the sticks could be open or closed"]
    assert frame["neighbours"]["first"] == 0 and frame["neighbours"]["last"] == 15
    assert frame["neighbours"]["picture"] == f"/frames/{best.uuid}/near/{{frame}}.jpg"
    assert frame["lease"]["seconds"] == pytest.approx(600, abs=1)
    assert frame["draft"] is None


def test_two_people_get_two_frames_and_then_there_is_none(make_frame, page, other_page):
    make_frame()
    make_frame()
    assert page.next()["uuid"] != other_page.next()["uuid"]
    mine = page.next()
    assert page.next(mine["uuid"]) is None


def test_who_comes_back_gets_what_they_had_open_with_their_draft(make_frame, page):
    make_frame()
    make_frame()
    frame = page.next()
    drawn = {"boxes": [{**BOX, "state": None}], "made_on": 0}
    assert page.send("draft", frame["uuid"], method="put", **drawn).status_code == 200
    again = page.next()
    assert (again["uuid"], again["lease"]["token"]) == (frame["uuid"], frame["lease"]["token"])
    assert again["draft"] == drawn


def test_a_page_that_holds_one_gets_another_up_to_a_limit(make_frame, page):
    for _ in range(queue.MOST_HELD + 1):
        make_frame()
    held = []
    for _ in range(queue.MOST_HELD):
        held.append(page.next(*held)["uuid"])
    assert len(set(held)) == queue.MOST_HELD
    assert page.next(*held) is None


def test_a_lease_that_ran_out_returns(make_frame, page, other_page):
    make_frame()
    frame = page.next()
    assert other_page.next() is None
    run_out(frame)
    assert other_page.next()["uuid"] == frame["uuid"]
    refused = page.save(frame)
    assert (refused.status_code, refused.json()["kind"]) == (409, "lease")
    assert Annotation.objects.count() == 0


def test_the_lease_is_as_long_as_the_project_wants(make_frame, page, project):
    LabelingSettings.objects.create(project=project, lease_minutes=3)
    frame = make_frame()
    assert page.next()["lease"]["seconds"] == pytest.approx(180, abs=1)
    again = queue.next_frame(page.person, project, lease=timedelta(seconds=7))
    assert (again.frame.uuid, again.lease_seconds) == (frame.uuid, pytest.approx(7, abs=0.5))


def test_a_late_answer_is_kept_if_nobody_else_has_the_frame(make_frame, page):
    make_frame()
    frame = page.next()
    run_out(frame)
    assert page.save(frame).status_code == 200


def test_keeping_and_giving_back_a_lease(make_frame, page, other_page):
    make_frame()
    frame = page.next()
    token = frame["lease"]["token"]
    run_out(frame)
    assert page.send("keep-lease", frame["uuid"], token=token).json()["seconds"] == 600
    assert other_page.next() is None
    assert other_page.send("release", frame["uuid"], token=token).json() == {"released": False}
    assert page.send("release", frame["uuid"], token=token).json() == {"released": True}
    assert other_page.next()["uuid"] == frame["uuid"]
    lost = page.send("keep-lease", frame["uuid"], token=token)
    assert (lost.status_code, lost.json()["kind"]) == (409, "lease")


def test_a_saved_answer_is_kept_and_the_frame_leaves_the_queue(make_frame, page):
    queued = make_frame()
    frame = page.next()
    page.send("draft", frame["uuid"], method="put", boxes=[BOX], made_on=0)
    said = page.save(frame, [{**BOX, "score": 0.9}], seconds=3.5).json()["annotation"]
    assert said["boxes"] == [BOX]
    assert (said["version"], said["origin"], said["by"], said["seconds"]) == (1, "accepted", "ann", 3.5)
    queued.refresh_from_db()
    assert (queued.state, queued.version, queued.leased_to) == ("labelled", 1, None)
    assert queued.standing.boxes == [BOX]
    assert not Draft.objects.exists()
    assert page.next() is None


@pytest.mark.parametrize(
    ("boxes", "origin"),
    [
        ([BOX], "accepted"),
        ([{**BOX, "x": 101.0}], "accepted"),
        ([{**BOX, "state": "closed"}], "changed"),
        ([{**BOX, "x": 140.0}], "changed"),
        ([], "changed"),
        ([BOX, OTHER], "changed"),
    ],
)
def test_the_origin_says_what_became_of_the_proposal(make_frame, page, boxes, origin):
    make_frame()
    assert page.save(page.next(), boxes).json()["annotation"]["origin"] == origin


def test_what_nobody_proposed_is_drawn_and_agreeing_on_no_slate_is_accepting(make_frame, page):
    make_frame(proposals=[])
    make_frame(proposals=[])
    assert page.save(page.next(), [BOX]).json()["annotation"]["origin"] == "drawn"
    assert page.save(page.next(), []).json()["annotation"]["origin"] == "accepted"


def test_the_same_key_again_is_the_same_answer(make_frame, page):
    make_frame()
    frame = page.next()
    first, second = page.save(frame, key="one"), page.save(frame, [OTHER], key="one")
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.content == second.content
    assert Annotation.objects.count() == 1


def test_a_stale_answer_is_refused_with_both(make_frame, page, other_page, make_person, project):
    make_frame()
    frame = page.next()
    assert page.save(frame).status_code == 200
    refused = page.save(frame, [OTHER], key="another")
    assert refused.status_code == 409
    said = refused.json()
    assert (said["kind"], said["version"]) == ("stale", 1)
    assert (said["yours"]["boxes"], said["theirs"]["boxes"]) == ([OTHER], [BOX])
    assert Annotation.objects.count() == 1


def test_without_a_lease_nothing_is_saved(make_frame, page, other_page):
    make_frame()
    frame = page.next()
    refused = other_page.save(frame)
    assert (refused.status_code, refused.json()["kind"]) == (409, "lease")
    page.send("release", frame["uuid"], token=frame["lease"]["token"])
    assert page.save(frame).status_code == 409
    assert Annotation.objects.count() == 0


def test_a_frame_can_be_taken_again_and_changed_by_another_version(make_frame, page, other_page):
    make_frame()
    page.save(page.next())
    (uuid,) = QueuedFrame.objects.values_list("uuid", flat=True)
    taken = page.send("take", uuid).json()
    assert taken["annotation"]["boxes"] == [BOX]
    busy = other_page.send("take", uuid)
    assert (busy.status_code, busy.json()["kind"]) == (409, "lease")
    assert page.save(taken["frame"], [OTHER]).json()["annotation"]["version"] == 2
    other = other_page.send("take", uuid).json()
    assert other["annotation"] is None
    assert QueuedFrame.objects.get().standing.boxes == [OTHER]


def test_a_skip_has_its_reason_and_ends_the_waiting(make_frame, page):
    make_frame()
    said = page.skip(page.next(), "blurred").json()["annotation"]
    assert (said["boxes"], said["skip_reason"], said["origin"]) == (None, "blurred", "skipped")
    assert QueuedFrame.objects.get().state == "skipped"
    assert page.next() is None


def test_undo_brings_the_frame_back_to_its_author(make_frame, page):
    make_frame()
    frame = page.next()
    page.save(frame)
    undone = page.undo(frame, 1).json()
    assert undone["frame"]["version"] == 2
    assert undone["annotation"]["undoes"] == 1 and undone["annotation"]["boxes"] is None
    queued = QueuedFrame.objects.get()
    assert (queued.state, queued.standing, queued.people) == ("waiting", None, [])
    assert page.undo(frame, 1).json()["frame"]["lease"] == undone["frame"]["lease"], "the same key again"
    assert page.save(undone["frame"], [OTHER]).status_code == 200


def test_undo_restores_the_version_before(make_frame, page):
    make_frame()
    frame = page.next()
    page.save(frame)
    page.save(page.send("take", frame["uuid"]).json()["frame"], [OTHER])
    assert page.undo(frame, 2, key="first").json()["annotation"]["boxes"] == [BOX]
    assert QueuedFrame.objects.get().state == "labelled"
    assert page.undo(frame, 3, key="second").json()["annotation"]["boxes"] is None
    nothing = page.undo(frame, 4, key="third")
    assert (nothing.status_code, nothing.json()["kind"]) == (409, "nothing")


def test_undo_of_what_has_moved_on_is_stale(make_frame, page, other_page):
    make_frame()
    frame = page.next()
    page.save(frame)
    other_page.save(other_page.send("take", frame["uuid"]).json()["frame"], [OTHER])
    assert page.undo(frame, 1).json()["kind"] == "stale"


def test_a_second_opinion_is_asked_of_another_person_once(make_frame, page, other_page, open_page, admin):
    queued = make_frame(opinions=2)
    frame = page.next()
    page.save(frame)
    queued.refresh_from_db()
    assert queued.state == "waiting"
    assert page.next() is None
    second = other_page.next()
    assert second["uuid"] == frame["uuid"] and second["proposals"] == queued.proposals
    assert second["opinions"] == {"wanted": 2, "given": 1}
    assert other_page.save(second, [{**BOX, "state": "closed"}]).status_code == 200
    queued.refresh_from_db()
    assert queued.state == "labelled"
    assert open_page(admin).next() is None
    assert page.read("history", queued.uuid).json()["agreement"] == 0


def test_an_opinion_is_given_without_seeing_the_others(make_frame, page, make_person, open_page, project):
    queued = make_frame(opinions=2)
    page.save(page.next())
    ben = make_person("ben")
    project.memberships.create(user=ben, role="annotator")
    assert open_page(ben).read("history", queued.uuid).json()["versions"] == []
    assert len(page.read("history", queued.uuid).json()["versions"]) == 1


def test_taking_back_one_of_two_opinions_asks_again(make_frame, page, other_page):
    queued = make_frame(opinions=2)
    page.save(page.next())
    second = other_page.next()
    other_page.save(second)
    other_page.undo(second, 2)
    queued.refresh_from_db()
    assert (queued.state, len(queued.people)) == ("waiting", 1)
    assert queued.standing.by == page.person


def test_history_and_compare_show_each_version(make_frame, page):
    make_frame()
    frame = page.next()
    page.save(frame)
    page.save(page.send("take", frame["uuid"]).json()["frame"], [{**BOX, "state": "closed"}, OTHER])
    told = page.read("history", frame["uuid"]).json()
    assert [(one["version"], one["made_on"], len(one["boxes"])) for one in told["versions"]] == [
        (1, 0, 1),
        (2, 1, 2),
    ]
    assert (told["state"], told["agreement"]) == ("labelled", None)
    compared = page.read("compare", frame["uuid"], **{"of": 1, "with": 2}).json()
    assert [change["kind"] for change in compared["changes"]] == ["restated", "added"]
    assert page.read("compare", frame["uuid"], **{"of": 1, "with": 9}).status_code == 400


def test_who_is_signed_out_is_told_so_in_json(make_frame, client):
    frame = make_frame()
    response = client.post(f"/frames/{frame.uuid}/save/", "{}", content_type="application/json")
    assert (response.status_code, "Sign in" in response.json()["error"]) == (401, True)

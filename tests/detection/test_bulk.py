"""Accepting many sure clips at once, and taking that back."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from secondsticks.detection import bulk
from secondsticks.detection.decisions import Wanted, decide
from secondsticks.detection.models import Decision, DecisionKind, StandingVerdict


@pytest.fixture(autouse=True)
def _signed_in(client, annotator):
    client.force_login(annotator)


@pytest.fixture
def clips(make_clip, make_scan):
    """Name -> clip: two confident ones, one that is not, one whose second clap is not, others."""
    made = {}
    for name, verdict, confidences in [
        ("a.mov", "sure", [0.95]),
        ("b.mov", "sure", [0.92, 0.99]),
        ("c.mov", "sure", [0.7]),
        ("d.mov", "sure", [0.99, 0.6]),
        ("e.mov", "look", [0.99]),
        ("f.mov", "mos", []),
    ]:
        made[name] = make_clip(name)
        scan = make_scan(made[name], claps=[100 + 50 * n for n in range(len(confidences))], verdict=verdict)
        for clap, confidence in zip(scan.claps.all(), confidences, strict=True):
            scan.claps.filter(pk=clap.pk).update(confidence=confidence)
    return made


def confirmed() -> list[str]:
    rows = StandingVerdict.objects.filter(is_confirmed=True, verdict="sure")
    return sorted(rows.values_list("clip__name", flat=True))


@pytest.mark.parametrize(("percent", "number"), [(50, 4), (70, 3), (90, 2), (95, 1), (96, 0)])
def test_the_number_is_said_before(client, project, clips, percent, number):
    response = client.get(reverse("detection:accept-sure", args=[project.uuid]) + f"?over={percent}")
    assert response.context["number"] == number
    assert not Decision.objects.exists()


def test_accept_and_take_back(client, project, clips):
    address = reverse("detection:accept-sure", args=[project.uuid])
    page = client.post(address, {"over": 90}, follow=True)
    assert "2 clips accepted in your name" in page.content.decode()
    assert confirmed() == ["a.mov", "b.mov"]
    assert {one.by_name for one in Decision.objects.all()} == {"ann"}
    assert Decision.objects.count() == 3

    batch = Decision.objects.first().batch
    for said in ("Taken back on 2 clips", "Taken back on 0 clips"):
        page = client.post(reverse("detection:take-back", args=[project.uuid, batch]), follow=True)
        assert said in page.content.decode()
    assert confirmed() == []
    assert Decision.objects.count() == 6


def test_what_was_decided_since_is_left_alone(project, clips, annotator, lead):
    batch = bulk.accept(project, annotator, 90)
    decide(clips["a.mov"], lead, Wanted(DecisionKind.MOS, 1, "hers"))
    assert bulk.take_back(project, lead, batch) == 1
    assert StandingVerdict.objects.get(clip=clips["a.mov"]).verdict == "mos"
    assert confirmed() == []


def test_clips_that_people_have_decided_on_are_not_touched(project, clips, annotator, lead):
    clap = clips["a.mov"].scans.get().claps.get()
    decide(clips["a.mov"], lead, Wanted(DecisionKind.REJECT, 0, "hers", clap=clap.uuid))
    bulk.accept(project, annotator, 90)
    assert confirmed() == ["b.mov"]


def test_a_batch_of_another_project_stays(client, project, clips, make_project, annotator):
    batch = bulk.accept(project, annotator, 90)
    other = make_project("Elsewhere", lead=annotator)
    client.post(reverse("detection:take-back", args=[other.uuid, batch]))
    assert confirmed() == ["a.mov", "b.mov"]


@pytest.mark.parametrize("over", ["", "junk", "49", "101"])
def test_a_number_that_is_none_is_refused(client, project, clips, over):
    response = client.post(reverse("detection:accept-sure", args=[project.uuid]), {"over": over})
    assert response.status_code == 422
    assert not Decision.objects.exists()


def test_few_queries_for_many_clips(project, make_clip, make_scan, annotator):
    for number in range(20):
        make_scan(make_clip(f"{number}.mov"), claps=[100])
    with CaptureQueriesContext(connection) as queries:
        bulk.accept(project, annotator, 90)
    assert len(confirmed()) == 20
    assert len(queries) < 20

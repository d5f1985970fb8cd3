"""How a project labels, and how labelling goes."""

from __future__ import annotations

import pytest
from django.urls import reverse

from secondsticks.labeling.counting import progress_of
from secondsticks.labeling.models import Batch, LabelingSettings, QueuedFrame
from tests.labeling.conftest import BOX

pytestmark = pytest.mark.django_db
WISHES = {
    "strategy": "uncertain", "batch_size": "80", "random_percent": "20", "second_percent": "10",
    "second_opinions": "3", "lease_minutes": "15",
}  # fmt: skip


def send(page, project, **fields):
    return page.client.post(reverse("labeling:settings", args=[project.uuid]), {**WISHES, **fields})


def test_a_lead_sets_how_a_project_labels(other_page, project):
    Batch.objects.create(project=project, number=1, chosen=[], state="done")
    assert send(other_page, project).status_code == 302
    kept = LabelingSettings.objects.get(project=project)
    assert (kept.strategy, kept.batch_size, kept.lease_minutes) == ("uncertain", 80, 15)
    assert (kept.random_share, kept.second_opinion_share, kept.second_opinions) == (0.2, 0.1, 3)
    assert not Batch.objects.exists(), "by these settings there may be more to ask"
    page = other_page.client.get(reverse("labeling:settings", args=[project.uuid])).content.decode()
    assert 'name="random_percent" value="20"' in page


@pytest.mark.parametrize(
    "wrong",
    [
        {"strategy": "clever"}, {"batch_size": "0"}, {"batch_size": "5000"}, {"random_percent": "101"},
        {"second_percent": "-1"}, {"second_opinions": "1"}, {"lease_minutes": "0"}, {"lease_minutes": ""},
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_and_said(other_page, project, wrong):
    response = send(other_page, project, **wrong)
    assert response.status_code == 422 and b"errorlist" in response.content
    assert not LabelingSettings.objects.exists()


def test_progress_says_what_waits_who_did_what_and_how_far_people_agree(
    make_frame, page, other_page, project
):
    for _ in range(3):
        make_frame()
    make_frame(opinions=2, rank=99)
    page.save(page.next(), [BOX], seconds=4)
    page.save(page.next(), [{**BOX, "state": "closed"}])
    page.skip(page.next(), "hidden")
    page.save(page.next(), [BOX])
    other_page.save(other_page.next(), [{**BOX, "state": "closed"}])
    make_frame()
    page.next()
    progress = progress_of(project)
    assert (progress.waiting, progress.labelled, progress.skipped, progress.open_now) == (1, 3, 1, 1)
    assert [(one.name, one.answers, one.skipped) for one in progress.people] == [("ann", 4, 1), ("lea", 1, 0)]
    assert (progress.accepted_percent, progress.agreement, progress.compared) == (50, 0, 1)


def test_the_queue_page_says_it_in_words_and_in_json(make_frame, page, project):
    address = reverse("labeling:queue", args=[project.uuid])
    assert "They come when clips have been scanned" in page.client.get(address).content.decode()
    make_frame()
    page.save(page.next())
    assert "1" in page.client.get(address).content.decode()
    told = page.client.get(address, headers={"accept": "application/json"}).json()
    assert (told["waiting"], told["labelled"], told["accepted"]) == (0, 1, 1.0)


def test_a_batch_that_failed_is_said(page, project):
    Batch.objects.create(project=project, number=1, state="failed", error="The store does not answer.")
    address = reverse("labeling:queue", args=[project.uuid])
    assert "The store does not answer." in page.client.get(address).content.decode()


def test_frames_of_a_clip_that_is_removed_go_with_it_and_their_history_too(make_frame, page):
    queued = make_frame()
    frame = page.next()
    page.save(frame)
    page.undo(frame, 1)
    queued.clip.delete()
    assert not QueuedFrame.objects.exists()


def test_what_people_said_stays_when_their_account_goes(make_frame, page, other_page):
    queued = make_frame()
    page.save(page.next())
    page.person.delete()
    (said,) = other_page.read("history", queued.uuid).json()["versions"]
    assert (said["by"], said["boxes"]) == ("ann", [BOX])

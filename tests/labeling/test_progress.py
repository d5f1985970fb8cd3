"""What the Labelling page tells the lead, and what it does not pretend to know."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import F
from django.urls import reverse

from secondsticks.detection.models import Checkpoint
from secondsticks.labeling import counting
from secondsticks.labeling.estimates import Estimate, Share, wilson
from secondsticks.labeling.models import Annotation, QueuedFrame
from secondsticks.labeling.newest import labelled_last
from secondsticks.labeling.over_time import Chart, accepted_over_time
from tests.labeling.conftest import BOX, OTHER

NO_BREAK = "\N{NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("hits", "tries", "interval"),
    [(0, 0, (0, 1)), (0, 10, (0, 0.2775)), (5, 10, (0.2366, 0.7634)), (14, 50, (0.1747, 0.4167))],
)
def test_intervals_are_wilsons(hits, tries, interval):
    assert wilson(hits, tries) == pytest.approx(interval, abs=1e-4)


def test_an_estimate_counts_frames_by_how_they_were_chosen():
    estimate = Estimate.of(
        [(True, False)] * 12 + [(False, False)] * 28 + [(True, True)] * 2 + [(False, True)] * 8
    )
    assert (estimate.all, estimate.by_chance) == (Share(14, 50), Share(2, 10))
    assert estimate.sentences == [
        f"Of the last 50 answers, 14 changed what the champion proposed (28{NO_BREAK}%); of those about "
        "frames drawn by chance, 2 of 10.",
        "At this rate the next 50 would correct about 14 frames (9 to 21).",
        f"On all frames, also those in no doubt, people would change about 20{NO_BREAK}% of what the "
        f"champion proposes (6 to 51{NO_BREAK}%).",
    ]


def test_where_too_little_is_known_it_says_so():
    assert "Nobody has answered yet" in Estimate.of([]).sentences[0]
    (few,) = Estimate.of([(True, False)] * 3).sentences
    assert few.startswith("Too few answers to tell: 3 so far") and "3 changed them" in few
    assert "No frame drawn by chance" in Estimate.of([(False, False)] * 30).sentences[-1]
    assert "5 drawn by chance are too few" in Estimate.of([(False, i < 5) for i in range(30)]).sentences[-1]


@pytest.fixture
def champion(make_frame) -> Checkpoint:
    """The one that made the proposals of frames here, in use."""
    make_frame(state="withdrawn")
    Checkpoint.objects.update(is_champion=False)
    Checkpoint.objects.filter(sha256="ab" * 32).update(is_champion=True)
    return Checkpoint.objects.get(sha256="ab" * 32)


@pytest.mark.django_db
def test_people_are_told_by_what_they_did_not_take_back(make_frame, page, project):
    for _ in range(4):
        make_frame()
    for seconds in (2, 4, 60):
        page.save(page.next(), [BOX], seconds=seconds)
    last = page.next()
    page.save(last, [OTHER], seconds=100)
    page.undo(last, 1)
    assert counting.said_by_people(project) == (counting.Person("ann", 3, 0, 3, 3, 4.0),)


@pytest.mark.django_db
def test_what_is_drawn_where_nothing_was_proposed_corrects_nothing(make_frame, page, project, champion):
    make_frame(checkpoint=None, proposals=[])
    page.save(page.next(), [BOX])
    (person,) = counting.said_by_people(project)
    assert (person.answers, person.proposed) == (1, 0)
    assert counting.estimate_in(project).all.tries == 0


@pytest.mark.django_db
def test_the_estimate_is_about_the_champion_in_use(make_frame, page, project, champion):
    older = Checkpoint.objects.create(sha256="cd" * 32, name="older")
    make_frame(checkpoint=older)
    make_frame(why="random")
    make_frame()
    page.save(page.next(), [BOX])
    page.save(page.next(), [OTHER])
    page.save(page.next(), [BOX])
    estimate = counting.estimate_in(project)
    assert (estimate.all, estimate.by_doubt, estimate.by_chance) == (Share(1, 2), Share(0, 1), Share(1, 1))


def answered(frame: QueuedFrame, person, *, origin: str = "accepted", ago: int = 0, **said) -> Annotation:
    """Somebody's answer, so many minutes ago."""
    known = {"boxes": [BOX], "by": person, "by_name": person.username, "key": "k", **said}
    row = Annotation.objects.create(
        project=frame.project, frame=frame, number=1, made_on=0, origin=origin, **known
    )
    Annotation.objects.filter(pk=row.pk).update(at=F("at") - timedelta(minutes=ago))
    QueuedFrame.objects.filter(pk=frame.pk).update(state="labelled", standing=row, version=1)
    return row


@pytest.mark.django_db
def test_the_chart_has_whole_points_up_to_the_newest_answer(make_frame, annotator, project):
    assert not accepted_over_time(project)
    for number in range(60):
        answered(make_frame(), annotator, origin="changed" if number < 35 else "accepted", ago=100 - number)
    chart = accepted_over_time(project)
    assert [point.share for point in chart.points] == [Share(0, 25), Share(25, 25)]
    assert (chart.line, chart.each) == ("0,100 1000,0", 25)
    assert "from 0 % to 100 %" in chart.in_words
    assert isinstance(chart, Chart) and chart.points[0].last < chart.points[1].first


@pytest.mark.django_db
def test_the_newest_frames_say_what_holds_and_what_was_derived(make_frame, lead, project):
    answered(make_frame(), lead, boxes=[BOX, OTHER, OTHER], ago=3)
    answered(make_frame(), lead, boxes=[], origin="drawn", ago=2)
    answered(make_frame(), lead, origin="derived", ago=1)
    waits = make_frame()
    answered(waits, lead)
    QueuedFrame.objects.filter(pk=waits.pk).update(state="waiting")
    assert [(one.what, one.how) for one in labelled_last(project, derived=False)] == [
        ("no slate", "drawn"), ("2 × closed, open", "accepted"),
    ]  # fmt: skip
    (derived,) = labelled_last(project, derived=True)
    assert derived.is_derived


@pytest.mark.django_db
def test_the_page_shows_it_and_tells_annotators_only_about_themselves(
    make_frame, page, other_page, project, champion
):
    make_frame(opinions=2)
    frame = page.next()
    page.save(frame, [BOX], seconds=3)
    other_page.save(other_page.next(), [BOX], seconds=5)
    derived = make_frame()
    answered(derived, other_page.person, origin="derived")
    address = reverse("labeling:queue", args=[project.uuid])
    whole = other_page.client.get(address).content.decode()
    for said in ("ann", "lea", f"?frame={frame['uuid']}", f"?frame={derived.uuid}", "Derived from what lea",
                 "Too few answers to tell: 2 so far", "1 by decisions about clips"):  # fmt: skip
        assert said in whole
    assert "style=" not in whole, "the content security policy forbids it"
    own = page.client.get(address, headers={"accept": "application/json"}).json()
    assert [one["name"] for one in own["people"]] == ["ann"]
    assert (own["labelled"], own["derived"], own["people"][0]["seconds"]) == (2, 1, 3.0)


@pytest.mark.django_db
def test_the_chart_is_drawn_with_words_for_who_cannot_see_it(make_frame, other_page, project):
    for number in range(50):
        answered(make_frame(), other_page.person, ago=50 - number)
    shown = other_page.client.get(reverse("labeling:queue", args=[project.uuid])).content.decode()
    assert 'role="img" aria-label="Share of proposals accepted unchanged, 2 points of 25 labels each' in shown

"""Decisions in the database: kept, refused when stale, undone, and one for a double click."""

import threading

import pytest
from django.db import connection

from secondsticks.detection import decisions
from secondsticks.detection.decisions import Impossible, Stale, Wanted, decide
from secondsticks.detection.models import Clap, Decision, DecisionKind, Scan, StandingVerdict


@pytest.fixture
def scanned(make_clip, make_scan):
    clip = make_clip()
    make_scan(clip, claps=[100], verdict="look")
    return clip


def want(kind, made_on=0, key="", **fields) -> Wanted:
    return Wanted(DecisionKind(kind), made_on, key or f"key {made_on}", **fields)


def the_clap(clip):
    return Clap.objects.get(scan__clip=clip, scan__is_current=True).uuid


def verdict_of(clip):
    row = StandingVerdict.objects.get(clip=clip)
    return row.verdict, row.is_confirmed


def test_what_was_before_and_after_and_by_whom_is_kept(scanned, annotator):
    decide(scanned, annotator, want("move", clap=the_clap(scanned), frame=101, seconds=4.25))
    kept = Decision.objects.get()
    assert (kept.number, kept.frame_before, kept.frame_after, kept.seconds) == (1, 100, 101, 4.25)
    assert (kept.by, kept.by_name, kept.scan) == (annotator, "ann", Scan.objects.get())
    assert verdict_of(scanned) == ("sure", True)


def test_a_double_click_is_one_decision(scanned, annotator):
    for _ in range(2):
        decide(scanned, annotator, want("accept", key="once", clap=the_clap(scanned)))
    assert Decision.objects.count() == 1


def test_a_decision_on_what_is_no_longer_there_is_stale(scanned, annotator, lead):
    decide(scanned, lead, want("mos", key="lea"))
    with pytest.raises(Stale):
        decide(scanned, annotator, want("accept", key="ann", clap=the_clap(scanned)))
    assert verdict_of(scanned) == ("mos", True)


def test_undo_takes_back_the_last_one_again_and_again(scanned, annotator):
    decide(scanned, annotator, want("accept", 0, clap=the_clap(scanned)))
    decide(scanned, annotator, want("mos", 1))
    decide(scanned, annotator, want("undo", 2))
    assert verdict_of(scanned) == ("sure", True)
    decide(scanned, annotator, want("undo", 3))
    assert verdict_of(scanned) == ("look", False)
    with pytest.raises(Impossible, match="nothing to undo"):
        decide(scanned, annotator, want("undo", 4))
    assert Decision.objects.count() == 4


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (want("accept"), "not there any more"),
        (want("move", frame=3), "not there any more"),
        (want("add"), "no such frame"),
        (want("add", frame=-1), "no such frame"),
        (want("add", frame=240), "no such frame"),
        (want("add", frame=100), "a clap at this frame already"),
    ],
)
def test_what_makes_no_sense_is_refused(scanned, annotator, wanted, said):
    with pytest.raises(Impossible, match=said):
        decide(scanned, annotator, wanted)
    assert not Decision.objects.exists()


def test_a_new_scan_keeps_the_confirmed_clap_and_its_verdict(scanned, annotator, make_scan):
    decide(scanned, annotator, want("move", clap=the_clap(scanned), frame=102, seconds=4.3))
    Scan.objects.update(is_current=False)
    scan = make_scan(scanned, claps=[99], verdict="look")
    decisions.scan_is_done(scan)
    assert verdict_of(scanned) == ("sure", True)
    standing = decisions.standing_from(scan, Decision.objects.all())
    assert [clap.frame for clap in standing.claps] == [102]


def test_a_clip_with_decisions_can_be_removed(scanned, annotator):
    decide(scanned, annotator, want("accept", clap=the_clap(scanned)))
    decide(scanned, annotator, want("undo", 1))
    scanned.delete()
    assert not Decision.objects.exists()


def test_what_a_person_said_outlives_their_account(scanned, annotator):
    decide(scanned, annotator, want("accept", clap=the_clap(scanned)))
    annotator.delete()
    assert Decision.objects.get().by_name == "ann"


@pytest.mark.django_db(transaction=True)
def test_two_people_at_once_make_one_decision(scanned, annotator, lead):
    barrier, answers = threading.Barrier(2), []

    def press(person):
        barrier.wait()
        try:
            decide(scanned, person, want("mos", key=person.username))
            answers.append("kept")
        except Stale:
            answers.append("stale")
        finally:
            connection.close()

    threads = [threading.Thread(target=press, args=(person,)) for person in (annotator, lead)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == ["kept", "stale"]
    assert Decision.objects.count() == 1

"""Derived annotations in the database: from decisions, back again, once, and never over a person's own."""

from __future__ import annotations

import pytest
from django.db import transaction
from django.db.models.functions import Now

from secondsticks.detection import bulk
from secondsticks.detection.decisions import Wanted, decide
from secondsticks.detection.models import Checkpoint, Clap, Decision, DecisionKind, Detection, Scan
from secondsticks.labeling import derivations, derived, history, queue, tasks, work
from secondsticks.labeling.history import Word
from secondsticks.labeling.models import Annotation, Derivation, Draft, FrameState, Origin, QueuedFrame
from secondsticks.labeling.work import WorkState
from secondsticks.store import store
from tests.labeling.conftest import BOX as PERSONS
from tests.labeling.test_filling import make_scanned  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db
BOX = {"x": 40.0, "y": 20.0, "w": 160.0, "h": 90.0}
CLAP = 22


@pytest.fixture
def clip(make_scanned):  # noqa: F811
    """48 frames; the scan has looked at 10 to 39, and sees a clap at 22."""
    clip, scan = make_scanned()
    Detection.objects.filter(scan=scan).update(score=0.05)
    Detection.objects.filter(scan=scan, frame__lt=CLAP, state="open").update(score=0.9)
    Detection.objects.filter(scan=scan, frame__gte=CLAP, state="closed").update(score=0.9)
    Scan.objects.filter(pk=scan.pk).update(verdict="sure")
    return clip


def say(clip, user, kind: str, **fields) -> Decision:
    made_on = Decision.objects.filter(clip=clip).count()
    decide(clip, user, Wanted(DecisionKind(kind), made_on, f"key {made_on}", **fields))
    return Decision.objects.get(clip=clip, number=made_on + 1)


def clap_of(clip):
    return Clap.objects.get(scan__clip=clip, scan__is_current=True).uuid


def work_off(clip) -> Derivation:
    """What the job does after a decision."""
    row = Derivation.objects.get(clip=clip)
    tasks.derive_labels(row.pk)
    row.refresh_from_db()
    assert (row.state, row.error) == (WorkState.DONE, "")
    return row


def standing(clip) -> dict[int, str]:
    """Frame -> its state by what holds; empty for "no slate"."""
    rows = QueuedFrame.objects.filter(clip=clip, standing__isnull=False).select_related("standing")
    return {row.frame: "".join(box["state"] for box in row.standing.boxes) for row in rows}


def around(clap: int) -> dict[int, str]:
    return {n: "open" if n < clap else "closed" for n in range(clap - 6, clap + 7)}


def test_an_accepted_clap_labels_the_frames_around_it(clip, annotator):
    decision = say(clip, annotator, "accept", clap=clap_of(clip))
    work_off(clip)
    assert standing(clip) == around(22)
    row = QueuedFrame.objects.get(clip=clip, frame=21)
    assert (row.state, row.why, row.batch, row.people) == (FrameState.LABELLED, "derived", None, [])
    assert (row.width, row.height, row.timecode) == (320, 180, clip.timecode_at(21))
    said = row.standing
    assert said.boxes == [{**BOX, "state": "open"}]
    assert (said.origin, said.by, said.by_name) == (Origin.DERIVED, annotator, "ann")
    assert derived.decision_of(said) == decision.uuid
    assert len(store().get(row.picture_key)) > 500
    assert queue.next_frame(annotator, clip.project) is None, "they are no work for anybody"


def test_doing_it_again_does_nothing(clip, annotator):
    say(clip, annotator, "accept", clap=clap_of(clip))
    work_off(clip)
    before = list(Annotation.objects.values())
    Derivation.objects.update(state=WorkState.WAITING)
    work_off(clip)
    assert list(Annotation.objects.values()) == before


def test_a_moved_clap_moves_the_labels(clip, annotator, lead):
    say(clip, annotator, "accept", clap=clap_of(clip))
    work_off(clip)
    say(clip, lead, "move", clap=clap_of(clip), frame=24)
    work_off(clip)
    assert standing(clip) == around(24)
    assert set(QueuedFrame.objects.values_list("standing__by_name", flat=True)) == {"ann", "lea", None}
    gone = QueuedFrame.objects.get(clip=clip, frame=16)
    assert (gone.state, gone.standing, gone.version) == (FrameState.WITHDRAWN, None, 2)
    taken_back = Annotation.objects.get(frame=gone, number=2)
    assert (taken_back.boxes, taken_back.undoes.number) == (None, 1)


def test_undo_takes_the_labels_back(clip, annotator):
    say(clip, annotator, "accept", clap=clap_of(clip))
    work_off(clip)
    say(clip, annotator, "undo")
    work_off(clip)
    assert standing(clip) == {}
    assert Annotation.objects.filter(undoes__isnull=False).count() == 13
    say(clip, annotator, "accept", clap=clap_of(clip))
    work_off(clip)
    assert standing(clip) == around(22)


def test_undo_of_what_came_later_brings_the_first_labels_back(clip, annotator):
    say(clip, annotator, "accept", clap=clap_of(clip))
    work_off(clip)
    say(clip, annotator, "mos")
    work_off(clip)
    assert set(standing(clip).values()) == {"closed"}
    say(clip, annotator, "undo")
    work_off(clip)
    assert standing(clip) == around(22)


def test_an_added_clap_and_a_rejected_one(clip, annotator):
    say(clip, annotator, "reject", clap=clap_of(clip))
    work_off(clip)
    assert standing(clip) == {}, "there may be a slate in these frames all the same"
    say(clip, annotator, "add", frame=30, seconds=1.25)
    work_off(clip)
    found = standing(clip)
    assert [found[n] for n in range(30, 33)] == ["closed"] * 3
    assert {found[n] for n in found if n < 30} == {"open"}


def test_no_slate_makes_hard_negatives(clip, annotator):
    say(clip, annotator, "no slate")
    work_off(clip)
    assert set(standing(clip).values()) == {""} and 0 < len(standing(clip)) <= 6


def test_a_persons_own_word_is_never_covered_or_taken_back(clip, annotator, lead):
    say(clip, annotator, "accept", clap=clap_of(clip))
    work_off(clip)
    frame = QueuedFrame.objects.get(clip=clip, frame=21)
    found = queue.take(lead, frame.uuid)
    answer = queue.Answer(key="lead", token=found.frame.lease_token, made_on=1, boxes=[])
    queue.save(lead, frame.uuid, lambda frame: answer)
    say(clip, annotator, "move", clap=clap_of(clip), frame=20)
    work_off(clip)
    assert standing(clip) == {**around(20), 21: ""}
    version = QueuedFrame.objects.get(pk=frame.pk).version
    queue.undo(lead, frame.uuid, key="undo", made_on=version)
    frame.refresh_from_db()
    assert frame.standing is None, "what the first decision said holds no more"


def test_a_frame_that_somebody_has_open_is_left_to_them(clip, annotator, lead, make_frame):
    frame = make_frame(clip, frame=21, width=320, height=180)
    QueuedFrame.objects.filter(pk=frame.pk).update(
        leased_to=lead, leased_until=Now() + work.LEASE, lease_token="5" * 32
    )
    Draft.objects.create(frame=frame, person=lead, boxes=[PERSONS], made_on=0)
    say(clip, annotator, "accept", clap=clap_of(clip))
    work_off(clip)
    frame.refresh_from_db()
    assert (frame.version, frame.state, frame.leased_to) == (0, FrameState.WAITING, lead)


def test_a_frame_that_waits_is_answered_by_the_decision_and_waits_again_when_it_is_undone(
    clip, annotator, make_frame
):
    frame = make_frame(clip, frame=21, width=320, height=180)
    say(clip, annotator, "accept", clap=clap_of(clip))
    work_off(clip)
    frame.refresh_from_db()
    assert (frame.state, frame.standing.origin) == (FrameState.LABELLED, Origin.DERIVED)
    say(clip, annotator, "undo")
    work_off(clip)
    frame.refresh_from_db()
    assert (frame.state, frame.standing) == (FrameState.WAITING, None)


def test_many_clips_accepted_at_once_and_taken_back(clip, project, lead):
    name = bulk.accept(project, lead, 50)
    work_off(clip)
    assert standing(clip) == around(22)
    bulk.take_back(project, lead, name)
    work_off(clip)
    assert standing(clip) == {}


def test_a_new_scan_changes_no_label_that_follows_from_the_same_word(clip, annotator):
    say(clip, annotator, "accept", clap=clap_of(clip))
    work_off(clip)
    before = list(Annotation.objects.values())
    Detection.objects.update(x=60)
    Detection.objects.filter(frame=19).delete()
    Derivation.objects.update(state=WorkState.WAITING)
    work_off(clip)
    assert list(Annotation.objects.values()) == before


def test_while_a_clip_is_scanned_again_the_last_scan_counts(clip, annotator):
    say(clip, annotator, "accept", clap=clap_of(clip))
    Scan.objects.update(is_current=False)
    Scan.objects.create(clip=clip, state="running", checkpoint=Checkpoint.objects.last())
    work_off(clip)
    assert standing(clip) == around(22)


def test_a_decision_that_is_rolled_back_asks_for_nothing(clip, annotator):
    with transaction.atomic():
        say(clip, annotator, "accept", clap=clap_of(clip))
        transaction.set_rollback(True)
    assert not Derivation.objects.exists()


def test_a_decision_made_meanwhile_makes_the_work_void(clip, annotator, monkeypatch):
    say(clip, annotator, "accept", clap=clap_of(clip))
    take_pictures = derived.take_pictures

    def take_them_slowly(*args):
        derivations.ask_for([clip.pk])
        return take_pictures(*args)

    monkeypatch.setattr(derived, "take_pictures", take_them_slowly)
    row = Derivation.objects.get(clip=clip)
    tasks.derive_labels(row.pk)
    row.refresh_from_db()
    assert row.state == WorkState.WAITING and not Annotation.objects.exists()
    monkeypatch.undo()
    work_off(clip)
    assert standing(clip) == around(22)


def test_a_worker_that_died_halfway_leaves_the_work_to_another(clip, annotator):
    say(clip, annotator, "accept", clap=clap_of(clip))
    row = Derivation.objects.get(clip=clip)
    dead = work.claim(Derivation, row.pk)
    Derivation.objects.update(leased_until=Now() - work.LEASE)
    work_off(clip)
    derived.work_out(dead)  # it was only asleep: the fence keeps it from writing
    assert standing(clip) == around(22)
    assert Annotation.objects.count() == 13


def test_a_file_that_is_away_is_said_and_tried_again(clip, annotator):
    away = clip.path.rename(clip.path.with_suffix(".away"))
    say(clip, annotator, "accept", clap=clap_of(clip))
    row = Derivation.objects.get(clip=clip)
    tasks.derive_labels(row.pk)
    row.refresh_from_db()
    assert (row.state, row.failures) == (WorkState.WAITING, 1) and row.error
    away.rename(clip.path)
    work_off(clip)
    assert standing(clip) == around(22)


def test_clips_decided_on_before_there_was_this_are_swept(clip, annotator):
    say(clip, annotator, "accept", clap=clap_of(clip))
    Derivation.objects.all().delete()
    tasks.sweep()
    work_off(clip)
    assert standing(clip) == around(22)


def test_two_people_who_decide_are_one_author_of_what_follows(make_frame, annotator, lead):
    frame = make_frame()
    for number, person in enumerate((annotator, lead)):
        word = Word(
            by=person, key=str(number), made_on=number, origin=Origin.DERIVED,
            boxes=None if number else [PERSONS],
        )  # fmt: skip
        history.add(frame, word)
    assert frame.standing is None

"""The history of a frame under anything that two people may do, compared with a plain account of it."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from secondsticks.footage.models import Clip, Project
from secondsticks.labeling import history, queue
from secondsticks.labeling.history import Word
from secondsticks.labeling.models import Annotation, Origin, QueuedFrame
from secondsticks.labeling.queue import Answer, Conflict
from tests.labeling.conftest import BOX, OTHER

ANSWERS = st.sampled_from([[], [BOX], [OTHER], [BOX, OTHER], None])  # None: a skip


@dataclass
class Told:
    """What somebody has said about the frame, the newest last, and what they took back again."""

    said: list


class History(RuleBasedStateMachine):
    """One frame, two people who answer, skip and undo, and decisions from which labels follow."""

    def __init__(self) -> None:
        super().__init__()
        self.savepoint = transaction.atomic()
        self.savepoint.__enter__()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.savepoint.__exit__(None, None, None)

    @initialize(opinions=st.integers(1, 2))
    def begin(self, opinions: int) -> None:
        name = str(uuid4())
        project = Project.objects.create(name=name)
        self.people = [User.objects.create(username=f"{name} {number}") for number in range(2)]
        for person in self.people:
            project.memberships.create(user=person, role="annotator")
        clip = Clip.objects.create(project=project, name=name, location=name, origin="upload")
        self.frame = QueuedFrame.objects.create(
            project=project, clip=clip, frame=1, pts=1, width=1920, height=1080, picture_sha256="ab" * 32,
            batch=1, opinions=opinions,
        )  # fmt: skip
        self.told = {person.pk: Told([]) for person in self.people}
        self.newest: list[int] = []  # people in the order of their last word
        self.derived: list | None = None
        self.rows: list[dict] = []

    @rule(who=st.integers(0, 1), boxes=ANSWERS)
    def answer(self, who: int, boxes) -> None:
        person = self.people[who]
        found = queue.take(person, self.frame.uuid)
        reason = "" if boxes is not None else "unsure"
        said = Answer(
            key=str(uuid4()),
            token=found.frame.lease_token,
            made_on=found.frame.version,
            boxes=boxes,
            skip_reason=reason,
        )
        kept = queue.save(person, self.frame.uuid, lambda frame: said)
        assert queue.save(person, self.frame.uuid, lambda frame: said) == kept
        self.told[person.pk].said.append((boxes, reason))
        self.last_word_of(person.pk)

    @rule(who=st.integers(0, 1))
    def undo(self, who: int) -> None:
        person = self.people[who]
        version = QueuedFrame.objects.get(pk=self.frame.pk).version
        said = self.told[person.pk].said
        if not said:
            with pytest.raises(Conflict):
                queue.undo(person, self.frame.uuid, key=str(uuid4()), made_on=version)
            return
        found = queue.undo(person, self.frame.uuid, key=str(uuid4()), made_on=version)
        queue.release(person, found.frame, found.frame.lease_token)
        said.pop()
        self.last_word_of(person.pk)

    @rule(who=st.integers(0, 1), boxes=ANSWERS)
    @precondition(lambda self: self.rows)
    def a_stale_answer(self, who: int, boxes) -> None:
        person = self.people[who]
        found = queue.take(person, self.frame.uuid)
        said = Answer(
            key=str(uuid4()), token=found.frame.lease_token, made_on=found.frame.version - 1, boxes=boxes
        )
        with pytest.raises(Conflict) as refused:
            queue.save(person, self.frame.uuid, lambda frame: said)
        assert refused.value.kind == "stale"
        queue.release(person, found.frame, found.frame.lease_token)

    @rule(boxes=st.sampled_from([[BOX], []]))
    def derive(self, boxes) -> None:
        with transaction.atomic():
            frame = QueuedFrame.objects.select_for_update().get(pk=self.frame.pk)
            word = Word(
                by=self.people[0], key=str(uuid4()), made_on=frame.version, origin=Origin.DERIVED, boxes=boxes
            )
            history.add(frame, word)
        self.derived = boxes

    def last_word_of(self, person: int) -> None:
        self.newest = [*(one for one in self.newest if one != person), person]

    @invariant()
    def nothing_that_was_said_is_ever_changed(self) -> None:
        rows = list(Annotation.objects.filter(frame=self.frame).order_by("number").values())
        assert rows[: len(self.rows)] == self.rows
        assert [row["number"] for row in rows] == list(range(1, len(rows) + 1))
        self.rows = rows

    @invariant()
    def what_stands_is_the_newest_word(self) -> None:
        frame = QueuedFrame.objects.get(pk=self.frame.pk)
        assert frame.version == len(self.rows)
        last = {person: told.said[-1] for person, told in self.told.items() if told.said}
        assert set(frame.people) == set(last)
        labels = [last[person][0] for person in self.newest if person in last and last[person][0] is not None]
        wanted = labels[-1] if labels else self.derived
        assert (frame.standing.boxes if frame.standing else None) == wanted
        enough = len(last) >= frame.opinions
        if wanted is None:
            assert frame.state == ("skipped" if enough else "waiting")
        else:
            assert frame.state == ("labelled" if enough or not labels else "waiting")


@pytest.mark.django_db
def test_history_is_never_rewritten_and_the_newest_word_stands():
    calm = settings(
        max_examples=60, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
    )
    run_state_machine_as_test(History, settings=calm)

"""Many people at one queue, with real threads on the real database."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest
from django.db import connection

from secondsticks.labeling import queue
from secondsticks.labeling.models import Annotation, QueuedFrame
from secondsticks.labeling.queue import Answer, Conflict
from tests.labeling.conftest import BOX, OTHER

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parents[2]


def at_once(works: list[Callable]) -> list:
    """Do all of it in threads that start together; what each returned, or the Conflict that it met."""
    start = threading.Barrier(len(works))

    def run(work: Callable):
        try:
            start.wait()
            return work()
        except Conflict as conflict:
            return conflict
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as pool:
        return [future.result() for future in [pool.submit(run, work) for work in works]]


@pytest.fixture
def many_frames(make_frame) -> Callable:
    """Put so many more waiting frames into the queue."""

    def make(count: int, **fields) -> None:
        first = make_frame(**fields)
        picture = sha256(b"a picture").hexdigest()
        known = {
            "project": first.project,
            "clip": first.clip,
            "picture_sha256": picture,
            "batch": 1,
            **fields,
        }
        known |= {"width": 1920, "height": 1080}
        QueuedFrame.objects.bulk_create(
            QueuedFrame(frame=1000 + number, pts=number, rank=number, **known) for number in range(count - 1)
        )

    return make


@pytest.fixture
def crowd(make_person, project) -> list:
    people = [make_person(f"person {number}") for number in range(32)]
    for person in people:
        project.memberships.create(user=person, role="annotator")
    return people


def answer(found: queue.OpenFrame, key: str, boxes=(BOX,)) -> Callable[[QueuedFrame], Answer]:
    token, made_on = found.frame.lease_token, found.frame.version
    return lambda frame: Answer(key=key, token=token, made_on=made_on, boxes=list(boxes))


def test_no_frame_is_given_to_two_of_32_people(many_frames, crowd, project):
    many_frames(32 * 8)
    given: list[tuple[int, int]] = []

    def take_turns(person) -> Callable:
        def work() -> None:
            for turn in range(8):
                found = queue.next_frame(person, project)
                given.append((found.frame.pk, person.pk))
                queue.save(person, found.frame.uuid, answer(found, f"turn {turn}"))

        return work

    results = at_once([take_turns(person) for person in crowd])
    assert results == [None] * 32
    assert len({frame for frame, _ in given}) == len(given) == 32 * 8
    assert Annotation.objects.count() == 32 * 8
    assert set(QueuedFrame.objects.values_list("state", "version")) == {("labelled", 1)}


def test_second_opinions_come_from_different_people_and_never_at_the_same_time(many_frames, crowd, project):
    many_frames(20, opinions=2)
    asked: list[tuple[int, int]] = []

    def until_there_is_none(person) -> Callable:
        def work() -> None:
            turn = 0
            while (found := queue.next_frame(person, project)) is not None:
                asked.append((found.frame.pk, person.pk))
                queue.save(person, found.frame.uuid, answer(found, f"turn {(turn := turn + 1)}"))

        return work

    people = crowd[:8]
    while QueuedFrame.objects.filter(state="waiting").exists():  # who saw none may be needed once more
        assert at_once([until_there_is_none(person) for person in people]) == [None] * 8
    assert max(Counter(asked).values()) == 1, "nobody is asked twice"
    assert set(Counter(frame for frame, _ in asked).values()) == {2}


def test_a_double_click_is_one_annotation(many_frames, project, annotator):
    many_frames(25)
    for turn in range(25):
        found = queue.next_frame(annotator, project)
        save = answer(found, f"turn {turn}")
        first, second = at_once(
            [lambda found=found, save=save: queue.save(annotator, found.frame.uuid, save)] * 2
        )
        assert first == second
    assert Annotation.objects.count() == 25


def test_of_two_that_save_one_frame_one_is_refused(many_frames, project, annotator):
    """As from two tabs of one person, with different answers and keys."""
    many_frames(25)
    for turn in range(25):
        found = queue.next_frame(annotator, project)
        tabs = [answer(found, f"{turn} a", [BOX]), answer(found, f"{turn} b", [OTHER])]
        results = at_once(
            [lambda found=found, tab=tab: queue.save(annotator, found.frame.uuid, tab) for tab in tabs]
        )
        assert sorted(type(one).__name__ for one in results) == ["Annotation", "Conflict"]
    assert Annotation.objects.count() == 25


def test_of_two_that_open_one_frame_one_gets_it(make_frame, lead, annotator):
    frame = make_frame()
    people = [annotator, lead] * 4
    results = at_once([lambda person=person: queue.take(person, frame.uuid) for person in people])
    got = {result.frame.leased_to_id for result in results if isinstance(result, queue.OpenFrame)}
    assert len(got) == 1
    assert sum(isinstance(result, Conflict) for result in results) == 4


def test_a_next_pressed_many_times_at_once_leaves_few_frames_with_one_person(many_frames, project, annotator):
    many_frames(50)
    at_once([lambda: queue.next_frame(annotator, project)] * 8)
    back = queue.next_frame(annotator, project)
    held = QueuedFrame.objects.filter(leased_to=annotator)
    assert back.frame.pk == held.order_by("rank", "pk").first().pk, "what they had open comes first"


@pytest.fixture
def save_and_die(annotator) -> Iterator[Callable]:
    """Save in a process of its own that is killed after the commit and before anybody hears of it."""
    code = (
        "import os, sys, uuid, django; django.setup()\n"
        "from django.contrib.auth.models import User\n"
        "from secondsticks.labeling import queue\n"
        "person, frame, token = sys.argv[1:]\n"
        "answer = queue.Answer(key='once', token=uuid.UUID(token), made_on=0, boxes=[])\n"
        "queue.save(User.objects.get(pk=person), uuid.UUID(frame), lambda frame: answer)\n"
        f"os.kill(os.getpid(), {signal.SIGKILL:d})\n"
    )

    def run(found: queue.OpenFrame) -> int:
        words = [str(annotator.pk), str(found.frame.uuid), str(found.frame.lease_token)]
        settings = {"DJANGO_SETTINGS_MODULE": "secondsticks.settings"}
        ran = subprocess.run([sys.executable, "-c", code, *words], cwd=ROOT, env=os.environ | settings)
        return ran.returncode

    return run


def test_who_was_killed_between_commit_and_reply_saves_again_and_it_is_one(
    make_frame, project, annotator, save_and_die
):
    make_frame()
    found = queue.next_frame(annotator, project)
    assert save_and_die(found) == -signal.SIGKILL
    again = queue.save(annotator, found.frame.uuid, answer(found, "once", []))
    assert Annotation.objects.get() == again
    assert QueuedFrame.objects.get().version == 1

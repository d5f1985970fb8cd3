"""How many queries the queue costs, and that ten times the frames cost no more."""

from __future__ import annotations

from hashlib import sha256

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from secondsticks.labeling.models import Annotation, LabelingSettings, QueuedFrame

pytestmark = pytest.mark.django_db
OF_DATA = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")


@pytest.fixture
def many(make_frame):
    """Put so many frames into the queue, half of them labelled."""

    def make(count: int) -> None:
        first = make_frame()
        picture = sha256(b"a picture").hexdigest()
        start = QueuedFrame.objects.count()
        rows = [
            QueuedFrame(
                project=first.project, clip=first.clip, frame=start + 1000 + number, pts=number, rank=number,
                width=1920, height=1080, picture_sha256=picture, batch=1, opinions=1 + number % 2,
                state="labelled" if number % 2 else "waiting",
            )
            for number in range(count)
        ]  # fmt: skip
        rows = QueuedFrame.objects.bulk_create(rows)
        Annotation.objects.bulk_create(
            Annotation(
                project=first.project, frame=row, number=1, made_on=0, boxes=[], origin="accepted",
                by_name=f"person {row.frame % 7}", key="k",
            )
            for row in rows[1::2]
        )  # fmt: skip

    return make


def asked(capture: CaptureQueriesContext) -> list[str]:
    return [query["sql"] for query in capture.captured_queries if query["sql"].startswith(OF_DATA)]


def loop(page, number: int) -> list[str]:
    """Next and save, as a page does it all day."""
    with CaptureQueriesContext(connection) as capture:
        assert page.save(page.next(), key=f"save {number}").status_code == 200
    return asked(capture)


def test_next_and_save_are_few_queries_whatever_waits(many, page, project):
    LabelingSettings.objects.create(project=project)
    many(20)
    loop(page, 0)
    few = loop(page, 1)
    many(200)
    more = loop(page, 2)
    assert len(few) == len(more) <= 12, few


def test_pages_are_few_queries_whatever_waits(many, page, project):
    addresses = [
        reverse("labeling:queue", args=[project.uuid]),
        reverse("labeling:settings", args=[project.uuid]),
    ]

    def counts() -> list[int]:
        found = []
        for address in addresses:
            with CaptureQueriesContext(connection) as capture:
                page.client.get(address)
            found.append(len(asked(capture)))
        return found

    many(20)
    counts()
    few = counts()
    many(200)
    assert counts() == few and max(few) <= 12

"""The project board: what it counts, shows, finds and sorts, and how many queries that takes."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from secondsticks.detection.board import PAGE_SIZE, STATUSES, Wish
from secondsticks.detection.decisions import Wanted, decide
from secondsticks.detection.models import VERDICTS, DecisionKind, Scan
from secondsticks.detection.moves import ScanState
from secondsticks.footage.models import Clip


@pytest.fixture
def look(client, annotator, project):
    """Open the board as an annotator."""
    client.force_login(annotator)

    def look(query: str = "", *, route: str = "detection:board"):
        response = client.get(reverse(route, args=[project.uuid]) + query)
        assert response.status_code == 200
        return response

    return look


def names(response) -> list[str]:
    return [row.clip.name for row in response.context["board"].rows]


def test_each_verdict_has_a_word_and_a_colour():
    assert {verdict for verdict, _ in VERDICTS} <= set(STATUSES)


def test_an_empty_project_says_what_to_do(look):
    assert "No clips yet" in look().content.decode()


def test_a_clip_is_shown_with_its_first_clap_and_its_verdict(look, make_clip, make_scan):
    make_scan(make_clip(), claps=[100, 200], reason="the slate closes at frame 100")
    page = look().content.decode()

    assert "A001C001.mov" in page
    assert "01:00:04:04" in page and "+1" in page
    assert '<span class="badge sure">sure</span>' in page
    assert "the slate closes at frame 100" in page
    assert "23.976" in page and "10.0 s" in page


def test_the_counts_say_what_there_is(look, make_clip, make_scan):
    for number, verdict in enumerate(["sure", "sure", "look", "mos", "no slate"]):
        make_scan(make_clip(f"{number}.mov"), verdict=verdict)
    make_clip("refused.mov", state="refused", frames=None, rate_num=None, message="This is a text file.")
    make_clip("waiting.mov", state="uploaded", frames=None, rate_num=None)
    make_scan(make_clip("queued.mov"), state=ScanState.QUEUED)
    make_scan(make_clip("failed.mov"), state=ScanState.FAILED, error="It failed.")
    make_scan(make_clip("cancelled.mov"), state=ScanState.CANCELLED)
    make_clip("just-ready.mov")

    response = look()
    assert response.context["board"].counts == {
        "sure": 2, "look": 1, "mos": 1, "tail": 0, "no slate": 1,
        "working": 3, "failed": 1, "refused": 1, "cancelled": 1,
    }  # fmt: skip
    page = response.content.decode()
    assert "11 clips" in page
    assert "1 MOS" in page
    assert "This is a text file." in page and "It failed." in page


def test_only_the_current_scan_counts(look, make_clip, make_scan):
    clip = make_clip()
    make_scan(clip, claps=[10], verdict="look", is_current=False)
    make_scan(clip, verdict="mos")

    response = look()
    assert names(response) == ["A001C001.mov"]
    assert response.context["board"].counts["mos"] == 1
    assert response.context["board"].rows[0].claps == []


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", ["a.mov", "b.mov", "c.mov"]),
        ("?sort=-name", ["c.mov", "b.mov", "a.mov"]),
        ("?sort=added", ["c.mov", "a.mov", "b.mov"]),
        ("?sort=duration", ["b.mov", "c.mov", "a.mov"]),
        ("?sort=-duration", ["a.mov", "c.mov", "b.mov"]),
        ("?verdict=mos", ["b.mov"]),
        ("?q=B.MO", ["b.mov"]),
        ("?q=%25", []),
        ("?q=%00b", ["b.mov"]),
        ("?verdict=owner__password&sort=project__name&page=bogus", ["a.mov", "b.mov", "c.mov"]),
        ("?page=99", ["a.mov", "b.mov", "c.mov"]),
    ],
)
def test_filter_search_and_sort(look, make_clip, make_scan, query, shown):
    for name, seconds, verdict in [("b.mov", 1, "mos"), ("a.mov", 90, "sure"), ("c.mov", 30, "sure")]:
        make_scan(make_clip(name, duration_num=seconds, duration_den=1), verdict=verdict)
    assert names(look(query)) == shown


def test_pages(look, make_clip):
    for number in range(PAGE_SIZE + 1):
        make_clip(f"{number:03}.mov")
    assert len(names(look())) == PAGE_SIZE
    assert names(look("?page=2")) == [f"{PAGE_SIZE:03}.mov"]
    assert "page=2" in look().content.decode()
    assert "?page=1" in look("?page=2").content.decode()


def test_the_fragment_asks_again_only_while_something_is_going_on(look, make_clip, make_scan):
    make_scan(make_clip())
    assert "every 2s" not in look(route="detection:board-clips").content.decode()
    scan = make_scan(make_clip("b.mov"), state=ScanState.RUNNING, stage="coarse", done=420, total=1000)
    page = look(route="detection:board-clips").content.decode()
    assert "every 2s" in page
    assert 'value="42"' in page and "looking for slates" in page
    scan.move(ScanState.FAILED)
    assert "every 2s" not in look(route="detection:board-clips").content.decode()


def test_the_fragment_keeps_what_was_asked_for(look, make_clip):
    make_clip()
    page = look("?q=A0&sort=-name&page=1").content.decode()
    assert "board-clips/?sort=-name&amp;q=A0" in page


@pytest.mark.parametrize("route", ["detection:board", "detection:board-clips"])
def test_as_many_queries_for_thirty_clips_as_for_three(look, make_clip, make_scan, route):
    def add(first, last):
        for number in range(first, last):
            make_scan(make_clip(f"{number}.mov"), claps=[10, 20])

    add(0, 3)
    with CaptureQueriesContext(
        connection,
    ) as few:
        look(route=route)
    add(3, 30)
    with CaptureQueriesContext(connection) as many:
        look(route=route)
    assert len(many) == len(few)
    assert len(many) <= 13


def test_a_clip_is_shown_by_its_slate_once_there_is_a_picture_of_it(look, make_clip, make_scan):
    clip = make_clip("a.mov", has_poster=True)
    scan = make_scan(clip)
    assert reverse("footage:clip-poster", args=[clip.uuid]) in look().content.decode()
    Scan.objects.filter(pk=scan.pk).update(slate_picture="slate.jpg")
    assert reverse("detection:slate", args=[scan.uuid]) in look().content.decode()


def test_names_are_text_and_not_markup(look, make_clip):
    make_clip("<script>alert(1)</script>.mov")
    assert "<script>alert(1)" not in look().content.decode()


def test_a_wish_as_a_query_leads_back_to_the_first_page():
    wish = Wish(status="look", sort="-name", search="a b", page="3")
    assert wish.query() == "verdict=look&sort=-name&q=a+b&page=3"
    assert wish.query(verdict="") == "sort=-name&q=a+b"
    assert wish.query(page="4") == "verdict=look&sort=-name&q=a+b&page=4"


def test_a_clap_near_the_end_makes_a_tail(look, make_clip, make_scan):
    make_scan(make_clip(), claps=[200], is_tail=True)
    assert look().context["board"].counts["tail"] == 1
    assert names(look("?verdict=tail")) == ["A001C001.mov"]
    assert names(look("?verdict=sure")) == []


@pytest.fixture
def decided(make_clip, make_scan, annotator):
    """Two clips of four, accepted: one that needed a look, one that was sure; and one said to be MOS."""
    for name, verdict in [("a.mov", "look"), ("b.mov", "sure"), ("c.mov", "sure"), ("d.mov", "look")]:
        scan = make_scan(make_clip(name), claps=[100], verdict=verdict)
        if name in ("a.mov", "b.mov"):
            wanted = Wanted(DecisionKind.ACCEPT, 0, "key", clap=scan.claps.get().uuid)
            decide(scan.clip, annotator, wanted)
        if name == "d.mov":
            decide(scan.clip, annotator, Wanted(DecisionKind.MOS, 0, "key"))


def test_what_people_said_is_on_the_board(look, decided):
    response = look()
    counts = response.context["board"].counts
    assert (counts["sure"], counts["look"], counts["mos"]) == (3, 0, 1)
    assert response.context["board"].confirmed == 3
    page = response.content.decode()
    assert "3 confirmed" in page and "1 not confirmed" in page
    assert page.count("✓ ann") == 3
    assert "ann said: MOS" in page


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("?confirmed=yes", ["a.mov", "b.mov", "d.mov"]),
        ("?confirmed=no", ["c.mov"]),
        ("?confirmed=yes&verdict=sure", ["a.mov", "b.mov"]),
        ("?confirmed=maybe", ["a.mov", "b.mov", "c.mov", "d.mov"]),
    ],
)
def test_confirmed_or_not(look, decided, query, shown):
    assert names(look(query)) == shown


def test_the_least_confident_first(look, make_clip, make_scan):
    for name, confidence in [("a.mov", 0.9), ("b.mov", 0.3), ("c.mov", None)]:
        scan = make_scan(make_clip(name), claps=[100] if confidence else [])
        scan.claps.update(confidence=confidence or 0)
    assert names(look("?sort=doubt")) == ["b.mov", "a.mov", "c.mov"]


def test_a_rescan_that_fails_does_not_hide_what_was_confirmed(look, decided, make_scan):
    Scan.objects.filter(clip__name="a.mov").update(is_current=False)
    make_scan(Clip.objects.get(name="a.mov"), state=ScanState.FAILED, error="It failed.")
    response = look("?verdict=sure")
    assert names(response) == ["a.mov", "b.mov", "c.mov"]
    assert "01:00:04:04" in response.content.decode()


def test_the_board_leads_to_the_review(look, make_clip, make_scan):
    make_scan(make_clip("a.mov"), verdict="look")
    assert "Review 1 clip <kbd>" in look().content.decode()
    Scan.objects.update(verdict="sure")
    page = look().content.decode()
    assert "Review" not in page and "Accept sure clips" in page

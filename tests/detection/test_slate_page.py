"""What is on the slate, on the clip page and in files: suggested, accepted, corrected, with its history."""

import csv
import io

import pytest

from secondsticks.markers import FORMATS

READ = {
    "scene": {"text": "12A", "confidence": 0.97},
    "take": {"text": "3", "confidence": 0.91},
    "roll": {"text": "B00", "confidence": 0.41},
}


@pytest.fixture
def clip(make_clip, make_scan):
    clip = make_clip()
    make_scan(clip, claps=[12], slate_frame=14, slate_picture="slate.jpg")
    return clip


@pytest.fixture
def read_clip(clip, project):
    """A clip whose slate was read."""
    from secondsticks.detection import slate_page
    from secondsticks.detection.models import SlateReading

    slate_page.turn(project.pk, on=True)
    SlateReading.objects.create(scan=clip.scans.get(), state="done", fields=READ)
    return clip


@pytest.fixture
def page(client, annotator, clip):
    """Ask for, or send, the part of the clip page; returns its text."""
    client.force_login(annotator)

    def ask(**sent) -> str:
        address = f"/clips/{clip.uuid}/slate-text/"
        part = {"HX-Request": "true"}
        answer = client.post(address, sent, headers=part) if sent else client.get(address, headers=part)
        assert answer.status_code == 200
        return answer.content.decode()

    return ask


def marked(clip):
    from secondsticks.detection.markers import marked
    from secondsticks.detection.statuses import with_scans

    return marked(with_scans(type(clip).objects.filter(pk=clip.pk)).get())


def test_a_suggestion_says_that_nobody_has_checked_it(read_clip, page):
    shown = page()
    assert "read by machine, not checked" in shown
    assert 'value="12A"' in shown and 'value="B00"' in shown and ">Accept<" in shown
    assert shown.count('class="doubt"') == 1  # the roll


def test_accepting_a_suggestion(read_clip, page):
    shown = page(made_on=0, scene="12A", take="3", roll="B00", camera="")
    assert "not checked" not in shown and "accepted" in shown and "by ann" in shown
    assert "ann accepted scene 12A, take 3, roll B00" in shown
    assert marked(read_clip).scene == "12A" and marked(read_clip).suggested == {}


def test_correcting_a_suggestion_keeps_what_it_was(read_clip, page):
    shown = page(made_on=0, scene="12B", take="3", roll="", camera=" a ")
    assert "filled in" in shown and "The machine reads: scene 12A, take 3, roll B00." in shown
    text = read_clip.slate_texts.get()
    assert text.suggested == READ and text.fields == {"scene": "12B", "take": "3", "camera": "a"}
    assert (text.by.username, text.reading.scan) == ("ann", read_clip.scans.get())


def test_people_type_it_where_nothing_is_read(clip, page):
    assert "being read" not in page() and "not checked" not in page()
    shown = page(made_on=0, scene="7", take="1")
    assert 'value="7"' in shown and "filled in" in shown
    assert marked(clip).take == "1"


def test_every_version_is_kept(read_clip, page):
    page(made_on=0, scene="12A")
    page(made_on=1, scene="12B")
    shown = page(made_on=2, scene="")
    assert "3 versions" in shown and "wrote scene 12B" in shown and "wrote nothing" in shown
    assert [text.fields for text in read_clip.slate_texts.all()] == [{"scene": "12A"}, {"scene": "12B"}, {}]
    assert (marked(read_clip).scene, marked(read_clip).suggested) == ("", {})  # a person says: nothing there


def test_the_same_said_twice_is_one_version(clip, page):
    page(made_on=0, scene="7")
    page(made_on=1, scene="7 ")
    page(made_on=0, scene="7")  # sent again after a lost answer
    assert clip.slate_texts.count() == 1


def test_of_two_people_the_second_sees_what_the_first_wrote(clip, page, client, lead):
    page(made_on=0, scene="7")
    client.force_login(lead)
    shown = page(made_on=0, scene="8")
    assert "Somebody else filled this in a moment ago" in shown and 'value="7"' in shown
    assert clip.slate_texts.count() == 1


def test_what_is_too_long_is_said(clip, page):
    assert "At most 32 letters" in page(made_on=0, scene="x" * 33)
    assert not clip.slate_texts.exists()
    assert "At most" in page(scene="7")  # a form without its number


def test_a_new_scan_leaves_what_people_said(read_clip, page, make_scan):
    page(made_on=0, scene="12B")
    read_clip.scans.update(is_current=False)
    make_scan(read_clip, claps=[12], slate_frame=15)
    assert 'value="12B"' in page()


def test_only_what_the_machine_is_confident_of_goes_into_files(read_clip):
    suggested = marked(read_clip)
    assert (suggested.scene, suggested.suggested) == ("", {"scene": "12A", "take": "3"})
    (row,) = csv.DictReader(io.StringIO(FORMATS["csv"].write([suggested]).decode()))
    assert (row["scene"], row["roll"], row["slate_text"]) == ("12A", "", "suggested")


def test_the_board_and_the_contact_sheet_show_scene_and_take(read_clip, page, client, annotator):
    board, sheet = (f"/projects/{read_clip.project.uuid}/{part}" for part in ("", "contact-sheet/"))
    client.force_login(annotator)
    for address in (board, sheet):
        assert "12A / 3 ?" in client.get(address).content.decode()
    page(made_on=0, scene="12B", take="3")
    for address in (board, sheet):
        shown = client.get(address).content.decode()
        assert "12B / 3" in shown and "12B / 3 ?" not in shown
    assert client.get(sheet.rstrip("/") + ".pdf").content.startswith(b"%PDF")


def test_the_clip_page_has_it(read_clip, client, annotator):
    client.force_login(annotator)
    shown = client.get(f"/clips/{read_clip.uuid}/").content.decode()
    assert 'id="slate-text"' in shown and "read by machine, not checked" in shown
    assert "detection/slate.js" in shown


def test_without_scripts_it_comes_back_to_the_clip(clip, client, annotator):
    client.force_login(annotator)
    answer = client.post(f"/clips/{clip.uuid}/slate-text/", {"made_on": "0", "scene": "7"})
    assert answer.url == f"/clips/{clip.uuid}/"
    answer = client.post(f"/clips/{clip.uuid}/slate-text/", {"made_on": "0", "scene": "8"}, follow=True)
    assert answer.status_code == 200 and clip.slate_texts.count() == 1


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"state": "queued"}, "is being read"),
        ({"state": "failed", "error": "It took too long."}, "It took too long."),
        ({"state": "done"}, "Nothing could be read on it."),
    ],
)
def test_how_the_reading_stands(clip, page, project, fields, words):
    from secondsticks.detection import slate_page
    from secondsticks.detection.models import SlateReading

    slate_page.turn(project.pk, on=True)
    SlateReading.objects.create(scan=clip.scans.get(), **fields)
    shown = page()
    assert words in shown
    assert ('hx-trigger="every 2s"' in shown) == (fields["state"] == "queued")

"""Reviewing over HTTP: the next clip, the decision, its frames and its sound."""

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from secondsticks.detection import filmstrip, pictures, waveform
from secondsticks.detection.models import Clap, Decision, StandingVerdict
from training.footage.footage import FootageError

JSON = {"Accept": "application/json"}


@pytest.fixture(autouse=True)
def _signed_in(client, annotator):
    client.force_login(annotator)


@pytest.fixture
def looks(make_clip, make_scan):
    """Three clips that need a look, between others that do not."""

    def make(*names):
        clips = []
        for name in names:
            clips.append(make_clip(name))
            make_scan(clips[-1], claps=[100], verdict="look")
        make_scan(make_clip("00-sure.mov"), claps=[50])
        return clips

    return make


@pytest.fixture
def press(client):
    """Send a decision as the page does."""

    def press(clip, kind, *, made_on=None, key="", headers=JSON, **fields):
        number = Decision.objects.filter(clip=clip).count() if made_on is None else made_on
        form = {"kind": kind, "made_on": number, "key": key or f"key {number}", **fields}
        return client.post(reverse("detection:decide", args=[clip.uuid]), form, headers=headers)

    return press


def review_address(project, after=None):
    address = reverse("detection:review", args=[project.uuid])
    return f"{address}?after={after.uuid}" if after else address


def test_one_clip_after_the_other_until_none_is_left(client, project, looks, press):
    first, second = looks("a.mov", "b.mov")
    assert client.get(review_address(project))["Location"] == f"/clips/{first.uuid}/"

    onward = press(first, "mos").json()["next"]
    assert onward == review_address(project, first)
    assert client.get(onward)["Location"] == f"/clips/{second.uuid}/?from={first.uuid}"

    onward = press(second, "accept", clap=Clap.objects.get(scan__clip=second).uuid).json()["next"]
    page = client.get(onward).content.decode()
    assert "Nothing needs a look any more" in page
    assert "3 clips: 2 sure, 1 MOS, 0 tail, 0 no slate. 2 of them confirmed" in page
    assert "Back to b.mov" in page


def test_skipping_goes_round(client, project, looks):
    first, second = looks("a.mov", "b.mov")
    assert f"/clips/{first.uuid}/" in client.get(review_address(project, second))["Location"]
    second.delete()
    page = client.get(review_address(project, first)).content.decode()
    assert "One clip still needs a look" in page


def test_the_next_clip_is_fetched_ahead(looks, client):
    first, second = looks("a.mov", "b.mov")
    second.scans.update(slate_spans=[{"first": 80, "last": 120, "state": "open"}])
    page = client.get(reverse("detection:clip", args=[first.uuid]))
    assert "1 more to look at" in page.content.decode()
    *frames, sound = page.context["review"].prefetch()
    shown = client.get(reverse("detection:clip", args=[second.uuid])).context["review"].strip
    assert frames == [one["address"] for one in shown] and len(frames) == 9
    assert sound == f"{reverse('detection:clip-sound', args=[second.uuid])}?first=96&last=104"


def test_a_clip_of_another_project_says_nothing_about_the_next(
    client, project, looks, make_project, make_clip
):
    (mine,) = looks("a.mov")
    foreign = make_clip("z.mov", project=make_project("Elsewhere"))
    for after in (foreign.uuid, "junk", "00000000-0000-0000-0000-000000000000"):
        response = client.get(f"{review_address(project)}?after={after}")
        assert response["Location"] == f"/clips/{mine.uuid}/"


def test_the_page_offers_all_decisions(client, looks):
    (clip,) = looks("a.mov")
    page = client.get(reverse("detection:clip", args=[clip.uuid])).content.decode()
    for act in ("accept", "mos", "no slate", "add", "reject", "undo", "earlier", "later", "keys"):
        assert f'data-act="{act}"' in page
    assert page.count("/frames/") >= 9
    assert f"/clips/{clip.uuid}/frames/96.jpg" in page and f"/clips/{clip.uuid}/frames/104.jpg" in page


def test_without_a_clap_it_begins_where_one_was_heard_or_seen(client, make_clip, make_scan):
    spans = [{"state": "open", "first": 20, "last": 60}]
    heard = make_clip("heard.mov")
    make_scan(heard, verdict="look", slate_spans=spans, heard=[{"seconds": 5.0}])
    seen = make_clip("seen.mov")
    make_scan(seen, verdict="look", slate_spans=spans)
    for clip, frame in [(heard, 119), (seen, 60)]:
        page = client.get(reverse("detection:clip", args=[clip.uuid])).content.decode()
        assert f'"start": {frame},' in page
        assert f"/frames/{frame + 4}.jpg" in page


def test_of_two_claps_each_is_accepted(looks, press, make_scan, make_clip):
    clip = make_clip("two.mov")
    scan = make_scan(clip, claps=[100, 200], verdict="look")
    first, second = scan.claps.all()
    answer = press(clip, "accept", clap=first.uuid).json()
    assert "next" not in answer
    assert "a clap at frame 200 is not confirmed yet" in answer["html"]
    assert "next" in press(clip, "accept", clap=second.uuid).json()


def test_moving_and_adding_keep_the_time_of_their_frame(looks, press):
    (clip,) = looks("a.mov")
    press(clip, "move", clap=Clap.objects.get(scan__clip=clip).uuid, frame=102)
    press(clip, "add", frame=200)
    assert [decision.seconds for decision in Decision.objects.all()] == pytest.approx(
        [102 * 1001 / 24000, 200 * 1001 / 24000]
    )


def test_what_was_moved_is_in_every_download(client, looks, press):
    (clip,) = looks("a.mov")
    press(clip, "move", clap=Clap.objects.get(scan__clip=clip).uuid, frame=102)
    table = client.get(reverse("detection:clip-export", args=[clip.uuid, "csv"])).content.decode()
    assert "01:00:04:06" in table and "01:00:04:04" not in table
    assert "ann" in table


def test_a_stale_decision_shows_the_others(client, looks, press, lead):
    (clip,) = looks("a.mov")
    client.force_login(lead)
    press(clip, "mos", key="hers")
    response = press(clip, "no slate", key="mine", made_on=0)
    assert response.status_code == 409
    shown = response.json()["html"]
    assert "Somebody else decided" in shown and "lea said: MOS, no clap" in shown
    assert StandingVerdict.objects.get().verdict == "mos"


def test_a_lost_answer_and_another_button_are_two_decisions(looks, press):
    (clip,) = looks("a.mov")
    for _ in range(2):
        assert press(clip, "mos", key="page", made_on=0).status_code == 200
    assert press(clip, "no slate", key="page", made_on=0).status_code == 409
    assert Decision.objects.get().kind == "mos"


def test_undo_over_http(looks, press):
    (clip,) = looks("a.mov")
    press(clip, "reject", clap=Clap.objects.get(scan__clip=clip).uuid)
    shown = press(clip, "undo").json()["html"]
    assert "took back: rejected the clap at frame 100" in shown
    assert press(clip, "undo").status_code == 422


@pytest.mark.parametrize(
    "form",
    [
        {"kind": "owner"},
        {"made_on": "-1"},
        {"made_on": "many"},
        {"key": ""},
        {"key": "x" * 81},
        {"clap": "junk"},
        {"kind": "add", "frame": "-1"},
        {"kind": "add", "frame": "240"},
        {"kind": "add"},
        {"kind": "accept"},
    ],
)
def test_nonsense_is_refused_and_nothing_kept(client, looks, form):
    (clip,) = looks("a.mov")
    sent = {"kind": "mos", "made_on": "0", "key": "k"} | form
    response = client.post(reverse("detection:decide", args=[clip.uuid]), sent, headers=JSON)
    assert response.status_code == 422
    assert not Decision.objects.exists()


def test_without_scripts_the_buttons_work_too(looks, press):
    (clip,) = looks("a.mov")
    response = press(clip, "mos", headers={})
    assert response.status_code == 302 and "/review/" in response["Location"]
    response = press(clip, "undo", headers={})
    assert response["Location"] == f"/clips/{clip.uuid}/"
    assert press(clip, "undo", headers={}).status_code == 422


def test_names_are_text_here_too(looks, press, make_person, project, client):
    (clip,) = looks("<b>.mov")
    person = make_person("<i>eve")
    project.memberships.create(user=person, role="annotator")
    client.force_login(person)
    press(clip, "mos")
    page = client.get(reverse("detection:clip", args=[clip.uuid])).content.decode()
    assert "<i>eve" not in page and "<b>.mov" not in page


def test_as_many_queries_for_many_decisions_as_for_few(client, looks, press):
    (clip,) = looks("a.mov")

    def number() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(reverse("detection:clip", args=[clip.uuid])).status_code == 200
        return len(queries)

    press(clip, "add", frame=10)
    few = number()
    for frame in (20, 30, 40, 50):
        press(clip, "add", frame=frame)
    assert number() == few <= 20


def frame_address(clip, frame):
    return reverse("detection:clip-frame", args=[clip.uuid, frame])


def test_a_frame_that_was_made_with_the_scan(client, home, make_clip, make_scan):
    clip = make_clip()
    scan = make_scan(clip, claps=[100])
    file = pictures.strip_file(scan, 100)
    file.parent.mkdir(parents=True)
    file.write_bytes(b"jpeg")
    response = client.get(frame_address(clip, 100))
    assert b"".join(response.streaming_content) == b"jpeg"
    assert "private" in response["Cache-Control"]


def test_frames_that_cannot_be_had(client, home, make_clip, make_scan, monkeypatch):
    clip = make_clip()
    assert client.get(frame_address(clip, 1)).status_code == 404  # no scan
    make_scan(clip)
    assert client.get(frame_address(clip, 240)).status_code == 404  # outside

    def busy(*_):
        raise filmstrip.Busy

    def broken(*_):
        raise FootageError("broken", "It is broken.")

    monkeypatch.setattr(filmstrip, "frame_file", busy)
    assert client.get(frame_address(clip, 1)).status_code == 503
    monkeypatch.setattr(filmstrip, "frame_file", broken)
    assert client.get(frame_address(clip, 1)).status_code == 404


def test_the_sound_of_some_frames(client, home, make_clip, make_scan):
    clip = make_clip()
    scan = make_scan(clip)
    address = reverse("detection:clip-sound", args=[clip.uuid])
    assert client.get(address).status_code == 204

    folder = pictures.folder_of(scan)
    folder.mkdir(parents=True)
    columns = np.arange(240 * waveform.COLUMNS) % 251
    np.save(folder / waveform.FILE, columns.astype(np.uint8)[None])
    said = client.get(f"{address}?first=2&last=3").json()
    assert said == {"first": 2, "columns": [int(n) for n in columns[16:32]], "perFrame": 8}
    assert len(client.get(f"{address}?first=0&last=99999").json()["columns"]) == 800
    assert client.get(f"{address}?first=9&last=3").status_code == 204
    assert client.get(f"{address}?first=junk&last=-1").json()["first"] == 0

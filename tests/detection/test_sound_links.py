"""Each clip finds its recorder's file; people have the last word, and everything they said is kept."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction

import pytest
from django.db.models.functions import Now
from django.urls import reverse

from secondsticks.detection import signals, sound_linking, tasks
from secondsticks.detection.decisions import Impossible, Stale, Wanted, decide
from secondsticks.detection.models import DecisionKind, LinkDue, Scan, SoundLink
from secondsticks.detection.moves import ScanState
from secondsticks.detection.sound_choices import Choice, choose
from secondsticks.detection.sound_links import How, standing_link
from secondsticks.detection.sound_pages import SoundCard, SoundPage
from secondsticks.footage.models import SoundFile
from secondsticks.footage.signals import sound_file_read
from tests.markers import readers

RATE = 48_000
#: 01:00:00:00 at 23.976, in samples.
HOUR = 36_036 * RATE // 10
#: Where the sticks of a clap at frame 100 are heard: 100 frames into the clip.
HEARD = 100 * 1001 * RATE // 24_000


@pytest.fixture(autouse=True)
def sent(monkeypatch):
    """The projects whose sound would be looked for."""
    sent = []
    monkeypatch.setattr(tasks, "send_link", sent.append)
    return sent


@pytest.fixture
def make_sound(project):
    """Make a sound file that has been read, ten minutes long; `heard` are samples of clap-like sounds."""

    def make(name="T01.wav", *, heard=(), reference: int | None = HOUR - 5 * RATE, **fields):
        known = {"sample_rate": RATE, "channels": 1, "bits": 24, "samples": 600 * RATE, "state": "ready"}
        claps = [
            {
                "sample": at,
                "sample_rate": RATE,
                "strength": 30.0,
                "confidence": 0.95,
                "stream": 0,
                "channel": 0,
            }
            for at in heard
        ]
        return SoundFile.objects.create(
            project=fields.pop("project", project), name=name, origin="upload", location=f"sounds/{name}",
            time_reference=reference, heard=claps, **known | fields,
        )  # fmt: skip

    return make


@pytest.fixture
def clapped(make_clip, make_scan):
    """A clip with a clap at frame 100 that is heard too."""

    def make(name="A001.mov", **fields):
        clip = make_clip(name, **fields)
        scan = make_scan(clip, claps=[100])
        scan.claps.update(sample=HEARD, sample_rate=RATE, sound_confidence=0.9)
        return clip

    return make


def link(*clips) -> list[SoundLink | None]:
    """Look for the sound of these clips, as the worker does; what stands then."""
    sound_linking.ask(clips[0].project, [clip.pk for clip in clips], send=print)
    tasks.link_sound(str(clips[0].project.uuid))
    assert not LinkDue.objects.exists()
    return [standing_link(SoundLink.objects.filter(clip=clip)) for clip in clips]


def test_timecode_and_clap_together_are_sure(clapped, make_sound):
    sound = make_sound(heard=[5 * RATE + HEARD + 30])
    make_sound("other.wav", reference=9 * 3600 * RATE)
    (found,) = link(clapped())
    assert (found.sound_file, found.sound_name, found.how) == (sound, "T01.wav", How.CLAPS)
    assert (found.certainty, found.offset_samples, found.by_timecode) == ("sure", 5 * RATE + 30, 5 * RATE)
    assert (found.by_name, found.number, found.seconds) == ("", 1, Fraction(5 * RATE + 30, RATE))
    assert found.confidence is not None and found.confidence > 0.8


def test_nothing_is_said_twice(clapped, make_sound):
    make_sound(heard=[5 * RATE + HEARD])
    clip = clapped()
    link(clip), link(clip)
    assert SoundLink.objects.count() == 1


def test_a_project_without_sound_files_says_nothing(clapped):
    assert link(clapped()) == [None]


def test_no_match_and_not_sure_are_said(clapped, make_sound):
    clip = clapped(start_timecode=None)
    make_sound("quiet.wav")
    (found,) = link(clip)
    assert (found.how, found.certainty, found.sound_file) == (How.NOTHING, "no match", None)
    assert found.reason == "no clap is heard in a sound file"
    for name in ("a.wav", "b.wav"):
        make_sound(name, heard=[8 * RATE])
    (found,) = link(clip)
    assert (found.how, found.certainty, found.number) == (How.NOTHING, "look", 2)
    assert found.reason == "a.wav and b.wav fit as well as each other"


def test_two_cameras_share_a_file(clapped, make_sound):
    sound = make_sound(heard=[5 * RATE + HEARD])
    first, second = link(clapped("A001.mov"), clapped("B001.mov"))
    assert first.sound_file == second.sound_file == sound


def test_files_of_other_projects_are_not_ours(clapped, make_sound, make_project):
    make_sound(project=make_project("Elsewhere"), heard=[5 * RATE + HEARD])
    assert link(clapped()) == [None]


def test_clips_that_were_not_scanned_wait_for_it(make_clip, make_scan, make_sound):
    make_sound()
    waiting, fresh = make_clip("a.mov"), make_clip("b.mov")
    make_scan(waiting, state=ScanState.RUNNING)
    assert link(waiting, fresh) == [None, None]


def test_a_clap_that_a_person_rejected_links_nothing(clapped, make_sound, annotator):
    """What is left to say is timecode alone."""
    make_sound(heard=[5 * RATE + HEARD])
    clip = clapped()
    decide(clip, annotator, Wanted(DecisionKind.NO_SLATE, 0, "key"))
    (found,) = link(clip)
    assert (found.how, found.offset_samples) == (How.TIMECODE, 5 * RATE)


def test_a_clap_moved_far_is_heard_elsewhere(clapped, make_sound, annotator):
    clip = clapped()
    clap = Scan.objects.get().claps.get()
    decide(clip, annotator, Wanted(DecisionKind.MOVE, 0, "key", clap.uuid, 150, 150 * 1001 / 24000))
    make_sound(heard=[5 * RATE + round((149.75 * 1001 / 24000) * RATE)])
    (found,) = link(clip)
    assert found.offset_samples == pytest.approx(5 * RATE, abs=2)


# --- asked for, lost, found again ---


@pytest.mark.django_db(transaction=True)
def test_a_scan_that_is_done_and_a_file_that_is_read_have_it_looked_for(clapped, make_sound, sent):
    clip = clapped()
    signals.scan_done.send(sender=Scan, scan=Scan.objects.get())
    assert [due.clip for due in LinkDue.objects.all()] == [clip]
    before = LinkDue.objects.get().token
    sound_file_read.send(sender=SoundFile, sound_file=make_sound())
    assert LinkDue.objects.get().token != before
    assert sent == [clip.project.uuid] * 2


def test_a_decision_has_it_looked_for(clapped, annotator):
    clip = clapped()
    decide(clip, annotator, Wanted(DecisionKind.MOS, 0, "key"))
    assert LinkDue.objects.get().clip == clip


def test_what_was_asked_anew_meanwhile_stays_due(clapped, make_sound, monkeypatch):
    make_sound(heard=[5 * RATE + HEARD])
    clip = clapped()
    sound_linking.ask(clip.project, [clip.pk], send=print)
    look = sound_linking.found_for

    def asked_anew(shown, recordings):
        sound_linking.ask(clip.project, [clip.pk], send=print)
        monkeypatch.setattr(sound_linking, "found_for", look)
        return look(shown, recordings)

    monkeypatch.setattr(sound_linking, "found_for", asked_anew)
    due = sound_linking._take(str(clip.project.uuid))
    sound_linking._link(due, sound_linking.Recordings(str(clip.project.uuid)))
    assert LinkDue.objects.get().token != due.token


def test_a_file_that_is_read_meanwhile_is_seen_by_the_same_worker(clapped, make_sound):
    first, second = clapped("A001.mov"), clapped("B001.mov")
    make_sound("early.wav", reference=None)
    recordings = sound_linking.Recordings(str(first.project.uuid))
    assert len(recordings.now()) == 1
    make_sound(heard=[5 * RATE + HEARD])
    sound_linking.ask(first.project, [second.pk], send=print)
    sound_linking._link(sound_linking._take(str(first.project.uuid)), recordings)
    assert SoundLink.objects.get().sound_name == "T01.wav"


def test_whoever_died_is_followed_by_another(clapped, make_sound, sent):
    make_sound(heard=[5 * RATE + HEARD])
    clip = clapped()
    project = str(clip.project.uuid)
    sound_linking.ask(clip.project, [clip.pk], send=print)
    assert sound_linking._take(project) is not None
    assert sound_linking._take(project) is None
    LinkDue.objects.update(taken_until=Now() - timedelta(seconds=1), asked_at=Now() - timedelta(minutes=5))
    sound_linking.send_lost(send=sent.append)
    assert sent == [clip.project.uuid]
    tasks.link_sound(project)
    assert SoundLink.objects.get().how == How.CLAPS


def test_a_clip_that_breaks_holds_up_no_other_and_is_given_up(clapped, make_sound, monkeypatch):
    make_sound(heard=[5 * RATE + HEARD])
    bad, good = clapped("A001.mov"), clapped("B001.mov")
    look = sound_linking.found_for
    monkeypatch.setattr(
        sound_linking, "found_for", lambda shown, r: 1 / 0 if shown.clip == bad else look(shown, r)
    )
    sound_linking.ask(bad.project, [bad.pk, good.pk], send=print)
    for _ in range(sound_linking.MOST_TRIES + 1):
        tasks.link_sound(str(bad.project.uuid))
        LinkDue.objects.update(taken_until=None)
    assert SoundLink.objects.get().clip == good
    assert LinkDue.objects.get().tries == sound_linking.MOST_TRIES


# --- people ---


@pytest.fixture
def linked(clapped, make_sound):
    make_sound(heard=[5 * RATE + HEARD])
    clip = clapped()
    link(clip)
    return clip


def say(clip, user, action, made_on, **said) -> SoundLink:
    choose(clip, user, Choice(action, made_on, **said), send=print)
    return standing_link(SoundLink.objects.filter(clip=clip))


@pytest.mark.parametrize(
    ("nudge", "samples"), [("+frame", 2002), ("-frame", -2002), ("+ms", 48), ("-ms", -48)]
)
def test_a_nudge_is_a_frame_or_a_millisecond(linked, annotator, nudge, samples):
    row = say(linked, annotator, "nudge", 1, nudge=nudge)
    assert (row.how, row.certainty, row.by_name, row.number) == (How.BY_HAND, "sure", "ann", 2)
    assert row.offset_samples == 5 * RATE + samples
    assert SoundLink.objects.get(number=1).offset_samples == 5 * RATE  # what was before is kept


def test_a_typed_offset_stands_whatever_comes_later(linked, annotator, make_sound):
    say(linked, annotator, "set", 1, offset=-12_345)
    make_sound("better.wav", heard=[5 * RATE + HEARD])
    (row,) = link(linked)
    assert (row.offset_samples, row.how) == (-12_345, How.BY_HAND)


def test_unlinked_stays_unlinked_until_somebody_asks(linked, annotator):
    row = say(linked, annotator, "unlink", 1)
    assert (row.how, row.sound_file) == (How.UNLINKED, None)
    assert link(linked)[0].how == How.UNLINKED
    say(linked, annotator, "find", 2)
    assert LinkDue.objects.get().clip == linked
    (row,) = link(linked)
    assert (row.how, row.number, row.offset_samples) == (How.CLAPS, 4, 5 * RATE)


def test_another_file_is_placed_where_its_own_clap_or_timecode_says(linked, annotator, make_sound):
    by_timecode = make_sound("backup.wav", reference=HOUR - 2 * RATE)
    row = say(linked, annotator, "choose", 1, sound_file=by_timecode)
    assert (row.sound_file, row.offset_samples, row.reason) == (
        by_timecode,
        2 * RATE,
        "placed where timecode has it",
    )
    unset = make_sound("zoom.wav", reference=9 * 3600 * RATE, heard=[HEARD + 7 * RATE])
    row = say(linked, annotator, "choose", 2, sound_file=unset)
    assert (row.offset_samples, row.reason) == (7 * RATE, "placed by the claps heard in both")
    nowhere = make_sound("nowhere.wav", reference=None)
    row = say(linked, annotator, "choose", 3, sound_file=nowhere)
    assert (row.offset_samples, row.certainty) == (0, "look")


def test_who_comes_second_sees_what_the_first_said(linked, annotator, lead):
    say(linked, annotator, "nudge", 1, nudge="+ms")
    with pytest.raises(Stale):
        say(linked, lead, "unlink", 1)


def test_there_is_nothing_to_nudge_without_a_file(clapped, annotator, make_sound):
    make_sound("quiet.wav", reference=None)
    clip = clapped(start_timecode=None)
    with pytest.raises(Impossible, match="Choose a sound file first"):
        say(clip, annotator, "nudge", 0, nudge="+ms")
    with pytest.raises(Impossible, match="not there any more"):
        say(clip, annotator, "choose", 0)


# --- pages ---


def test_the_clip_page_says_which_file_where_and_why(client, annotator, linked):
    client.force_login(annotator)
    page = client.get(linked.get_absolute_url()).content.decode()
    for text in ("T01.wav", "5.000 s into the file", "119.88", "240\u202f000 at 48 kHz", "5\u202f000.00"):
        assert text in page, text
    assert "timecode and sound agree: the clap is heard where timecode says" in page


def test_a_project_without_sound_shows_nothing_of_it(client, annotator, clapped):
    client.force_login(annotator)
    assert "sound-link" not in client.get(clapped().get_absolute_url()).content.decode()


def test_the_card_is_changed_in_place_or_with_a_new_page(client, annotator, linked):
    client.force_login(annotator)
    address = reverse("detection:change-sound", args=[linked.uuid])
    said = {"action": "nudge", "nudge": "+frame", "made_on": "1"}
    answer = client.post(address, said, headers={"HX-Request": "true"})
    assert answer.status_code == 200 and "120.88" in answer.content.decode()
    stale = client.post(address, said, headers={"HX-Request": "true"})
    assert "has changed since" in stale.content.decode()
    assert client.post(address, said).status_code == 409
    answer = client.post(address, {"action": "set", "offset": "0", "made_on": "2"})
    assert answer["Location"] == f"{linked.get_absolute_url()}#sound-link"
    for offset in ("nonsense", "9" * 30, ""):
        said = {"action": "set", "offset": offset, "made_on": "3"}
        assert client.post(address, said).status_code == 422
    assert SoundLink.objects.count() == 3


def test_a_file_of_another_project_cannot_be_chosen(client, annotator, linked, make_sound, make_project):
    foreign = make_sound("theirs.wav", project=make_project("Elsewhere"))
    client.force_login(annotator)
    said = {"action": "choose", "sound_file": foreign.uuid, "made_on": "1"}
    assert client.post(reverse("detection:change-sound", args=[linked.uuid]), said).status_code == 422


def test_the_card_asks_again_while_the_sound_is_looked_for(clapped, make_sound, client, annotator):
    clip = clapped()
    make_sound()
    sound_linking.ask(clip.project, [clip.pk], send=print)
    client.force_login(annotator)
    address = reverse("detection:sound-link", args=[clip.uuid])
    assert "every 2s" in client.get(address).content.decode()
    link(clip)
    assert "every 2s" not in client.get(address).content.decode()


def test_what_happened_is_told_newest_first(linked, annotator):
    say(linked, annotator, "unlink", 1)
    say(linked, annotator, "find", 2)
    assert [did for _, did in SoundCard(linked).history()] == [
        "asked to find its sound again",
        "unlinked the clip",
        "found T01.wav at sample 240\u202f000 by claps (sure)",
    ]


def test_a_removed_file_is_no_link_any_more(client, lead, linked, make_sound, project):
    backup = make_sound("backup.wav", reference=HOUR - 2 * RATE, heard=[2 * RATE + HEARD])
    client.force_login(lead)
    client.post(reverse("footage:sound-remove", args=[SoundFile.objects.get(name="T01.wav").uuid]))
    card = SoundCard(linked)
    assert (card.link, card.reason) == (None, "T01.wav is not in the project any more.")
    assert LinkDue.objects.get().clip == linked
    assert link(linked)[0].sound_file == backup


def test_the_list_of_sound_files(client, annotator, linked, make_sound, project):
    make_sound("broken.wav", state="refused", message="The file is empty.")
    make_sound("new.wav", state="uploaded", sample_rate=None, channels=None, samples=None)
    client.force_login(annotator)
    address = reverse("detection:sound-files", args=[project.uuid])
    page = client.get(address).content.decode()
    for text in ("T01.wav", "mono, 24 bit, 48 kHz", "10:00", "The file is empty.", "Waiting", "every 2s"):
        assert text in page, text
    assert {row.file.name: row.clips for row in SoundPage(project).rows}["T01.wav"] == 1
    part = client.get(address, headers={"HX-Request": "true"}).content.decode()
    assert part.lstrip().startswith("<section")
    board = client.get(project.get_absolute_url()).content.decode()
    assert "3 sound files" in board and "1 being read" in board and "1 refused" in board
    assert "♪ T01.wav" in board


def test_many_sound_files_take_no_more_queries(
    client, annotator, make_sound, project, django_assert_max_num_queries
):
    for number in range(20):
        make_sound(f"{number}.wav")
    client.force_login(annotator)
    with django_assert_max_num_queries(8):
        client.get(reverse("detection:sound-files", args=[project.uuid]))


# --- exports ---


def test_the_link_is_exported(client, annotator, linked, project):
    client.force_login(annotator)
    say(linked, annotator, "nudge", 1, nudge="-ms")
    text = client.get(reverse("detection:project-export", args=[project.uuid, "csv"])).content.decode()
    (line,) = readers.read_csv(text)
    assert (line["sound_file"], line["sound_how"], line["sound_sure"]) == ("T01.wav", "by hand", "yes")
    assert (line["sound_offset_samples"], line["sound_sample_rate"]) == (str(5 * RATE - 48), "48000")
    assert line["sound_time_reference"] == str(HOUR - 5 * RATE)
    ale = client.get(reverse("detection:project-export", args=[project.uuid, "ale"])).content.decode()
    names, values = (ale.split("\r\n")[number].split("\t") for number in (7, 10))
    row = dict(zip(names, values, strict=True))
    assert (row["Soundroll"], row["Sound TC"], row["Sound file"]) == ("T01", "00:59:59:23", "T01.wav")


def test_the_paths_of_files_are_not_told(client, annotator, linked, project):
    client.force_login(annotator)
    address = reverse("detection:project-export", args=[project.uuid, "json"])
    assert "sounds/" not in client.get(address).content.decode()

"""A recorder's files become sound files: uploaded or in a server folder, read once, refused in a sentence."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from django.db.models.functions import Now
from django.urls import reverse

from secondsticks.footage import folders, leases, lost, sound_reading, tasks, tus, uploads
from secondsticks.footage.models import Clip, SoundFile, Upload
from secondsticks.footage.signals import sound_file_read
from secondsticks.footage.sound_files import SoundFileState
from tests.training.clicking import Track, samples_of
from tests.training.sound.test_files import IXML, bext, chunk, tone, write

CLICKS = samples_of(Track(clicks=(24_000, 72_000)))


@pytest.fixture(autouse=True)
def _home(home):
    """Files of each test lie in a home of their own."""


@pytest.fixture
def new_sound(project):
    def make(name="T01.wav", samples=CLICKS, *, content=None, **said):
        sound_file = SoundFile.objects.create(
            project=project, name=name, origin="upload", location=f"sounds/{name}", queued_at=Now()
        )
        sound_file.path.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            write(sound_file.path, samples, **said)
        else:
            sound_file.path.write_bytes(content)
        return sound_file

    return make


@pytest.fixture
def told():
    """The sound files of which detection was told."""
    told = []

    def listen(sender, sound_file, **kwargs):
        told.append(sound_file.pk)

    sound_file_read.connect(listen)
    yield told
    sound_file_read.disconnect(listen)


def read(sound_file) -> SoundFile:
    tasks.read_sound_file(str(sound_file.uuid))
    sound_file.refresh_from_db()
    return sound_file


def test_a_sound_file_is_read_and_listened_to(new_sound, told):
    sound = read(new_sound(reference=3600 * 48_000, ixml=IXML))
    assert (sound.state, sound.message, sound.leased_until) == ("ready", "", None)
    assert (sound.sample_rate, sound.channels, sound.bits, sound.samples) == (48_000, 1, 24, 96_000)
    assert (sound.scene, sound.take, sound.tape) == ("12A", "3", "DAY04")
    assert (sound.time_reference, sound.timecode_rate) == (3600 * 48_000, "24000/1001")
    assert sound.size == sound.path.stat().st_size
    assert [one.sample for one in sound.transients()] == pytest.approx([24_000, 72_000], abs=50)
    assert all(one.confidence >= 0.5 for one in sound.transients())
    assert (sound.facts().duration, sound.facts().timecode_rate) == (2, Fraction(24000, 1001))
    assert sound.starts_at == "00:59:56:09"  # an hour of seconds at 23.976
    assert told == [sound.pk]


def test_a_time_reference_without_a_rate_is_a_time_of_day(new_sound):
    assert read(new_sound(reference=3600 * 48_000 + 24_000)).starts_at == "01:00:00.500"
    assert read(new_sound("plain.wav")).starts_at == ""


def test_the_largest_time_reference_fits(new_sound):
    sound = read(new_sound(reference=2**64 - 1))
    assert (sound.state, sound.time_reference) == ("ready", Decimal(2**64 - 1))


def test_text_with_zeros_in_it_fits(new_sound):
    assert read(new_sound(ixml="<SCENE>1\0 2</SCENE>")).scene == "1 2"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"", "The file is empty."), (b"hello, this is text", "This is not a WAV file.")],
)
def test_what_is_no_sound_is_refused(new_sound, told, content, sentence):
    sound = read(new_sound(content=content))
    assert (sound.state, sound.message, told) == ("refused", sentence, [])


def test_a_file_that_went_away_is_refused(new_sound):
    sound = new_sound()
    sound.path.unlink()
    assert read(sound).message == "The file is not there."


def test_a_folder_that_is_not_allowed_any_more(new_sound):
    sound = new_sound()
    SoundFile.objects.update(origin="folder")
    assert "no longer allowed" in read(sound).message


def test_a_sound_file_that_is_read_is_not_read_again(new_sound, told):
    sound = read(new_sound())
    read(sound)
    assert told == [sound.pk]


def test_a_share_that_breaks_is_tried_again_and_then_given_up(new_sound, monkeypatch):
    def broken(sound):
        raise OSError("gone")
        yield

    monkeypatch.setattr(sound_reading, "read_sound", broken)
    sound = new_sound()
    for _ in range(leases.MOST_FAILURES - 1):
        with pytest.raises(OSError, match="gone"):
            read(sound)
        sound.refresh_from_db()
        assert sound.state == SoundFileState.UPLOADED
    assert read(sound).state == "refused"
    assert sound.message == "The file could not be read to its end."


def test_a_bug_of_ours_is_no_fault_of_the_file(new_sound, monkeypatch):
    monkeypatch.setattr(sound_reading, "probe_sound", lambda path: 1 / 0)
    sound = new_sound()
    for _ in range(leases.MOST_FAILURES):
        with pytest.raises(ZeroDivisionError):
            read(sound)
    sound.refresh_from_db()
    assert sound.message == "This sound file could not be read: the server failed. Its log says more."


def test_whoever_was_taken_over_writes_nothing(new_sound, monkeypatch, told):
    sound = new_sound()
    listen = sound_reading._listen

    def taken_over(lease):
        SoundFile.objects.update(attempt=lease.attempt + 1)
        return listen(lease)

    monkeypatch.setattr(sound_reading, "_listen", taken_over)
    assert read(sound).state == "reading"
    assert told == []


def test_a_lost_sound_file_is_sent_again(new_sound, monkeypatch):
    sent = []
    monkeypatch.setattr(tasks, "_send", lambda actor, file: sent.append((actor.actor_name, file.pk)))
    sound = new_sound()
    SoundFile.objects.update(queued_at=Now() - timedelta(minutes=5))
    tasks.sweep()
    tasks.sweep()
    assert sent == [("read_sound_file", sound.pk)]


# --- on their way in ---


def uploaded(project, user, name: str, content: bytes = b"RIFF") -> Upload:
    upload = uploads.begin(project, user, name=name, size=len(content))
    upload.part_path.write_bytes(content)
    Upload.objects.update(offset=len(content))
    return upload


@pytest.mark.parametrize("name", ["T01.wav", "T01.WAV", "day.bwf", "day.wave"])
def test_an_uploaded_wav_is_a_sound_file(project, annotator, name, django_capture_on_commit_callbacks):
    sent = []
    upload = uploaded(project, annotator, name)
    with django_capture_on_commit_callbacks(execute=True):
        sound = uploads.finish(upload, send_ingest=sent.append)
    assert uploads.finish(upload, send_ingest=sent.append) == sound
    assert sent == [sound] and isinstance(sound, SoundFile)
    assert (sound.uuid, sound.name, sound.path.read_bytes()) == (upload.uuid, name, b"RIFF")
    assert not Clip.objects.exists() and not upload.part_path.exists()


def test_a_request_that_died_before_the_sound_file_was_made(project, annotator):
    upload = uploaded(project, annotator, "T01.wav")
    Upload.objects.update(written_at=Now() - timedelta(minutes=5))
    sent = []
    lost.finish_uploads(send_ingest=sent.append)
    lost.finish_uploads(send_ingest=sent.append)
    assert SoundFile.objects.get().uuid == upload.uuid


def test_an_upload_that_has_become_a_sound_file_takes_no_more(project, annotator):
    upload = uploaded(project, annotator, "T01.wav")
    uploads.finish(upload, send_ingest=print)
    Upload.objects.update(size=10)
    upload.refresh_from_db()
    with pytest.raises(uploads.UploadError):
        uploads.append(upload, offset=4, length=1, source=None)


def test_sound_files_of_a_server_folder(project, tmp_path, settings):
    settings.SECONDSTICKS_FOLDERS = [str(tmp_path)]
    card = tmp_path / "card"
    card.mkdir()
    for name in ("a.mov", "T01.wav", "T02.BWF", ".hidden.wav", "notes.txt"):
        (card / name).write_bytes(b"x")
    found = folders.register(project, str(card), send_ingest=print)
    assert (found.added, found.sounds, found.known, found.other) == (1, 2, 0, 2)
    assert sorted(project.sound_files.values_list("name", "origin")) == [
        ("T01.wav", "folder"),
        ("T02.BWF", "folder"),
    ]
    again = folders.register(project, str(card), send_ingest=print)
    assert (again.added, again.sounds, again.known) == (0, 0, 3)


# --- what people may do ---


def test_a_refused_file_can_be_tried_again(client, annotator, new_sound, monkeypatch):
    monkeypatch.setattr(tasks, "_send", lambda actor, file: None)
    sound = read(new_sound(content=b"half"))
    write(sound.path, tone(), reference=5)
    client.force_login(annotator)
    client.post(reverse("footage:sound-try-again", args=[sound.uuid]))
    sound.refresh_from_db()
    assert (sound.state, sound.message) == ("uploaded", "")
    assert read(sound).channels == 2


def test_removing_an_uploaded_file_removes_our_copy(
    client, lead, project, annotator, django_capture_on_commit_callbacks
):
    sound = uploads.finish(uploaded(project, annotator, "T01.wav"), send_ingest=print)
    client.force_login(lead)
    with django_capture_on_commit_callbacks(execute=True):
        client.post(reverse("footage:sound-remove", args=[sound.uuid]))
    assert not SoundFile.objects.exists() and not sound.path.exists()
    assert not Upload.objects.exists()


def test_the_file_comes_back_as_it_was(client, annotator, new_sound):
    sound = new_sound()
    client.force_login(annotator)
    answer = client.get(reverse("footage:sound-source", args=[sound.uuid]))
    assert b"".join(answer.streaming_content) == sound.path.read_bytes()
    assert answer["Content-Disposition"] == 'attachment; filename="T01.wav"'


def test_a_file_with_a_broken_header_is_refused_and_kept(new_sound):
    body = b"WAVE" + chunk(b"bext", bext(1)) + chunk(b"data", bytes(8))
    sound = read(new_sound(content=b"RIFF\0\0\0\0" + body))
    assert sound.message == "The file is damaged or was not written to its end."
    assert sound.path.exists()


def test_tus_takes_a_wav_in_the_same_drop_zone(client, annotator, project, monkeypatch):
    sent = []
    monkeypatch.setattr(tus, "send_ingest", sent.append)
    client.force_login(annotator)
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": "0", "Upload-Metadata": "filename VDAxLndhdg=="}
    answer = client.post(reverse("footage:project-upload", args=[project.uuid]), headers=headers)
    assert answer.status_code == 201
    assert SoundFile.objects.get().name == "T01.wav"

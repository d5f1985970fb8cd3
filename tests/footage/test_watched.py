"""Watched folders: what becomes a clip and when, what is left alone, and what survives what."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse

from secondsticks.footage import folders, leases, reading, tasks, visits, watched_list
from secondsticks.footage.folders import FolderRefused
from secondsticks.footage.models import Clip, ClipState, ProxyState, SoundFile, WatchedFile, WatchedFolder
from secondsticks.footage.signals import folder_visited
from secondsticks.footage.watched import MARK, Exports, ExportsRefused, add, check_exports
from secondsticks.watch import lookout
from secondsticks.watch.lookout import FolderAway
from tests.training.clicking import Track, samples_of
from tests.training.sound.test_files import write

LONG_AGO = timedelta(minutes=10)


@pytest.fixture(autouse=True)
def _home(home):
    """Files of each test lie in a home of their own."""


@pytest.fixture
def footage(tmp_path, settings) -> Path:
    """The folder that is watched, in one that this server may use."""
    folder = tmp_path / "dailies" / "day 12"
    (folder / "A").mkdir(parents=True)
    settings.SECONDSTICKS_FOLDERS = [str(tmp_path / "dailies")]
    settings.SECONDSTICKS_SETTLE_SECONDS = 0
    return folder


@pytest.fixture
def sent(monkeypatch) -> list[str]:
    """The names of the clips that were sent to be read."""
    sent: list[str] = []
    monkeypatch.setattr(tasks, "_send", lambda actor, row: sent.append(f"{actor.actor_name} {row}"))
    return sent


@pytest.fixture
def watched(project, footage) -> WatchedFolder:
    return add(project, str(footage), None)


@pytest.fixture
def visit(sent, django_capture_on_commit_callbacks):
    """Make one visit now, as a worker does, and return the folder."""

    def make(watched: WatchedFolder) -> WatchedFolder:
        WatchedFolder.objects.update(due_at=Now())
        with django_capture_on_commit_callbacks(execute=True):
            tasks.visit(str(watched.uuid))
        return WatchedFolder.objects.get(pk=watched.pk)

    return make


def put(path: Path, content: bytes = b"moving pictures", *, mtime: float | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    if mtime is not None:
        os.utime(path, (mtime, mtime))
    return path


def names() -> list[str]:
    return list(Clip.objects.order_by("name").values_list("name", flat=True))


def as_if_read(clip: Clip, **fields) -> None:
    """As a worker leaves a clip that it has read."""
    read = {"state": ClipState.READY, "rate_num": 25, "rate_den": 1, "frames": 8, **fields}
    read |= {"size": clip.path.stat().st_size, "fingerprint": reading.fingerprint(clip.path)}
    Clip.objects.filter(pk=clip.pk).update(**read, proxy_state=ProxyState.NOT_NEEDED, updated_at=Now())


def test_what_is_put_into_a_folder_becomes_a_clip_once(watched, footage, visit, sent):
    first = put(footage / "A" / "one.mov")
    assert visit(watched).clip_count == 1
    clip = Clip.objects.get()
    assert (clip.name, clip.path, clip.origin, clip.state) == ("one.mov", first, "folder", "uploaded")
    assert sent == ["ingest one.mov"]
    put(footage / "two.mxf")
    for _ in range(3):
        watched = visit(watched)
    assert names() == ["one.mov", "two.mxf"]
    assert sent == ["ingest one.mov", "ingest two.mxf"]
    assert (watched.clip_count, watched.unsettled, watched.problem, watched.attempt) == (2, 0, "", 4)
    assert watched.leased_until is None


def test_a_recorders_files_become_sound_files_beside_clips(watched, footage, visit, sent, project):
    put(footage / "A" / "one.mov")
    put(footage / "sound" / "T01.WAV", b"RIFF is not read here")
    put(footage / "sound" / "T02.bwf.part")
    watched = visit(watched)
    assert (watched.clip_count, watched.sound_count, names()) == (1, 1, ["one.mov"])
    sound_file = SoundFile.objects.get()
    assert (sound_file.name, sound_file.origin, sound_file.project) == ("T01.WAV", "folder", project)
    assert sound_file.path == footage / "sound" / "T01.WAV"
    visit(watched)
    assert sorted(sent) == ["ingest one.mov", "read_sound_file T01.WAV"]
    (shown,) = watched_list.of(project)
    assert "1 clip, 1 sound file." in shown.found


def test_a_sound_file_that_changes_is_read_again_and_one_that_was_removed_stays_away(
    watched, footage, visit, sent
):
    file = write(footage / "T01.wav", samples_of(Track(clicks=(24_000,))))
    visit(watched)
    tasks.read_sound_file(str(SoundFile.objects.get().uuid))
    assert SoundFile.objects.get().is_ready
    os.utime(file, (1_700_000_000, 1_700_000_000))
    visit(watched)
    assert (SoundFile.objects.get().state, len(sent)) == ("ready", 1), "the same content"
    write(file, samples_of(Track(clicks=(24_000, 72_000))))
    visit(watched)
    assert (SoundFile.objects.get().state, len(sent)) == ("uploaded", 2)
    SoundFile.objects.get().delete()
    visit(watched)
    assert not SoundFile.objects.exists()


def test_sound_files_that_were_added_by_hand_are_known(watched, footage, visit, sent, project):
    put(footage / "T01.wav", b"no sound")
    folders.register(project, str(footage), send_ingest=lambda file: None)
    visit(watched)
    assert SoundFile.objects.count() == 1 and not Clip.objects.exists()


def test_unfinished_hidden_and_empty_files_are_left_alone(watched, footage, visit):
    for name in ("B.mov.part", "B.tmp", "._B.mov", ".B.mov", "B.mov.crdownload", "notes.txt"):
        put(footage / name)
    (footage / "empty.mov").touch()
    assert visit(watched).clip_count == 0
    assert names() == []


def test_a_file_that_grows_is_left_until_it_has_settled(watched, footage, visit, settings):
    settings.SECONDSTICKS_SETTLE_SECONDS = 30
    for size in (1, 2, 3):
        put(footage / "long.mov", b"x" * size, mtime=1_700_000_000 + size)
        watched = visit(watched)
        assert (watched.clip_count, watched.unsettled, names()) == (1, 1, [])
        WatchedFile.objects.update(since=Now() - timedelta(seconds=40))
    assert visit(watched).unsettled == 0  # by the database's clock, over many restarts
    assert names() == ["long.mov"]


def test_a_file_that_goes_and_comes_back_settles_anew(watched, footage, visit, settings):
    settings.SECONDSTICKS_SETTLE_SECONDS = 30
    file = put(footage / "long.mov", mtime=1_700_000_000)
    visit(watched)
    file.unlink()
    visit(watched)
    assert not WatchedFile.objects.exists()
    put(file, mtime=1_700_000_000)
    assert visit(watched).unsettled == 1


def test_a_file_that_a_program_has_open_is_left(watched, footage, visit):
    with put(footage / "open.mov").open("ab"):
        visit(watched)
        assert names() == []
    visit(watched)
    assert names() == ["open.mov"]


def test_a_clip_that_was_removed_stays_away_until_its_file_changes(watched, footage, visit):
    file = put(footage / "one.mov")
    visit(watched)
    Clip.objects.get().delete()
    for _ in range(2):
        visit(watched)
    assert names() == []
    put(file, b"another take", mtime=1_700_000_000)
    visit(watched)
    assert names() == ["one.mov"]


def test_a_file_that_changes_is_read_again(watched, footage, visit, sent):
    file = put(footage / "one.mov", b"half")
    visit(watched)
    as_if_read(Clip.objects.get())
    put(file, b"half and the other half")
    visit(watched)
    clip = Clip.objects.get()
    assert (clip.state, clip.proxy_state) == (ClipState.UPLOADED, ProxyState.UNKNOWN)
    assert sent == ["ingest one.mov"] * 2
    as_if_read(clip)
    visit(watched)
    assert len(sent) == 2


def test_a_file_that_changes_while_it_is_read_is_read_again_later(watched, footage, visit, sent):
    file = put(footage / "one.mov", b"half")
    visit(watched)
    lease = leases.claim(Clip, str(Clip.objects.get().uuid), tasks.TO_READ, state=ClipState.INGESTING)
    put(file, b"half and the other half")
    visit(watched)
    assert Clip.objects.get().state == ClipState.INGESTING
    assert not WatchedFile.objects.get().is_taken
    lease.write(state=ClipState.REFUSED, message="It ends in the middle.", leased_until=None)
    visit(watched)
    assert (Clip.objects.get().state, len(sent)) == (ClipState.UPLOADED, 2)


def test_the_same_content_under_another_time_is_not_read_again(watched, footage, visit, sent):
    """As when a share is mounted by another protocol."""
    file = put(footage / "one.mov")
    visit(watched)
    as_if_read(Clip.objects.get())
    os.utime(file, (1_700_000_000, 1_700_000_000))
    visit(watched)
    assert (Clip.objects.get().state, len(sent)) == (ClipState.READY, 1)
    assert WatchedFile.objects.get().is_taken


def test_clips_that_were_added_by_hand_are_known(watched, footage, visit, sent, make_clip):
    file = put(footage / "one.mov")
    as_if_read(make_clip("one.mov", origin="folder", location=str(file)))
    visit(watched)
    assert (names(), sent) == (["one.mov"], [])


def test_a_folder_that_is_away_changes_nothing_and_comes_back(watched, footage, visit, sent):
    put(footage / "one.mov")
    visit(watched)
    as_if_read(Clip.objects.get())
    away = footage.rename(footage.with_name("away"))
    watched = visit(watched)
    assert watched.problem == f"{footage} is not there. Is its share connected?"
    assert (watched.clip_count, names(), WatchedFile.objects.count()) == (1, ["one.mov"], 1)
    away.rename(footage)
    watched = visit(watched)
    assert (watched.problem, watched.clip_count, names(), len(sent)) == ("", 1, ["one.mov"], 1)


def test_an_unmounted_share_leaves_an_empty_folder_and_is_noticed(watched, footage, visit):
    put(footage / "one.mov")
    visit(watched)
    WatchedFolder.objects.update(is_mount=True)  # as if it had been one
    assert "Is its share connected?" in visit(watched).problem
    assert WatchedFile.objects.get().is_taken


def test_what_was_refused_while_a_folder_was_away_is_read_again(watched, footage, visit, sent):
    put(footage / "one.mov")
    put(footage / "two.mov")
    visit(watched)
    one, two = Clip.objects.order_by("name")
    refused = {"state": ClipState.REFUSED, "message": "The file is not there."}
    Clip.objects.filter(pk=one.pk).update(**refused, updated_at=Now() - LONG_AGO)  # its own fault
    Clip.objects.filter(pk=two.pk).update(**refused, updated_at=Now())
    WatchedFolder.objects.update(problem="It is away.", looked_at=Now() - timedelta(minutes=5))
    visit(watched)
    assert list(Clip.objects.order_by("name").values_list("state", flat=True)) == ["refused", "uploaded"]
    assert sent[2:] == ["ingest two.mov"]


def test_links_that_lead_out_and_strange_names_are_named_and_left(watched, footage, visit, tmp_path):
    outside = put(tmp_path / "private.mov")
    (footage / "link.mov").symlink_to(outside)
    put(footage / "A" / "one.mov")
    (footage / "again.mov").symlink_to(footage / "A" / "one.mov")
    Path(os.fsdecode(bytes(footage) + b"/\xff.mov")).write_bytes(b"x")
    watched = visit(watched)
    assert Clip.objects.get().path == footage / "A" / "one.mov"
    assert len(watched.notes) == 2
    assert "link.mov is left out: it is a link that leads out" in " ".join(watched.notes)


def test_a_folder_that_is_no_longer_allowed_is_not_looked_at(watched, footage, visit, settings):
    put(footage / "one.mov")
    settings.SECONDSTICKS_FOLDERS = []
    assert "lies in no folder that this server may use" in visit(watched).problem
    assert names() == []


def test_a_folder_that_does_not_answer_holds_up_nobody(watched, visit, monkeypatch, tmp_path):
    """A child that hangs is given up, and while it hangs there is no second one."""
    hangs = tmp_path / "python"
    hangs.write_text("#!/bin/sh\nexec sleep 600\n")
    hangs.chmod(0o755)
    monkeypatch.setattr(lookout.sys, "executable", str(hangs))
    monkeypatch.setattr(lookout, "ANSWER", 0.1)
    monkeypatch.setattr(lookout, "_end", lambda child: None)
    problem = visit(watched).problem
    child = lookout._HUNG.pop(str(watched.folder))
    assert problem == f"{watched.path} does not answer. Is its share connected?"
    lookout._HUNG[str(watched.folder)] = child
    monkeypatch.setattr(lookout.subprocess, "Popen", None)
    assert visit(watched).problem == problem
    del lookout._HUNG[str(watched.folder)]
    child.kill()
    child.communicate()


def test_one_worker_at_a_time_and_the_late_one_writes_nothing(watched, footage, visit):
    put(footage / "one.mov")
    late = leases.claim(WatchedFolder, str(watched.uuid), visits.TO_VISIT)
    assert leases.claim(WatchedFolder, str(watched.uuid), visits.TO_VISIT) is None
    WatchedFolder.objects.update(leased_until=Now() - LONG_AGO)  # it was paused for longer than a lease
    visit(watched)
    assert names() == ["one.mov"]
    put(footage / "two.mov")
    with pytest.raises(leases.LeaseLost):
        visits.keep(late, visits._look(watched))
    with pytest.raises(leases.LeaseLost):
        visits.take(late, [], away_since=None, send_ingest=print)
    assert (names(), WatchedFile.objects.count()) == (["one.mov"], 1)


def test_a_visit_that_dies_between_looking_and_taking_is_made_again(watched, footage, visit, monkeypatch):
    put(footage / "one.mov")
    with monkeypatch.context() as patched:
        patched.setattr(visits, "take", lambda *args, **kwargs: (_ for _ in ()).throw(MemoryError))
        with pytest.raises(MemoryError):
            visit(watched)
    assert (WatchedFile.objects.count(), names()) == (1, [])
    WatchedFolder.objects.update(leased_until=Now() - LONG_AGO)
    visit(watched)
    assert names() == ["one.mov"]


def test_a_receiver_is_told_of_a_visit_after_it_is_kept(watched, footage, visit):
    put(footage / "one.mov")
    told = []

    def listen(sender, lease, away_since, **kwargs):
        told.append((lease.row.pk, names(), away_since))

    folder_visited.connect(listen)
    try:
        visit(watched)
    finally:
        folder_visited.disconnect(listen)
    assert told == [(watched.pk, ["one.mov"], None)]


def test_the_sweep_sends_who_is_due_and_nobody_else(make_project, footage, sent):
    folders = [footage / name for name in "abcd"]
    for folder in folders:
        folder.mkdir()
    project = make_project("Another")
    due, paused, later, held = [add(project, str(folder), None) for folder in folders]
    WatchedFolder.objects.filter(pk=paused.pk).update(is_paused=True)
    WatchedFolder.objects.filter(pk=later.pk).update(due_at=Now() + LONG_AGO)
    WatchedFolder.objects.filter(pk=held.pk).update(leased_until=Now() + LONG_AGO)
    tasks.sweep()
    tasks.sweep()
    assert sent == [f"visit {due}"]


# Which folders, and where their exports go


def exports(folder: str = "", formats=("csv",)) -> Exports:
    return Exports(folder, formats, include_unsure=True)


def test_exports_go_beside_the_folder_unless_told_otherwise(project, footage):
    watched = add(project, f"{footage}/", exports())
    assert watched.export_to == f"{footage}-claps"
    assert str(watched.uuid) in (watched.export_folder / MARK).read_text()
    check_exports(watched)


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("{footage}/claps", "lies in the watched folder"),
        ("{footage}", "lies in the watched folder"),
        ("{footage}/../day 12/A", "lies in the watched folder"),
        ("{root}", "holds the watched folder"),
        ("{root}/..", "lies in no folder that this server may use"),
        ("/etc/claps", "lies in no folder that this server may use"),
        ("claps", "Give the whole path"),
        ("{root}/x\0y", "Give the whole path"),
        ("{root}/none/claps", "There is no folder"),
        ("{root}/link/claps", "lies in the watched folder"),
        ("{root}/full", "holds other files"),
        ("{root}/taken-claps", "overlaps with the export folder of another"),
        ("{root}/taken-claps/more", "overlaps with the export folder of another"),
        ("{root}/taken/more", "overlaps with another folder that is watched"),
    ],
)
def test_other_export_folders_are_refused_and_nothing_is_left(project, make_project, footage, typed, why):
    root = footage.parent
    (root / "link").symlink_to(footage)
    put(root / "full" / "notes.txt")
    (root / "taken").mkdir()
    add(make_project("Another"), str(root / "taken"), exports())
    before = sorted(root.rglob("*"))
    with pytest.raises(ExportsRefused, match=why):
        add(project, str(footage), exports(typed.format(footage=footage, root=root)))
    assert sorted(root.rglob("*")) == before
    assert not project.watched_folders.exists()


def test_a_root_has_no_room_for_exports_beside_it(project, footage):
    with pytest.raises(ExportsRefused, match="no room beside"):
        add(project, str(footage.parent), exports())


def test_a_folder_that_cannot_be_written_to_is_refused(project, footage, monkeypatch):
    def refuse(self, *args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(ExportsRefused, match=r"cannot be written to: Permission denied\."):
        add(project, str(footage), exports())


def test_a_folder_is_watched_once_and_exports_are_never_watched(project, make_project, footage):
    add(project, str(footage), exports())
    for folder in (footage, footage / "A", footage.parent):
        with pytest.raises(FolderRefused, match="watched already"):
            add(project, str(folder), None)
    with pytest.raises(FolderRefused, match="Exports of a watched folder"):
        add(make_project("Another"), f"{footage}-claps", None)
    assert add(make_project("A third one"), str(footage), None).path == str(footage)


def test_exports_whose_folder_was_removed_and_added_again_go_on(project, footage):
    first = add(project, str(footage), exports())
    put(first.export_folder / "one-claps.csv")
    first.delete()
    again = add(project, str(footage), exports())
    check_exports(again)
    with pytest.raises(ExportsRefused, match="no longer the folder"):
        check_exports(first)


# The page


def as_(person) -> Client:
    client = Client()
    client.force_login(person)
    return client


def settings_of(project) -> str:
    return reverse("footage:project-settings", args=[project.uuid])


def test_a_lead_watches_pauses_and_removes_a_folder(project, lead, footage, visit, sent):
    client, form = as_(lead), {"watch": str(footage), "exports": "on", "formats": ["edl", "csv"]}
    address = reverse("footage:watch-folder", args=[project.uuid])
    page = client.post(address, form, follow=True).content.decode()
    assert f"{footage} is being watched" in page
    watched = WatchedFolder.objects.get()
    assert (watched.formats, watched.include_unsure) == (["edl", "csv"], False)
    assert sent == [f"visit {footage}"]
    put(footage / "one.mov")
    visit(watched)
    page = client.get(settings_of(project)).content.decode()
    assert "1 clip." in page
    assert "only claps that are sure" in page
    pause = reverse("footage:pause-watched", args=[watched.uuid])
    assert "paused" in client.post(pause, follow=True).content.decode()
    put(footage / "two.mov")
    visit(watched)
    assert names() == ["one.mov"]
    client.post(pause, {"paused": "0"})
    visit(watched)
    assert names() == ["one.mov", "two.mov"]
    page = client.post(reverse("footage:remove-watched", args=[watched.uuid]), follow=True).content.decode()
    assert "watched no more" in page
    assert (WatchedFolder.objects.count(), names()) == (0, ["one.mov", "two.mov"])
    assert (footage / "one.mov").exists()


@pytest.mark.parametrize(
    ("form", "why"),
    [
        ({"watch": "/etc"}, "not one of the allowed ones"),
        ({"watch": "{footage}", "exports": "on"}, "Choose at least one format"),
        ({"watch": "{footage}", "exports": "on", "formats": ["exe"]}, "Select a valid choice"),
        ({"watch": "{footage}", "exports": "on", "formats": ["csv"], "export_to": "/"}, "may use"),
        ({}, "This field is required"),
    ],
)
def test_a_form_that_cannot_be_used_says_why_and_keeps_what_was_typed(project, lead, footage, form, why):
    typed = {key: said.format(footage=footage) if key == "watch" else said for key, said in form.items()}
    response = as_(lead).post(reverse("footage:watch-folder", args=[project.uuid]), typed)
    assert response.status_code == 422
    page = response.content.decode()
    assert why in page
    assert typed.get("watch", "") in page
    assert not WatchedFolder.objects.exists()


def test_annotators_see_no_watched_folders(project, annotator, watched):
    assert watched.path not in as_(annotator).get(settings_of(project)).content.decode()


def test_the_page_tells_how_each_folder_fares(project, lead, footage, visit, watched):
    def shown() -> watched_list.Shown:
        return watched_list.of(project)[0]

    assert (shown().badge[0], shown().found) == ("first look", "Not looked through yet.")
    put(footage / "one.mov")
    visit(watched)
    assert (shown().badge[0], shown().problems) == ("watching", [])
    WatchedFolder.objects.update(due_at=Now() - LONG_AGO)
    assert shown().badge[0] == "cannot look"
    assert "Is a worker running?" in shown().problems[0]
    WatchedFolder.objects.update(leased_until=Now() + LONG_AGO)  # somebody works long
    assert shown().problems == []
    WatchedFolder.objects.update(export_problem="The disk is full.", due_at=Now())
    assert shown().badge[0] == "exports fail"
    page = as_(lead).get(reverse("footage:watched-folders", args=[project.uuid])).content.decode()
    assert "The disk is full." in page


def test_looking_through_a_folder_takes_a_child_that_ends(footage):
    put(footage / "one.mov")
    found = lookout.look(footage, is_mount=False, within=[str(footage)])
    assert [seen.about.path for seen in found.files] == ["one.mov"]
    with pytest.raises(FolderAway, match="is not there"):
        lookout.look(footage, is_mount=True, within=[str(footage)])
    assert not lookout._HUNG

"""Exports beside a watched folder: written when a scan is done, and again when somebody decides."""

from __future__ import annotations

import csv
from datetime import timedelta
from importlib import import_module
from pathlib import Path

import pytest
from django.db.models.functions import Now

from secondsticks.detection import export_folders, scans
from secondsticks.detection.decisions import Wanted, decide
from secondsticks.detection.models import DecisionKind, Scan, SoundLink
from secondsticks.detection.moves import ScanState
from secondsticks.footage import leases, reading, tasks, visits
from secondsticks.footage.models import Clip, ClipState, SoundFile, WatchedFile, WatchedFolder
from secondsticks.footage.signals import clip_ingested
from secondsticks.footage.watched import MARK, Exports, add

bundle = import_module("secondsticks.markers.bundle")  # the package has a function of that name


@pytest.fixture
def footage(home, tmp_path, settings) -> Path:
    folder = tmp_path / "dailies" / "day 12"
    folder.mkdir(parents=True)
    settings.SECONDSTICKS_FOLDERS = [str(tmp_path / "dailies")]
    settings.SECONDSTICKS_SETTLE_SECONDS = 0
    return folder


@pytest.fixture
def watched(project, footage) -> WatchedFolder:
    return add(project, str(footage), Exports("", ["csv", "edl"], include_unsure=True))


@pytest.fixture
def visit(monkeypatch):
    """Make one visit now, as a worker does, and return the folder."""
    monkeypatch.setattr(tasks, "_send", lambda actor, row: None)

    def make(watched: WatchedFolder) -> WatchedFolder:
        WatchedFolder.objects.update(due_at=Now(), leased_until=None)
        tasks.visit(str(watched.uuid))
        return WatchedFolder.objects.get(pk=watched.pk)

    return make


@pytest.fixture
def put(make_clip, make_scan):
    """Put a file into the folder, as if it had been read and scanned; returns its clip."""

    def make(path: Path, *, claps=(21,), content=b"moving pictures") -> Clip:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        known = {"size": len(content), "fingerprint": reading.fingerprint(path)}
        clip = make_clip(path.name, origin="folder", location=str(path), **known)
        make_scan(clip, claps=claps)
        return clip

    return make


def exported(watched: WatchedFolder) -> dict[str, bytes]:
    folder = watched.export_folder
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MARK
    }


def frames(watched: WatchedFolder, name: str) -> list[str]:
    return [row["frame"] for row in csv.DictReader((watched.export_folder / name).read_text().splitlines())]


def say(clip: Clip, person, kind: DecisionKind, number: int = 0, **more) -> None:
    clap = Scan.objects.get(clip=clip, is_current=True).claps.first()
    decide(clip, person, Wanted(kind, number, f"key {number}", clap=clap.uuid if clap else None, **more))


def listing(folder: Path) -> dict[Path, tuple[int, int]]:
    return {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in folder.rglob("*")}


def test_exports_mirror_the_footage_and_nothing_is_repeated(watched, footage, put, visit):
    put(footage / "A" / "one.mov")
    before = listing(footage)
    watched = visit(watched)
    assert sorted(exported(watched)) == ["A/one-claps.csv", "A/resolve/one-claps.edl"]
    assert b"01:00:00:21" in exported(watched)["A/resolve/one-claps.edl"]
    assert watched.export_folder == footage.with_name("day 12-claps")
    assert (watched.export_problem, watched.exported_at is None) == ("", False)
    written, files = listing(watched.export_folder), exported(watched)
    for _ in range(2):
        visit(watched)
    assert (listing(watched.export_folder), exported(watched)) == (written, files)
    assert listing(footage) == before


def test_a_clip_without_a_scan_has_no_exports_yet(watched, footage, put, visit):
    clip = put(footage / "one.mov")
    Scan.objects.update(state=ScanState.RUNNING)
    visit(watched)
    assert exported(watched) == {}
    Scan.objects.update(state=ScanState.DONE)
    Clip.objects.filter(pk=clip.pk).update(state=ClipState.UPLOADED)  # its file has changed
    visit(watched)
    assert exported(watched) == {}


def test_what_a_person_decides_is_written_again(watched, footage, put, visit, lead):
    clip = put(footage / "one.mov")
    visit(watched)
    assert frames(watched, "one-claps.csv") == ["21"]
    say(clip, lead, DecisionKind.MOVE, frame=25, seconds=1.0)
    visit(watched)
    assert frames(watched, "one-claps.csv") == ["25"]
    assert b"lea" in exported(watched)["resolve/one-claps.edl"]
    say(clip, lead, DecisionKind.UNDO, 1)
    visit(watched)
    assert frames(watched, "one-claps.csv") == ["21"]


def test_a_new_scan_is_written_again(watched, footage, put, visit, make_scan):
    clip = put(footage / "one.mov")
    visit(watched)
    Scan.objects.update(is_current=False)
    make_scan(clip, claps=[30])
    visit(watched)
    assert frames(watched, "one-claps.csv") == ["30"]


def test_another_sound_file_is_written_again(watched, footage, put, visit, project):
    clip = put(footage / "one.mov")
    visit(watched)
    facts = {"sample_rate": 48000, "channels": 2, "bits": 24, "samples": 480_000}
    wav = SoundFile.objects.create(
        project=project, name="day.wav", origin="upload", location="day.wav", state="ready", **facts
    )
    linked = {"how": "by hand", "sound_file": wav, "sound_name": "day.wav", "certainty": "sure"}
    SoundLink.objects.create(clip=clip, number=1, offset_samples=1234, **linked)
    visit(watched)
    assert b"day.wav" in exported(watched)["one-claps.csv"]


def test_only_sure_claps_where_that_was_chosen(project, footage, put, visit, make_scan):
    watched = add(project, str(footage), Exports("", ["edl"], include_unsure=False))
    clip = put(footage / "one.mov")
    Scan.objects.all().delete()
    make_scan(clip, claps=[21], verdict="look")
    visit(watched)
    assert b"01:00:00:21" not in exported(watched)["resolve/one-claps.edl"]


def test_clips_of_one_name_do_not_overwrite_each_other(watched, footage, put, visit, lead):
    clips = [put(footage / name) for name in ("one.mov", "one.mp4", "ONE.mxf")]
    visit(watched)
    tables = [name for name in exported(watched) if name.endswith(".csv")]
    assert len({name.casefold() for name in tables}) == 3
    before = listing(watched.export_folder)
    say(clips[0], lead, DecisionKind.NO_SLATE)
    visit(watched)
    assert set(listing(watched.export_folder)) == set(before)


def test_files_that_a_clip_does_not_have_any_more_go_and_others_stay(watched, footage, put, visit, lead):
    clip = put(footage / "one.mov")
    visit(watched)
    (watched.export_folder / "mine.csv").write_text("a person's")
    WatchedFolder.objects.update(formats=["csv"])
    say(clip, lead, DecisionKind.ACCEPT)
    visit(watched)
    assert sorted(exported(watched)) == ["mine.csv", "one-claps.csv"]


def test_a_clip_that_was_removed_leaves_its_exports(watched, footage, put, visit):
    clip = put(footage / "one.mov")
    visit(watched)
    before = exported(watched)
    clip.delete()
    visit(watched)
    assert exported(watched) == before


def test_an_export_folder_that_is_away_gets_nothing_and_is_caught_up(watched, footage, put, visit):
    """An unmounted share leaves an empty folder: what is written into it would be lost and fill a disk."""
    put(footage / "one.mov")
    away = watched.export_folder.rename(footage.with_name("away"))
    assert "Is its share connected?" in visit(watched).export_problem
    watched.export_folder.mkdir()
    assert "Is its share connected?" in visit(watched).export_problem
    assert exported(watched) == {}
    watched.export_folder.rmdir()
    away.rename(watched.export_folder)
    assert visit(watched).export_problem == ""
    assert frames(watched, "one-claps.csv") == ["21"]


def test_footage_that_is_away_leaves_the_exports_alone(watched, footage, put, visit):
    put(footage / "one.mov")
    visit(watched)
    before = listing(watched.export_folder)
    footage.rename(footage.with_name("away"))
    visit(watched)
    assert listing(watched.export_folder) == before


def test_a_full_disk_is_said_and_tried_again(watched, footage, put, visit, monkeypatch):
    put(footage / "one.mov")
    put(footage / "two.mov")
    write = bundle._replace

    def full(path, content):
        if "one" in path.name:
            raise OSError(28, "No space left on device")
        write(path, content)

    with monkeypatch.context() as patched:
        patched.setattr(bundle, "_replace", full)
        problem = visit(watched).export_problem
    assert problem == "The exports of one.mov cannot be written: No space left on device. Trying again."
    assert sorted(exported(watched)) == ["resolve/two-claps.edl", "two-claps.csv"]
    assert visit(watched).export_problem == ""
    assert frames(watched, "one-claps.csv") == ["21"]


def test_a_link_in_the_export_folder_does_not_lead_into_footage(watched, footage, put, visit):
    put(footage / "A" / "one.mov")
    (watched.export_folder / "A").symlink_to(footage)
    before = listing(footage)
    assert "leads out of the export folder" in visit(watched).export_problem
    assert listing(footage) == before


def test_an_export_folder_that_became_footage_is_not_written_to(watched, footage, put, visit, make_project):
    put(footage / "one.mov")
    other = WatchedFolder.objects.create(project=make_project("Another"), path=str(watched.export_folder))
    assert "another folder that is watched" in visit(watched).export_problem
    assert exported(watched) == {}
    other.delete()
    assert visit(watched).export_problem == ""


def test_who_was_taken_over_while_writing_has_it_written_again(watched, footage, put, visit, monkeypatch):
    put(footage / "one.mov")
    visit(watched)
    WatchedFile.objects.update(exports_say="")
    late = claimed(watched)
    place = export_folders.place_durably

    def slowly(files, folder):
        WatchedFolder.objects.update(attempt=99)  # another worker thought us dead
        WatchedFile.objects.update(exports_say="newer")
        place(files, folder)

    with monkeypatch.context() as patched:
        patched.setattr(export_folders, "place_durably", slowly)
        with pytest.raises(leases.LeaseLost):
            export_folders.write_due(late)
    assert WatchedFile.objects.get().exports_say == ""


def claimed(watched: WatchedFolder) -> leases.Lease:
    WatchedFolder.objects.update(due_at=Now(), leased_until=None)
    lease = leases.claim(WatchedFolder, str(watched.uuid), visits.TO_VISIT)
    assert lease is not None
    return lease


def test_who_is_killed_while_writing_leaves_nothing_half(watched, footage, put, visit, monkeypatch):
    put(footage / "one.mov")
    write, died = bundle._replace, []

    def die_at_the_second(path, content):
        if died:
            raise SystemExit
        died.append(path)
        write(path, content)
        path.with_name(".abcd1234.part").write_bytes(b"the beginning of")

    with monkeypatch.context() as patched:
        patched.setattr(bundle, "_replace", die_at_the_second)
        with pytest.raises(SystemExit):
            visit(watched)
    row = WatchedFile.objects.get()
    assert (row.exports_say, len(row.exports)) == ("", 2)  # whose they are was known before
    visit(watched)
    assert sorted(exported(watched)) == ["one-claps.csv", "resolve/one-claps.edl"]


def test_scans_that_failed_while_the_folder_was_away_are_made_again(watched, footage, put, visit):
    failed, long_before = put(footage / "one.mov"), put(footage / "two.mov")
    visit(watched)
    Scan.objects.update(state=ScanState.FAILED, error="The file is not there.", finished_at=Now())
    Scan.objects.filter(clip=long_before).update(finished_at=Now() - timedelta(hours=1))
    WatchedFolder.objects.update(problem="It is away.", looked_at=Now() - timedelta(minutes=5))
    visit(watched)
    assert Scan.objects.get(clip=failed, is_current=True).state == ScanState.QUEUED
    assert Scan.objects.get(clip=long_before, is_current=True).state == ScanState.FAILED


@pytest.mark.parametrize("state", [ScanState.DONE, ScanState.FAILED, ScanState.RUNNING])
def test_a_clip_that_is_read_again_is_scanned_anew(make_clip, make_scan, state):
    clip = make_clip()
    scan = make_scan(clip, state=state)
    clip_ingested.send(Clip, clip=clip)
    assert Scan.objects.get(clip=clip, is_current=True).state == ScanState.QUEUED
    scan.refresh_from_db()
    assert (scan.is_current, scan.is_under_way) == (False, False)


def test_a_scan_that_waits_reads_what_is_there_then(make_clip):
    clip = make_clip()
    first = scans.ask_for_scan(clip, send=lambda uuid: None)
    assert scans.scan_anew(clip, send=lambda uuid: None) is None
    assert Scan.objects.get(clip=clip) == first

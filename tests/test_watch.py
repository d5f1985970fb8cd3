"""`secondsticks watch`, with the real decoder and a scanner process with a detector that knows colours."""

import contextlib
import csv
import errno
import functools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from secondsticks import cli
from secondsticks.watch import journal, outbox
from secondsticks.watch.journal import Fingerprint, Journal
from secondsticks.watch.settling import Settling, written_now
from tests.training.coloured import make_clip
from training.scanner import Scanner

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = [sys.executable, str(ROOT / "tests/training/colour_scanner.py"), "--serve"]
CLAP = "-" * 9 + "o" * 12 + "c" * 12 + "-" * 9
#: The command as a program of its own, with the scanner of the tests, looking often.
ENTRY = (
    "import functools, sys; from secondsticks import cli; from training.scanner import Scanner; "
    f"cli.Scanner = functools.partial(Scanner, command={PROGRAM!r}); "
    "cli.watching.Order = functools.partial(cli.watching.Order, interval=0.05); sys.exit(cli.main())"
)


@pytest.fixture(autouse=True)
def _colour_scanner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "Scanner", functools.partial(Scanner, command=PROGRAM))


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Of a clip whose slate closes at frame 21."""
    folder = tmp_path_factory.mktemp("made")
    return make_clip(folder / "clip.mov", CLAP, start_timecode="01:00:00:00").read_bytes()


@pytest.fixture
def footage(tmp_path: Path, content: bytes) -> Path:
    folder = tmp_path / "footage"
    (folder / "day 1").mkdir(parents=True)
    (folder / "day 1" / "A001.mov").write_bytes(content)
    return folder


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def once(footage: Path, out: Path, *more: str) -> int:
    return cli.main(
        ["watch", str(footage), "--out", str(out), "--once", "--settle", "0.05", "--export", "edl,csv", *more]
    )


def listing(folder: Path) -> dict[str, tuple[bytes, int, int]]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    abouts = {path: path.stat() for path in files}
    return {
        str(path.relative_to(folder)): (path.read_bytes(), about.st_mtime_ns, about.st_ino)
        for path, about in abouts.items()
    }


def entries(out: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (out / journal.NAME).read_text().splitlines()]


def test_exports_mirror_the_footage_and_a_second_run_repeats_nothing(
    footage: Path, out: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = listing(footage)
    assert once(footage, out) == 0
    written = listing(out)
    assert "day 1/A001.mov: sure, 01:00:00:21\n" in capfd.readouterr().err
    assert sorted(written) == [journal.NAME, "day 1/A001-claps.csv", "day 1/resolve/A001-claps.edl"]
    assert b"01:00:00:21" in written["day 1/resolve/A001-claps.edl"][0]
    assert once(footage, out) == 0
    assert capfd.readouterr() == ("", "")
    assert listing(out) == written
    assert listing(footage) == before


def test_a_clip_that_changed_is_scanned_again(footage: Path, out: Path) -> None:
    once(footage, out)
    make_clip(footage / "day 1" / "A001.mov", "-" * 3 + CLAP, start_timecode="01:00:00:00")
    assert once(footage, out) == 0
    assert b"01:00:01:00" in (out / "day 1/resolve/A001-claps.edl").read_bytes()
    assert [one["path"] for one in entries(out)] == ["day 1/A001.mov"] * 2


def test_clips_of_one_name_do_not_overwrite_each_other(footage: Path, out: Path, content: bytes) -> None:
    for name in ("A001.mp4", "a001.MOV"):
        (footage / "day 1" / name).write_bytes(content)
    assert once(footage, out) == 0
    tables = sorted(out.rglob("*.csv"))
    said = [next(csv.DictReader(path.read_text().splitlines()))["clip"] for path in tables]
    assert sorted(said) == ["A001.mov", "A001.mp4", "a001.MOV"]
    assert len({str(path).casefold() for path in tables}) == 3
    for path in footage.rglob("*.*"):
        os.utime(path)  # all are scanned again, and find their own files
    once(footage, out)
    assert [next(csv.DictReader(path.read_text().splitlines()))["clip"] for path in tables] == said


def test_a_failure_is_named_and_not_tried_again_until_it_changes(
    footage: Path, out: Path, content: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    bad = footage / "=bad.mov"
    bad.write_text("no video\n")
    (footage / "crash.mov").write_bytes(content)
    assert once(footage, out) == 1
    assert "=bad.mov: This is not a video file: it holds text." in capfd.readouterr().err
    rows = list(csv.DictReader((out / outbox.FAILURES).read_text().splitlines()))
    assert [row["path"] for row in rows] == ["'=bad.mov", "crash.mov"]
    assert once(footage, out) == 0
    assert capfd.readouterr().err == ""
    bad.write_bytes(content)
    assert once(footage, out) == 0
    rows = list(csv.DictReader((out / outbox.FAILURES).read_text().splitlines()))
    assert [row["path"] for row in rows] == ["crash.mov"]


def test_unfinished_and_hidden_names_are_left_alone(footage: Path, out: Path, content: bytes) -> None:
    for name in ("B.mov.part", "B.tmp", "._B.mov", ".B.mov", "B.mov.crdownload"):
        (footage / name).write_bytes(content)
    (footage / "empty.mov").touch()
    assert once(footage, out) == 0
    assert [one["path"] for one in entries(out)] == ["day 1/A001.mov"]


def test_a_file_that_another_program_has_open_is_left(
    footage: Path, out: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with (footage / "day 1" / "A001.mov").open("ab"):
        assert once(footage, out) == 1
        assert "another program has it open for writing" in capfd.readouterr().err
        assert entries(out) == []
    assert once(footage, out) == 0


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("footage/claps", "lies in the watched folder"),
        ("footage", "lies in the watched folder"),
        ("link/claps", "lies in the watched folder"),
        (".", "holds the watched folder"),
    ],
)
def test_exports_never_go_into_the_footage(
    footage: Path, given: str, sentence: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "link").symlink_to(footage)
    before = sorted(tmp_path.rglob("*"))
    assert once(footage, tmp_path / given) == 2
    assert sentence in capfd.readouterr().err
    assert sorted(tmp_path.rglob("*")) == before


def test_no_folder_is_wrong_usage(tmp_path: Path, out: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert once(tmp_path / "none", out) == 2
    assert "is no folder that can be read" in capfd.readouterr().err


def test_a_checkpoint_that_cannot_be_used_blames_no_clip(
    footage: Path, out: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert once(footage, out, "--checkpoint", str(tmp_path / "refused")) == 2
    assert "no readable card" in capfd.readouterr().err
    assert entries(out) == []


@pytest.mark.parametrize("settle", ["-1", "nan", "soon"])
def test_a_settle_time_is_a_time(footage: Path, out: Path, settle: str) -> None:
    with pytest.raises(SystemExit) as ended:
        once(footage, out, "--settle", settle)
    assert ended.value.code == 2


def test_two_watches_do_not_share_a_folder(
    footage: Path, out: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out.mkdir()
    held = Journal(out)
    assert once(footage, out) == 2
    assert f"Another watch already writes to {out}." in capfd.readouterr().err
    held.close()
    assert once(footage, out) == 0


def test_a_full_disk_leaves_nothing_half_written(
    footage: Path, out: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(journal.os, "fsync", full)
        assert once(footage, out) == 2
    assert f"{out} cannot be written to: No space left on device." in capfd.readouterr().err
    assert entries(out) == []
    assert once(footage, out) == 0
    assert [one["path"] for one in entries(out)] == ["day 1/A001.mov"]


def test_a_torn_last_line_is_done_again(tmp_path: Path) -> None:
    first = Journal(tmp_path)
    for name in ("a", "b"):
        first.append({"path": name, "size": 1, "mtime_ns": 2, "outcome": "scanned", "files": []})
    first.close()
    path = tmp_path / journal.NAME
    path.write_bytes(path.read_bytes()[:-5])
    again = Journal(tmp_path)
    assert (again.knows(Fingerprint("a", 1, 2)), again.knows(Fingerprint("b", 1, 2))) == (True, False)
    assert not again.knows(Fingerprint("a", 1, 3))
    again.append({"path": "c", "size": 1, "mtime_ns": 2, "outcome": "scanned", "files": []})
    again.close()
    assert [one["path"] for one in entries(tmp_path)] == ["a", "c"]


def test_a_line_that_does_not_fit_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held, line = Journal(tmp_path), {"size": 1, "mtime_ns": 2, "outcome": "scanned", "files": ["x"]}
    held.append(line | {"path": "a"})
    write = os.write
    with monkeypatch.context() as patched:
        patched.setattr(journal.os, "write", lambda handle, content: write(handle, content[:9]))
        with pytest.raises(OSError, match="No space"):
            held.append(line | {"path": "b"})
    held.append(line | {"path": "c"})
    held.close()
    assert [one["path"] for one in entries(tmp_path)] == ["a", "c"]


def test_a_journal_whose_folder_went_away_is_not_written_elsewhere(tmp_path: Path) -> None:
    folder = tmp_path / "share"
    folder.mkdir()
    held = Journal(folder)
    folder.rename(tmp_path / "unmounted")
    folder.mkdir()
    with pytest.raises(FileNotFoundError):
        held.check()
    folder.rmdir()
    (tmp_path / "unmounted").rename(folder)
    held.check()
    held.close()


def test_a_growing_file_settles_when_it_stops() -> None:
    now = [0.0]
    settling = Settling(10, clock=lambda: now[0])
    answers = []
    for now[0], size in ((0, 1), (5, 2), (10, 3), (15, 3), (20, 3)):
        answers.append(bool(settling.settled([Fingerprint("a", size, 0)])))
    assert answers == [False, False, False, False, True]
    settling.settled([])
    assert settling.settled([Fingerprint("a", 3, 0)]) == []


def test_who_reads_does_not_write(tmp_path: Path) -> None:
    path = tmp_path.resolve() / "a"
    with path.open("w"):
        assert str(path) in written_now()
    with path.open():
        assert str(path) not in written_now()


@contextlib.contextmanager
def running(footage: Path, out: Path, *, settle: str = "0.1") -> Iterator[subprocess.Popen[str]]:
    """A watch as a process of its own, ended at the latest when the block ends."""
    command = [sys.executable, "-c", ENTRY, "watch", str(footage), "--out", str(out), "--settle", settle]
    process = subprocess.Popen([*command, "--export", "edl,csv"], stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def until(reached: Callable[[], object]) -> None:
    while not reached():
        time.sleep(0.02)


def test_kill_and_restart_repeat_nothing(footage: Path, out: Path, content: bytes) -> None:
    before = listing(footage)
    edl = out / "day 1/resolve/A001-claps.edl"
    with running(footage, out) as process:
        until(lambda: (out / journal.NAME).exists() and entries(out))
        process.send_signal(signal.SIGKILL)
        process.wait()
    stray = out / "day 1" / ".abcd_123.part"
    stray.write_text("half")  # as a kill in the middle of a write would leave
    written = edl.stat().st_mtime_ns
    with running(footage, out) as process:
        (footage / "B001.mov").write_bytes(content)
        until(lambda: len(entries(out)) == 2)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate()
    assert (process.returncode, err.splitlines()[-1]) == (130, "Stopped.")
    assert [one["path"] for one in entries(out)] == ["day 1/A001.mov", "B001.mov"]
    assert edl.stat().st_mtime_ns == written
    assert not stray.exists()
    assert {name: about for name, about in listing(footage).items() if name != "B001.mov"} == before


def test_a_folder_that_goes_away_is_waited_for_and_said_once(
    footage: Path, out: Path, tmp_path: Path, content: bytes
) -> None:
    away = tmp_path / "away"
    with running(footage, out) as process:
        assert process.stderr
        until(lambda: (out / journal.NAME).exists() and entries(out))
        footage.rename(away)
        until(lambda: "is not there" in process.stderr.readline())
        (away / "B001.mov").write_bytes(content)
        time.sleep(0.3)  # several looks
        away.rename(footage)
        until(lambda: len(entries(out)) == 2)
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
    assert rest.count("is not there") == 0
    assert f"{footage} is back." in rest
    assert [one["path"] for one in entries(out)] == ["day 1/A001.mov", "B001.mov"]


def test_a_growing_file_is_not_scanned_before_it_is_whole(footage: Path, out: Path, content: bytes) -> None:
    growing = footage / "C001.mov"
    with running(footage, out, settle="1"):
        for end in range(1, 9):
            growing.write_bytes(content[: len(content) * end // 8])
            time.sleep(0.25)
        until(lambda: len(entries(out)) == 2 if (out / journal.NAME).exists() else False)
    (one,) = [entry for entry in entries(out) if entry["path"] == "C001.mov"]
    assert (one["outcome"], one["size"]) == ("scanned", len(content))


def test_a_full_disk_is_tried_again(footage: Path, out: Path) -> None:
    blocked = out / "day 1"
    out.mkdir()
    blocked.write_text("in the way")
    with running(footage, out) as process:
        assert process.stderr
        until(lambda: "cannot be written to" in process.stderr.readline())
        assert entries(out) == []
        blocked.unlink()
        until(lambda: entries(out))
    assert [one["outcome"] for one in entries(out)] == ["scanned"]

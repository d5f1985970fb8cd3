"""The command line, against the real decoder and a scanner process with a detector that knows colours."""

import functools
import json
import math
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from PIL import Image

from secondsticks import cli
from tests.training.coloured import make_clip, picture
from training.scanner import Scanner

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = [sys.executable, str(ROOT / "tests/training/colour_scanner.py"), "--serve"]
CLAP = "-" * 9 + "o" * 12 + "c" * 12 + "-" * 9
#: The command as a program of its own, with the scanner of the tests.
ENTRY = (
    "import functools, sys; from secondsticks import cli; from training.scanner import Scanner; "
    f"cli.Scanner = functools.partial(Scanner, command={PROGRAM!r}); sys.exit(cli.main())"
)


@pytest.fixture(autouse=True)
def _colour_scanner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "Scanner", functools.partial(Scanner, command=PROGRAM))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("footage") / "clip.mov", CLAP, start_timecode="01:00:00:00")


@pytest.fixture
def still(tmp_path: Path) -> Path:
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    path = tmp_path / "still.png"
    Image.fromarray(np.ascontiguousarray(picture("o", 0)[::-1, ::-1])).save(path, exif=exif)
    return path


def document(text: str, schema: str) -> dict[str, Any]:
    """Parsed strictly, checked against the published schema."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    found: dict[str, Any] = json.loads(text, parse_constant=refuse)
    jsonschema.validate(found, json.loads((ROOT / f"docs/schemas/{schema}.json").read_text()))
    return found


def scan(capfd: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, dict[str, Any], str]:
    status = cli.main(["scan", "--json", *map(str, arguments)])
    out, err = capfd.readouterr()
    return status, document(out, "scan-1"), err


def test_scan_says_where_the_claps_are(clip: Path, capfd: pytest.CaptureFixture[str]) -> None:
    status, found, err = scan(capfd, clip)
    assert (status, err, found["version"], found["failed"]) == (0, "", 1, [])
    (one,) = found["clips"]
    (clap,) = one.pop("claps")
    assert one == {
        "path": str(clip),
        "fps": "24000/1001",
        "frames": len(CLAP),
        "start_timecode": "01:00:00:00",
        "verdict": "sure",
        "reason": "the slate closes at frame 21",
        "av_offset_ms": None,
    }
    assert list(clap)[:4] == ["frame", "timecode", "seconds", "confidence"]
    assert clap["picture_confidence"] == clap["confidence"]
    assert (clap["sample"], clap["sound_confidence"], clap["disagreement_ms"]) == (None, None, None)
    assert (clap["frame"], clap["timecode"]) == (21, "01:00:00:21")
    assert math.isclose(clap["seconds"], 21 * 1001 / 24000, abs_tol=0.001)


def test_a_file_that_cannot_be_read_stops_no_other(
    clip: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    text, none = tmp_path / "text.mov", tmp_path / "none.mov"
    text.write_text("no video\n")
    status, found, err = scan(capfd, text, none, clip)
    assert status == 1
    assert [one["path"] for one in found["clips"]] == [str(clip)]
    assert [one["path"] for one in found["failed"]] == [str(text), str(none)]
    assert all(f"{one['path']}: {one['error']}" in err.splitlines() for one in found["failed"])


def test_a_scanner_that_crashes_is_a_failure_of_that_file(
    clip: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    crash = tmp_path / "crash.mov"
    crash.write_bytes(clip.read_bytes())
    status, found, _ = scan(capfd, crash, clip)
    assert (status, len(found["clips"]), len(found["failed"])) == (1, 1, 1)


def test_folders_give_their_clips_sorted_and_quietly_leave_out_the_rest(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in ("b/2.MOV", "b/1.mp4", "a.mkv", ".hidden.mov", ".git/x.mov"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        made = make_clip(tmp_path / "made.mov", "---")
        path.write_bytes(made.read_bytes())
        made.unlink()
    (tmp_path / "b" / "no ending").write_bytes((tmp_path / "b/1.mp4").read_bytes())
    (tmp_path / "notes.txt").write_text("not media")
    (tmp_path / "b" / "loop").symlink_to(tmp_path)
    (tmp_path / "b" / "gone.mov").symlink_to(tmp_path / "nowhere.mov")
    status, found, err = scan(capfd, tmp_path, tmp_path / "a.mkv")
    names = [os.path.relpath(one["path"], tmp_path) for one in found["clips"]]
    assert (status, err) == (0, "")
    assert names == ["a.mkv", "b/1.mp4", "b/2.MOV", "b/no ending"]


def test_a_folder_of_nothing_is_said_and_no_failure(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    status, found, err = scan(capfd, tmp_path)
    assert (status, found, err) == (
        0,
        {"version": 1, "clips": [], "failed": []},
        "No video files were found.\n",
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every folder")
def test_a_folder_that_may_not_be_read_is_a_failure(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "locked").mkdir(mode=0)
    status, found, _ = scan(capfd, tmp_path)
    assert (status, found["failed"][0]["path"]) == (1, str(tmp_path / "locked"))


def test_names_of_any_bytes_survive(clip: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    name = tmp_path / os.fsdecode(b"caf\xe9\n\x1b[31m.mov")
    name.write_bytes(clip.read_bytes())
    broken = tmp_path / os.fsdecode(b"\xff.mov")
    broken.write_text("text")
    status, found, err = scan(capfd, tmp_path)
    assert status == 1
    assert found["clips"][0]["path"] == str(name)
    assert found["failed"][0]["path"] == str(broken)
    assert "\\udcff.mov: " in err
    assert cli.main(["scan", str(name)]) == 0
    assert "\x1b" not in capfd.readouterr().out


def test_without_json_a_table_for_people(clip: Path, still: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["scan", str(clip)]) == 0
    head, row = capfd.readouterr().out.splitlines()
    assert head.split() == ["CLIP", "VERDICT", "CLAP", "FRAME", "CONFIDENCE", "SOUND", "WHY"]
    assert row.split(maxsplit=5)[1:4] == ["sure", "01:00:00:21", "21"]
    assert cli.main(["detect", str(still)]) == 0
    assert "open" in capfd.readouterr().out


def test_detect_finds_slates_in_the_image_as_shown(
    still: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    text = tmp_path / "text.png"
    text.write_text("no picture")
    status = cli.main(["detect", str(still), str(text), "--json"])
    out, err = capfd.readouterr()
    found = document(out, "detect-1")
    assert (status, found["version"]) == (1, 1)
    assert found["images"] == [
        {
            "path": str(still),
            "width": 160,
            "height": 90,
            "detections": [{"bbox": [30, 20, 40, 32], "state": "open", "score": 0.95}],
        }
    ]
    assert found["failed"] == [{"path": str(text), "error": "This is not a still image of a known format."}]
    assert f"{text}: " in err


def test_the_score_threshold_leaves_out_the_unsure(still: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["detect", str(still), "--json", "--score-threshold", "0.96"]) == 0
    assert document(capfd.readouterr().out, "detect-1")["images"][0]["detections"] == []


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["scan"],
        ["detect"],
        ["sing", "a.mov"],
        ["scan", "--nonsense", "a.mov"],
        ["detect", "a.png", "--score-threshold", "2"],
        ["detect", "a.png", "--score-threshold", "nan"],
        ["detect", "a.png", "--score-threshold", "high"],
        ["scan", "a.mov", "--score-threshold", "0.5"],
    ],
)
def test_wrong_usage_is_2_and_leaves_stdout_empty(
    arguments: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 2
    out, err = capfd.readouterr()
    assert out == "" and "usage:" in err


def test_a_checkpoint_that_cannot_be_used_is_wrong_usage(
    clip: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["scan", str(clip), "--json", "--checkpoint", str(tmp_path / "refused")]) == 2
    out, err = capfd.readouterr()
    assert out == "" and "no readable card" in err


def test_it_needs_no_torch_no_django_and_no_settings(clip: Path) -> None:
    alone = (
        "import sys; sys.modules.update(dict.fromkeys(['torch', 'django', 'numpy', 'av', 'cv2'])); " + ENTRY
    )
    bare = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path)}
    ended = subprocess.run(
        [sys.executable, "-c", alone, "scan", "--json", str(clip)],
        capture_output=True,
        text=True,
        env=bare,
        cwd="/",
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert document(ended.stdout, "scan-1")["clips"][0]["verdict"] == "sure"


def test_a_relative_path_stays_as_it_was_given(
    clip: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(clip.parent)
    assert scan(capfd, "clip.mov", "./clip.mov")[1]["clips"][0]["path"] == "clip.mov"


def test_version(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["--version"])
    assert ended.value.code == 0
    assert capfd.readouterr().out.startswith("secondsticks ")


def test_a_reader_that_leaves_early_is_no_error(clip: Path) -> None:
    reads, writes = os.pipe()
    os.close(reads)
    ended = subprocess.run(
        [sys.executable, "-c", ENTRY, "scan", "--json", str(clip)],
        stdout=writes,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(writes)
    assert (ended.returncode, ended.stderr) == (128 + signal.SIGPIPE, "")


def test_ctrl_c_is_one_word_and_130(tmp_path: Path) -> None:
    long = make_clip(tmp_path / "long.mov", "o" * 2000)
    running = subprocess.Popen(
        [sys.executable, "-c", ENTRY, "scan", "--json", str(long)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split():
        time.sleep(0.02)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate()
    assert (running.returncode, out, err) == (130, "", "Stopped.\n")


def test_a_terminal_sees_progress_on_stderr_alone(clip: Path) -> None:
    ours, theirs = pty.openpty()
    ended = subprocess.run(
        [sys.executable, "-c", ENTRY, "scan", "--json", str(clip)], stdout=subprocess.PIPE, stderr=theirs
    )
    shown = os.read(ours, 100_000).decode()
    os.close(theirs)
    os.close(ours)
    assert ended.returncode == 0
    assert document(ended.stdout.decode(), "scan-1")["clips"]
    assert "clips:" in shown and "/1 [" in shown

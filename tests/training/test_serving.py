"""The scanner process, as its two ends see it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.training.coloured import make_clip, picture
from training.footage.facts import FOOTAGE_ERRORS
from training.scanner import Scanner, ScannerFailed

PROGRAM = [sys.executable, str(Path(__file__).with_name("colour_scanner.py")), "--serve"]


def ignore(done: int, total: int) -> None:
    """A listener without interest."""


def talk(*requests: object, options: tuple[str, ...] = ()) -> tuple[list[dict], int]:
    """Send lines, close stdin, and return everything it says and its exit status."""
    text = "".join(
        request if isinstance(request, str) else json.dumps(request) + "\n" for request in requests
    )
    ended = subprocess.run([*PROGRAM, *options], input=text, capture_output=True, text=True)
    return [json.loads(line) for line in ended.stdout.splitlines()], ended.returncode


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("footage")
    line = "-" * 30 + "o" * 30 + "c" * 30 + "-" * 30
    return make_clip(folder / "clip.mov", line, start_timecode="01:00:00:00")


@pytest.fixture
def scanner() -> Iterator[Scanner]:
    with Scanner(command=PROGRAM) as scanner:
        yield scanner


def test_it_says_ready_answers_in_order_and_ends_with_its_stdin(clip: Path) -> None:
    said, status = talk({"id": "a", "path": str(clip)}, {"id": 2, "path": str(clip)})
    assert status == 0
    assert said[0] == {
        "event": "ready",
        "checkpoint": {"sha256": "0" * 64, "architecture": "colours", "name": "colours"},
    }
    assert [line["id"] for line in said if line["event"] == "result"] == ["a", 2]
    progress = [line for line in said if line["event"] == "progress" and line["id"] == "a"]
    assert {line["stage"] for line in progress} == {"coarse", "dense"}
    assert progress[-1]["done"] == progress[-1]["total"]


def test_stdout_carries_json_lines_only(clip: Path) -> None:
    ended = subprocess.run(PROGRAM, input="", capture_output=True, text=True)
    assert [json.loads(line)["event"] for line in ended.stdout.splitlines()] == ["ready"]
    assert "a library prints this" in ended.stderr and "and so does a C library" in ended.stderr


def test_the_result_of_a_scan(clip: Path, scanner: Scanner) -> None:
    result = scanner.scan(clip, on_progress=ignore)
    (clap,) = result["claps"]
    assert (clap["frame"], clap["last_open"], clap["timecode"]) == (60, 59, "01:00:02:12")
    assert clap["seconds"] == pytest.approx(60 * 1001 / 24000, abs=0.001)
    assert (result["verdict"], result["picture_size"], result["version"]) == ("sure", [160, 90], 1)
    assert result["facts"]["rate"] == "24000/1001"
    looked = {look["frame"]: look for look in result["detections"]}
    assert looked[0]["boxes"] == []
    (box,) = looked[60]["boxes"]
    assert box == {"bbox": clap["box"], "state": "closed", "score": 0.95}


def test_the_result_of_a_detect(tmp_path: Path, scanner: Scanner) -> None:
    path = tmp_path / "still.png"
    Image.fromarray(np.ascontiguousarray(picture("o", 0))).save(path)
    result = scanner.detect(path, score_threshold=0.5)
    assert (result["width"], result["height"]) == (160, 90)
    assert result["detections"] == [{"bbox": [30, 20, 40, 32], "state": "open", "score": 0.95}]
    assert scanner.detect(path, score_threshold=0.96)["detections"] == []


def test_a_failure_is_said_and_the_next_clip_is_scanned(clip: Path, tmp_path: Path) -> None:
    text, bug = tmp_path / "text.mov", tmp_path / "bug.mov"
    text.write_text("not a video\n")
    said, status = talk(
        {"id": 1, "path": str(text)},
        {"id": 2, "path": str(tmp_path / "none.mov")},
        {"id": 3, "path": str(bug)},
        {"id": 4, "path": str(clip)},
    )
    ends = {line["id"]: line for line in said if line["event"] in ("failed", "result")}
    assert status == 0
    assert [ends[i].get("kind") for i in (1, 2, 3, 4)] == ["not_video", "missing", "detector", None]
    assert {"not_video", "missing"} <= set(FOOTAGE_ERRORS)
    assert all(ends[i]["error"].endswith(".") for i in (1, 2, 3))


NO_REQUESTS = [
    "hello",
    "[]",
    "{}",
    '{"id": 7}',
    '{"id": 7, "path": 3}',
    '{"id": 7, "path": "a", "ask": "sing"}',
    '{"id": 7, "path": "a", "ask": ["scan"]}',
    '{"id": 7, "path": "a", "ask": "detect", "score_threshold": "high"}',
    "[" * 100_000,
]


def test_what_is_no_request_is_said_to_be_none() -> None:
    said, status = talk("\n\n".join(NO_REQUESTS))
    assert [(line["event"], line["kind"]) for line in said[1:]] == [("failed", "request")] * len(NO_REQUESTS)
    assert [line["id"] for line in said[1:]] == [None] * 3 + [7] * 5 + [None]
    assert status == 0


def test_a_checkpoint_that_cannot_be_loaded_ends_it() -> None:
    said, status = talk(options=("--checkpoint", "refused"))
    assert (said[0]["event"], said[0]["kind"], status) == ("failed", "checkpoint", 1)


def test_wrong_usage_is_exit_status_2() -> None:
    assert talk(options=("--threads", "many")) == ([], 2)


def test_it_dies_with_its_parent(tmp_path: Path) -> None:
    starts_it = (
        "import subprocess, sys, time; "
        f"child = subprocess.Popen({PROGRAM!r}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=[]); "
        "child.stdout.readline(); print(child.pid, flush=True); time.sleep(600)"
    )
    parent = subprocess.Popen([sys.executable, "-c", starts_it], stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    pid = int(parent.stdout.readline())
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    while _is_running(pid):
        time.sleep(0.02)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def test_a_scanner_that_crashes_is_replaced_for_the_next_clip(clip: Path, scanner: Scanner) -> None:
    with pytest.raises(ScannerFailed, match="exit code 3: the network ran out of luck") as died:
        scanner.scan(clip.with_name("crash.mov"), on_progress=ignore)
    assert died.value.kind == "died"
    assert scanner.scan(clip, on_progress=ignore)["verdict"] == "sure"


def test_a_scanner_that_died_between_two_clips_is_replaced(clip: Path, scanner: Scanner) -> None:
    scanner.scan(clip, on_progress=ignore)
    assert scanner.pid is not None
    os.kill(scanner.pid, signal.SIGKILL)
    os.waitid(os.P_PID, scanner.pid, os.WEXITED | os.WNOWAIT)  # dead, and left for the scanner to notice
    assert scanner.scan(clip, on_progress=ignore)["verdict"] == "sure"


def test_a_scanner_that_never_starts_is_tried_once(tmp_path: Path) -> None:
    tries = tmp_path / "tries"
    command = [
        sys.executable,
        "-c",
        f"open({str(tries)!r}, 'a').write('x'); raise SystemExit('no torch here')",
    ]
    with Scanner(command=command) as scanner:
        for _ in range(3):
            with pytest.raises(ScannerFailed, match="no torch here"):
                scanner.scan(Path("clip.mov"), on_progress=ignore)
    assert tries.read_text() == "x"


def test_nothing_is_left_running(clip: Path) -> None:
    with Scanner(command=PROGRAM) as scanner:
        scanner.scan(clip, on_progress=ignore)
        assert scanner.pid is not None
        pid = scanner.pid
    assert not _is_running(pid)

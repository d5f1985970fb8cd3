"""The fence: what a file can and cannot make the decoder do."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import zipfile
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.nasty_media import claim_jpeg_size, claim_size, render, tricks
from training.footage.facts import Limits
from training.footage.fence import Child
from training.footage.footage import FOOTAGE_ERRORS, Footage, FootageError, probe

ROOT = Path(__file__).resolve().parents[3]
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


@pytest.fixture
def canary():
    """A listener on loopback: (port, list of what connected)."""
    hits = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen():
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                hits.append(connection.recv(200))
                connection.close()

        threading.Thread(target=listen, daemon=True).start()
        yield server.getsockname()[1], hits
        server.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def sibling(tmp_path):
    return render(tmp_path / "sibling.ts", frames=10)


def open_unsniffed(path: Path | str) -> FootageError:
    """What the child says to a path that the parent has not looked at."""
    child = Child(Limits(answer_seconds=20), writes=False)
    try:
        child.send({"do": "open", "path": str(path)})
        with pytest.raises(FootageError) as refused:
            child.receive()
        return refused.value
    finally:
        child.close()


def test_texts_that_name_other_media_open_nothing(tmp_path, sibling, canary):
    port, hits = canary
    for path in tricks(tmp_path, sibling, port).values():
        with pytest.raises(FootageError, match="holds text") as refused:
            probe(path)
        assert refused.value.kind == "not_video"
        assert open_unsniffed(path).kind in {"refused_format", "not_video", "broken"}, path.name
    assert hits == []


def test_the_canary_sings(canary):
    """The test above means something: a playlist opened without the fence does connect."""
    port, hits = canary
    script = f"import av; av.open('http://127.0.0.1:{port}/a.ts', timeout=2)"
    subprocess.run([sys.executable, "-c", script], stderr=subprocess.DEVNULL, check=False)
    assert hits


@pytest.mark.parametrize(
    "name",
    ["concat:{s}|{s}", "subfile,,start,0,end,0,,:{s}", "async:{s}", "tcp://127.0.0.1:{p}", "-i", "%03d.ts"],
)
def test_names_that_are_protocols_are_only_names(tmp_path, sibling, canary, name):
    port, hits = canary
    named = tmp_path / name.format(s="sibling.ts", p=port).replace("/", "_")
    named.write_bytes(sibling.read_bytes())
    assert probe(named).frames == 10
    assert open_unsniffed(name.format(s=sibling, p=port)).kind in FOOTAGE_ERRORS
    assert hits == []


def not_videos(folder: Path) -> dict[Path, str]:
    Image.new("RGB", (64, 64)).save(folder / "png.png")
    Image.new("RGB", (64, 64)).save(folder / "jpeg.jpg")
    with zipfile.ZipFile(folder / "archive.zip", "w") as archive:
        archive.writestr("a", "b")
    held = {
        "empty": b"",
        "text": b"Once upon a time\n" * 100,
        "umlauts": "Größe\n".encode() * 100,
        "zeros": bytes(100_000),
        "pdf": b"%PDF-1.7\n\x00\x01",
        "noise": np.random.default_rng(0).integers(1, 256, 50_000, np.uint8).tobytes(),
        "png": (folder / "png.png").read_bytes(),
        "jpeg": (folder / "jpeg.jpg").read_bytes(),
        "zip": (folder / "archive.zip").read_bytes(),
    }
    words = {"empty": "is empty", "text": "text", "umlauts": "text", "noise": "not a video", "png": "picture"}
    words |= {"jpeg": "picture", "zip": "zip", "pdf": "PDF", "zeros": "zeros"}
    paths = {}
    for name, content in held.items():
        path = folder / f"{name}.mov"
        path.write_bytes(content)
        paths[path] = words[name]
    return paths


def test_what_is_no_video_is_named(tmp_path):
    for path, word in not_videos(tmp_path).items():
        with pytest.raises(FootageError, match=word) as refused:
            probe(path)
        assert refused.value.kind == ("empty" if path.stem == "empty" else "not_video")


def test_missing_files_folders_and_pipes(tmp_path):
    os.mkfifo(tmp_path / "pipe.mp4")
    for name, kind in (("absent.mp4", "missing"), (".", "not_video"), ("pipe.mp4", "not_video")):
        with pytest.raises(FootageError) as refused:
            probe(tmp_path / name)
        assert refused.value.kind == kind


def test_pictures_of_monstrous_size_are_refused(tmp_path):
    honest = render(tmp_path / "a.mov", codec="mjpeg", pixel_format="yuvj420p", frames=3)
    probe(honest)
    hidden = claim_jpeg_size(honest, 16384, 8192)
    with pytest.raises(FootageError) as refused:
        probe(hidden)
    assert refused.value.kind in {"broken", "too_large"}
    with pytest.raises(FootageError, match="too large") as refused:
        probe(claim_size(hidden, 16384, 8192))
    assert refused.value.kind == "too_large"


@pytest.mark.parametrize(
    ("limits", "kind"),
    [
        (Limits(longest_side=319), "too_large"),
        (Limits(pixels=320 * 180 - 1), "too_large"),
        (Limits(frames=29), "too_long"),
        (Limits(seconds=1), "too_long"),
    ],
)
@pytest.mark.parametrize("name", ["a.mp4", "a.ts"])
def test_limits_of_size_and_length(tmp_path, name, limits, kind):
    with pytest.raises(FootageError) as refused:
        probe(render(tmp_path / name, frames=30), limits=limits)
    assert refused.value.kind == kind


@LINUX
def test_too_little_memory_is_a_plain_error(tmp_path):
    with Footage(render(tmp_path / "small.mp4", frames=2)) as footage:
        status = Path(f"/proc/{footage._child.pid}/status").read_text()
    enough_for_small = int(status.partition("VmPeak:")[2].split()[0]) << 10
    clip = render(tmp_path / "a.mp4", frames=2, size=(4000, 4000), options={"preset": "ultrafast"})
    limits = Limits(memory_bytes=enough_for_small)
    with (
        pytest.raises(FootageError, match="memory") as refused,
        Footage(clip, longest_side=None, limits=limits) as footage,
    ):
        list(footage.frames(0, 1))
    assert refused.value.kind == "memory"


def test_4k_10_bit_hevc_fits_into_the_memory_that_is_given(tmp_path):
    clip = render(
        tmp_path / "a.mp4",
        codec="libx265",
        pixel_format="yuv420p10le",
        size=(3840, 2160),
        frames=2,
        options={"preset": "ultrafast", "x265-params": "log-level=none:pools=none:bframes=0"},
    )
    with Footage(clip, longest_side=None) as footage:
        shapes = {frame.picture.shape for frame in footage.frames(0, 1)}
    assert shapes == {(2160, 3840, 3)}


@LINUX
def test_the_child_is_confined(tmp_path, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgres://secret")
    monkeypatch.setenv("http_proxy", "http://proxy")
    with Footage(render(tmp_path / "a.mp4", frames=3)) as footage:
        child = Path(f"/proc/{footage._child.pid}")
        limits = {line[:26].strip(): line[26:].split()[0] for line in child.joinpath("limits").open()}
        environment = child.joinpath("environ").read_bytes()
        opened = {str(link.readlink()) for link in child.joinpath("fd").iterdir()}
    assert limits["Max address space"] == str(2 << 30)
    assert limits["Max cpu time"] == "21600"
    assert limits["Max file size"] == "0"
    assert limits["Max core file size"] == "0"
    assert limits["Max open files"] == "64"
    assert b"secret" not in environment
    assert b"proxy" not in environment
    assert {path for path in opened if not path.startswith(("pipe:", "/dev/null"))} == {
        str(tmp_path / "a.mp4")
    }


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGSEGV, signal.SIGXCPU])
def test_a_child_that_dies_in_the_middle_is_an_error_and_no_hang(tmp_path, blow):
    clip = render(tmp_path / "a.mp4", frames=100)
    with Footage(clip) as footage:
        frames = footage.frames(0, 99)
        assert next(frames).number == 0
        os.kill(footage._child.pid, blow)
        with pytest.raises(FootageError) as died:
            list(frames)
        assert died.value.kind == ("timeout" if blow == signal.SIGXCPU else "broken")
        with pytest.raises(FootageError):
            footage.frame_at(0)


def test_a_child_that_says_nothing_is_killed(tmp_path):
    with Footage(render(tmp_path / "a.mp4", frames=100), limits=Limits(answer_seconds=8)) as footage:
        os.kill(footage._child.pid, signal.SIGSTOP)
        footage._child._patience = 0.2
        with pytest.raises(FootageError, match="too long") as silent:
            list(footage.frames(0, 99))
        assert silent.value.kind == "timeout"
        assert not footage._child.alive


def test_a_reader_may_be_slow(tmp_path):
    """Only the child's silence counts, not the time that the parent takes between frames."""
    with Footage(render(tmp_path / "a.mp4", frames=6)) as footage:
        footage._child._patience = 0.5
        frames = footage.frames(0, 5)
        next(frames)
        time.sleep(1)
        assert [frame.number for frame in frames] == [1, 2, 3, 4, 5]


def gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state == "Z"


@LINUX
@pytest.mark.parametrize("busy", [False, True])
def test_the_child_goes_when_its_parent_is_killed(tmp_path, busy):
    clip = render(tmp_path / "a.mp4", frames=100)
    script = f"""
import sys, time
from pathlib import Path
from training.footage.footage import Footage
footage = Footage(Path({str(clip)!r}))
if {busy}: next(footage.frames(0, 99))
print(footage._child.pid, flush=True)
time.sleep(600)
"""
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    child = int(parent.stdout.readline())
    assert not gone(child)
    parent.kill()
    parent.communicate()
    while not gone(child):
        time.sleep(0.05)


def test_closing_ends_the_child(tmp_path):
    with Footage(render(tmp_path / "a.mp4", frames=100)) as footage:
        next(footage.sample(Fraction(1)))
        assert footage._child.alive
    assert not footage._child.alive


def test_the_parent_never_loads_libav(tmp_path):
    script = f"""
import sys
from pathlib import Path
from training.footage.footage import probe
assert probe(Path({str(render(tmp_path / "a.mp4", frames=3))!r})).frames == 3
assert not {{"av", "torch", "cv2", "django"}} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", script], check=True, cwd=ROOT)

"""The reading child: real letters on a real picture, no network, and what happens when it dies."""

import os
import signal
import socket
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from training import slate_text
from training.footage.facts import Limits
from training.slate_text.failures import NotInstalled, SlateTextFailed
from training.slate_text.reader import SlateReader

pytestmark = pytest.mark.skipif(not slate_text.is_installed(), reason="the extra `ocr` is not installed")


def board(size: tuple[int, int] = (800, 500)) -> np.ndarray:
    """A printed slate: labels with large values below them."""
    image = Image.new("RGB", size, (240, 240, 235))
    draw = ImageDraw.Draw(image)
    for x, label, value in ((30, "ROLL", "A001"), (300, "SCENE", "12A"), (590, "TAKE", "14")):
        draw.text((x, 60), label, (20, 20, 20), ImageFont.load_default(34))
        draw.text((x + 10, 130), value, (20, 20, 120), ImageFont.load_default(90))
    draw.text((30, 320), "DIRECTOR  A. Miller", (20, 20, 20), ImageFont.load_default(34))
    return np.asarray(image)


@pytest.fixture(scope="module")
def reader():
    with SlateReader() as reader:
        yield reader


def texts(slate) -> dict[str, str]:
    return {name: field["text"] for name, field in slate.fields.items()}


WRITTEN = {"roll": "A001", "scene": "12A", "take": "14"}


def test_a_board_is_read(reader):
    slate = reader.read(board())
    assert texts(slate) == WRITTEN
    assert not slate.upside_down
    assert any(line["text"] == "SCENE" for line in slate.lines)


def test_a_board_upside_down_is_read(reader):
    slate = reader.read(board()[::-1, ::-1])
    assert texts(slate) == WRITTEN
    assert slate.upside_down


def test_pictures_of_any_size(reader):
    assert reader.read(np.zeros((1, 1, 3), np.uint8)).fields == {}
    large = np.asarray(Image.fromarray(board()).resize((4000, 2500)))
    assert texts(reader.read(large)) == WRITTEN


def test_onnxruntime_stays_in_the_child():
    ask = "import sys, training.slate_text.reader; print({'onnxruntime', 'rapidocr'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", ask], text=True).strip() == "set()"


def test_a_child_that_was_killed_is_replaced(reader):
    reader.read(board())
    os.kill(reader._child.pid, signal.SIGKILL)
    reader._child._process.wait()
    assert texts(reader.read(board())) == WRITTEN


def test_a_child_that_dies_at_work_is_one_sentence():
    with (
        SlateReader(limits=Limits(memory_bytes=120 << 20)) as small,
        pytest.raises(SlateTextFailed) as failed,
    ):
        small.read(board())
    assert str(failed.value).startswith("Reading the slate")


def test_without_the_extra_there_is_a_clear_sentence(monkeypatch):
    monkeypatch.setattr("training.slate_text.reader.is_installed", lambda: False)
    with SlateReader() as reader, pytest.raises(NotInstalled, match=r"secondsticks\[ocr\]"):
        reader.read(board())


def test_nothing_is_ever_downloaded(monkeypatch, tmp_path):
    """In this process, with every connection refused; the models are those of the wheel."""
    from training.slate_text.reading import Ocr

    def refuse(*_):
        raise AssertionError("it went to the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert any(line.text == "SCENE" for line in Ocr().lines(board()))


def test_a_wheel_without_its_models_is_refused(monkeypatch, tmp_path):
    from training.slate_text import reading

    monkeypatch.setattr(reading, "_DETECTS", tmp_path / "gone.onnx")
    with pytest.raises(reading.NoModels, match=r"gone\.onnx"):
        reading.Ocr()

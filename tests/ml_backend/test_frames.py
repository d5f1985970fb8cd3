"""Where pictures may come from, and which files are pictures."""

import io
import socket
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from PIL import Image

from ml_backend import fetching, frames
from ml_backend.allowed import Allowed, as_address, parse_allowed
from ml_backend.fetching import Unopened, fetch
from ml_backend.frames import decoded
from tests.ml_backend import bodies
from tests.ml_backend.conftest import Backend, jpeg


class Pictures(BaseHTTPRequestHandler):
    """A host with pictures and with tricks."""

    asked: list[str] = []

    def do_GET(self) -> None:
        self.asked.append(f"{self.headers['Host']}{self.path}")
        if self.path == "/elsewhere":
            self.send_response(302)
            self.send_header("Location", "/a.jpg")
            self.end_headers()
            return
        self.send_response(200)
        self.end_headers()
        if self.path == "/slow":
            for _ in range(100):
                self.wfile.write(b"x")
                time.sleep(0.02)
            return
        self.wfile.write(b"x" * 5_000_000 if self.path == "/large" else jpeg(200))

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    Pictures.asked.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Pictures) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_no_address_is_fetched_unless_its_host_is_listed(backend: Backend, port: int) -> None:
    task = bodies.task(0)
    del task["data"]["frame_key"]
    task["data"]["image"] = f"http://127.0.0.1:{port}/a.jpg"
    (result,) = backend.ask("/predict", bodies.predict(task)).json["results"]

    assert result["result"] == []
    assert result["error"].startswith(f"Pictures at 127.0.0.1:{port} may not be fetched")
    assert Pictures.asked == []


def test_a_listed_host_is_fetched_from(make_backend: Callable[..., Backend], port: int) -> None:
    backend = make_backend(allowed=parse_allowed(f"127.0.0.1:{port}"))
    backend.weights.look()
    task = bodies.task(0)
    del task["data"]["frame_key"]
    task["data"]["image"] = f"http://127.0.0.1:{port}/a.jpg?x=1"
    (result,) = backend.ask("/predict", bodies.predict(task)).json["results"]

    assert result["result"][0]["value"]["rectanglelabels"] == ["open"]
    assert Pictures.asked == [f"127.0.0.1:{port}/a.jpg?x=1"]


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("file:///etc/passwd", "not an http or https one"),
        ("ftp://127.0.0.1/a.jpg", "not an http or https one"),
        ("/data/local-files/?d=a.jpg", "not an http or https one"),
        ("data:image/png;base64,AAAA", "not an http or https one"),
        ("http://", "not an http or https one"),
        ("http://[::1", "is none"),
        ("http://127.0.0.1:99999/", "is none"),
        ("http://user:word@127.0.0.1:{port}/a.jpg", "has a password in it"),
        ("http://127.0.0.1.evil.example:{port}/a.jpg", "may not be fetched"),
        ("http://127.1:{port}/a.jpg", "may not be fetched"),
        ("http://2130706433:{port}/a.jpg", "may not be fetched"),
        ("http://127.0.0.1/a.jpg", "may not be fetched"),
        ("https://127.0.0.1:{port}/a.jpg", "did not send the picture"),
        ("http://127.0.0.1:{port}/elsewhere", "answers 302; redirects are not followed"),
        ("http://127.0.0.1:{port}/large", "has more than 1 MB"),
        ("http://127.0.0.1:{port}/slow", "took too long"),
    ],
)
def test_what_is_not_fetched(port: int, url: str, sentence: str) -> None:
    with pytest.raises(Unopened, match=sentence):
        fetch(url.format(port=port), parse_allowed(f"127.0.0.1:{port}"), longest=0.3, largest=1 << 20)


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "::ffff:10.1.2.3", "224.0.0.1"]
)
def test_a_listed_name_at_a_private_address_is_not_reached(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    def resolve(host: str, port: int, **options: object) -> list[tuple[object, ...]]:
        return [
            (socket.AF_INET, 1, 6, "", ("93.184.215.14", port)),
            (socket.AF_INET, 1, 6, "", (address, port)),
        ]

    monkeypatch.setattr(fetching.socket, "getaddrinfo", resolve)
    with pytest.raises(Unopened, match="at a private address"):
        fetch("http://frames.example.org/a.jpg", parse_allowed("frames.example.org"))


def test_a_private_address_is_reached_when_it_is_listed_too(
    monkeypatch: pytest.MonkeyPatch, port: int
) -> None:
    real = socket.getaddrinfo
    monkeypatch.setattr(
        fetching.socket, "getaddrinfo",
        lambda host, *rest, **options: real("127.0.0.1" if host == "frames" else host, *rest, **options),
    )  # fmt: skip
    for listed in ["127.0.0.0/8", "127.0.0.1"]:
        assert fetch(f"http://frames:{port}/a.jpg", parse_allowed(f"frames:{port}, {listed}")) == jpeg(200)
    assert Pictures.asked == [f"frames:{port}/a.jpg"] * 2


def test_the_list_of_hosts() -> None:
    listed = parse_allowed(" Frames.example.org, [::1], 10.0.0.5:8080 ,10.1.0.0/16,")
    assert listed.hosts == {("frames.example.org", None), ("::1", None), ("10.0.0.5", 8080)}
    assert listed.names("frames.example.org", 443, scheme="https")
    assert not listed.names("frames.example.org", 8443, scheme="https")
    assert listed.names("10.0.0.5", 8080, scheme="http") and not listed.names("10.0.0.5", 80, scheme="http")
    assert listed.names("10.1.7.7", 9000, scheme="http")
    address = as_address("10.2.0.1")
    assert address and not listed.reaches(address) and not Allowed().reaches(address)
    for wrong in ["10.1.0.0/99", "http://frames.example.org", "frames:"]:
        with pytest.raises(ValueError, match="SECONDSTICKS_ML_HOSTS"):
            parse_allowed(wrong)


def png_claiming(width: int, height: int) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 999))
        + chunk(b"IEND", b"")
    )


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "not a whole JPEG, PNG or WebP"),
        (b"#EXTM3U\nfile:///etc/passwd", "not a whole JPEG, PNG or WebP"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a whole JPEG, PNG or WebP"),
        (b"GIF89a" + b"\0" * 99, "not a whole JPEG, PNG or WebP"),
        (jpeg(9)[:400], "not a whole JPEG, PNG or WebP"),
        (png_claiming(10, 10)[:45], "not a whole JPEG, PNG or WebP"),
        (png_claiming(7000, 7000), "7000 x 7000 pixels: too many"),
        (png_claiming(10_000, 10_000), "10000 x 10000 pixels: too many"),
        (png_claiming(60_000, 60_000), "far too many pixels"),
    ],
)
def test_files_that_are_no_pictures(content: bytes, sentence: str) -> None:
    with pytest.raises(Unopened, match=sentence):
        decoded(content)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "CMYK", "1"])
def test_pictures_of_all_kinds_become_rgb(mode: str) -> None:
    file = io.BytesIO()
    Image.new(mode, (6, 4)).save(file, "JPEG" if mode == "CMYK" else "PNG")
    picture = decoded(file.getvalue())
    assert (picture.shape, picture.dtype) == ((4, 6, 3), np.uint8)


def test_a_turned_picture_is_seen_as_browsers_show_it() -> None:
    file = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (60, 40)).save(file, "JPEG", exif=exif)
    assert decoded(file.getvalue()).shape == (60, 40, 3)


def test_a_frame_that_is_too_large_is_not_read_whole(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames, "LARGEST", 1 << 20)
    backend.store.put(f"frames/{bodies.CLIP}/0.jpg", b"x" * (2 << 20))
    (result,) = backend.ask("/predict", bodies.predict(bodies.task(0))).json["results"]
    assert result["error"] == f"The frame {bodies.CLIP}/0 has more than 1 MB."

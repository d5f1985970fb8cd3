"""An S3 to test against: moto's server on a real socket, and faults before it. Loaded by conftest.py."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.request import Request, urlopen

import pytest

Answer = tuple[str, list[tuple[str, str]], bytes]


class S3Server:
    """moto, and what stands before it: `answer` gets each request, and may answer in moto's place."""

    def __init__(self) -> None:
        from moto.server import ThreadedMotoServer

        self._server = ThreadedMotoServer(port=0, verbose=False)
        self._server.start()
        host, port = self._server.get_host_and_port()
        self.url = f"http://{host}:{port}"
        self._moto = self._server._server.app
        self._server._server.app = self._meet
        self.reset()

    def empty(self) -> None:
        self.reset()
        urlopen(Request(f"{self.url}/moto-api/reset", method="POST")).close()

    def reset(self) -> None:
        self.asked: list[str] = []
        self.answer: Callable[[dict], Answer | None] = lambda environ: None

    def stop(self) -> None:
        self._server.stop()

    def _meet(self, environ, start_response):
        self.asked.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
        answer = self.answer(environ)
        if answer is None:
            return self._moto(environ, start_response)
        status, headers, body = answer
        start_response(status, headers)
        return [body]


@pytest.fixture(scope="session")
def _one_server() -> Iterator[S3Server]:
    server = S3Server()
    yield server
    server.stop()


@pytest.fixture
def s3_server(_one_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Server]:
    """The server, where boto3 looks for S3; tries follow each other at once."""
    for name, value in {
        "AWS_ENDPOINT_URL_S3": _one_server.url,
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)
    _one_server.empty()
    yield _one_server
    _one_server.reset()


def refused(status: str, code: str) -> Answer:
    """What S3 answers when it does not do it."""
    body = f"<Error><Code>{code}</Code></Error>".encode()
    return status, [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))], body

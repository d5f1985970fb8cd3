"""WSGI on one side, requests and JSON replies on the other."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import IO, Any
from wsgiref.types import StartResponse, WSGIEnvironment

from ml_backend.refusals import Refused

Json = dict[str, Any]


@dataclass(frozen=True)
class Request:
    """One call. `route` is the last part of its path: a backend may live below any prefix."""

    method: str
    route: str
    headers: Mapping[str, str]  # by lower-case name
    stream: IO[bytes]

    def body(self, *, largest: int) -> bytes:
        """All of it. Raises Refused (413) for more than `largest` bytes."""
        said = self.headers.get("content-length", "")
        if said.isdecimal() and int(said[:18]) > largest:
            raise _too_large(largest)
        arrived = bytearray()
        while piece := self.stream.read(1 << 16):
            arrived += piece
            if len(arrived) > largest:
                raise _too_large(largest)
        return bytes(arrived)


@dataclass(frozen=True)
class Reply:
    """A status and a JSON object."""

    document: Json
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    def send(self, start: StartResponse) -> list[bytes]:
        content = json.dumps(self.document).encode()
        headers = {
            "Content-Type": "application/json",
            "Content-Length": str(len(content)),
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            **self.headers,
        }
        start(f"{self.status} {HTTPStatus(self.status).phrase}", list(headers.items()))
        return [content]


def request_in(environ: WSGIEnvironment) -> Request:
    headers = {
        name[5:].replace("_", "-").lower(): str(value)
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    if environ.get("CONTENT_LENGTH"):
        headers["content-length"] = str(environ["CONTENT_LENGTH"])
    return Request(
        method=str(environ["REQUEST_METHOD"]),
        route=str(environ.get("PATH_INFO", "")).rstrip("/").rpartition("/")[2],
        headers=headers,
        stream=environ["wsgi.input"],
    )


def json_in(content: bytes) -> Json:
    """The JSON object that a body is. Raises Refused (400)."""
    try:
        document = json.loads(content, parse_constant=_no_number, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise Refused(400, "The body is not JSON.") from error
    if not isinstance(document, dict):
        raise Refused(400, "The body is not a JSON object.")
    return document


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("out of range")
    return number


def _too_large(largest: int) -> Refused:
    return Refused(413, f"The body has more than {largest >> 20} MB: send fewer tasks at once.")

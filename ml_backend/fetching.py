"""Pictures from the addresses that a task names, where that is allowed at all.

A host is looked up once and then connected to by number, so that it cannot be another one by then.
"""

from __future__ import annotations

import logging
import socket
import ssl
import time
from http.client import HTTPConnection, HTTPException, HTTPResponse
from urllib.parse import SplitResult, urlsplit

from ml_backend.allowed import DEFAULT_PORTS, Address, Allowed, as_address

log = logging.getLogger(__name__)

LARGEST = 32 << 20  # bytes
LONGEST = 10.0  # seconds for all of it
SILENCE = 5.0  # seconds


class Unopened(Exception):
    """Why a picture cannot be had, in one plain sentence."""


def fetch(url: str, allowed: Allowed, *, longest: float = LONGEST, largest: int = LARGEST) -> bytes:
    """What lies at an http or https address of an allowed host. Raises Unopened."""
    deadline = time.monotonic() + longest
    parts, port = _checked(url, allowed)
    host = str(parts.hostname)
    address = _resolved(host, port, allowed)
    connection = HTTPConnection(host, port, timeout=SILENCE)
    try:
        connection.sock = _connected(parts.scheme, host, address, port)
        query = f"?{parts.query}" if parts.query else ""
        connection.request("GET", (parts.path or "/") + query, headers={"Accept": "image/*"})
        reply = connection.getresponse()
        if reply.status != 200:
            raise Unopened(f"{host} answers {reply.status}; redirects are not followed.")
        return _body(reply, host, deadline, largest)
    except (HTTPException, OSError, ValueError) as error:
        log.warning("%s: %s", host, error)
        raise Unopened(f"{host} did not send the picture ({type(error).__name__}).") from error
    finally:
        connection.close()


def _checked(url: str, allowed: Allowed) -> tuple[SplitResult, int]:
    try:
        parts = urlsplit(url)
        port = parts.port or DEFAULT_PORTS.get(parts.scheme, 0)
    except ValueError as error:
        raise Unopened("The address of the picture is none.") from error
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
        raise Unopened("The address of the picture is not an http or https one, and there is no frame_key.")
    if "@" in parts.netloc:
        raise Unopened("The address of the picture has a password in it.")
    if not allowed.names(parts.hostname, port, scheme=parts.scheme):
        raise Unopened(
            f"Pictures at {parts.hostname}:{port} may not be fetched: give the task a frame_key, "
            "or add the host to SECONDSTICKS_ML_HOSTS."
        )
    return parts, port


def _resolved(host: str, port: int, allowed: Allowed) -> str:
    """The address to connect to. Raises Unopened unless every address that the name has is allowed."""
    try:
        answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unopened(f"There is no host {host}.") from error
    addresses: list[Address] = [found for answer in answers if (found := as_address(str(answer[4][0])))]
    if not addresses or not all(allowed.reaches(address) for address in addresses):
        raise Unopened(f"{host} is at a private address, which SECONDSTICKS_ML_HOSTS does not list.")
    return str(addresses[0])


def _connected(scheme: str, host: str, address: str, port: int) -> socket.socket:
    """A connection to the address, and with TLS to whoever proves to be the host there."""
    plain = socket.create_connection((address, port), timeout=SILENCE)
    if scheme == "http":
        return plain
    return ssl.create_default_context().wrap_socket(plain, server_hostname=host)


def _body(reply: HTTPResponse, host: str, deadline: float, largest: int) -> bytes:
    arrived = bytearray()
    while piece := reply.read1(1 << 16):
        arrived += piece
        if len(arrived) > largest:
            raise Unopened(f"The picture from {host} has more than {largest >> 20} MB.")
        if time.monotonic() > deadline:
            raise Unopened(f"{host} took too long to send the picture.")
    return bytes(arrived)

"""Pictures from the addresses that a task names, where that is allowed at all.

A host is looked up once and then connected to by number, so that it cannot be another one by then.
"""

from __future__ import annotations

import logging
import socket
import time
from urllib.parse import SplitResult, urlsplit

import urllib3

from ml_backend.allowed import DEFAULT_PORTS, Address, Allowed, as_address

log = logging.getLogger(__name__)

LARGEST = 32 << 20  # bytes
LONGEST = 10.0  # seconds for all of it
PATIENCE = urllib3.Timeout(connect=3, read=5)


class Unopened(Exception):
    """Why a picture cannot be had, in one plain sentence."""


def fetch(url: str, allowed: Allowed, *, longest: float = LONGEST, largest: int = LARGEST) -> bytes:
    """What lies at an http or https address of an allowed host. Raises Unopened."""
    deadline = time.monotonic() + longest
    parts, port = _checked(url, allowed)
    host = str(parts.hostname)
    pool = _pool(parts.scheme, host, port, _resolved(host, port, allowed))
    try:
        reply = pool.request(
            "GET", parts.path + (f"?{parts.query}" if parts.query else "") or "/",
            headers={"Host": parts.netloc, "Accept": "image/*", "Accept-Encoding": "identity"},
            redirect=False, retries=False, preload_content=False,
        )  # fmt: skip
        if reply.status != 200:
            raise Unopened(f"{host} answers {reply.status}; redirects are not followed.")
        return _body(reply, host, deadline, largest)
    except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        log.warning("%s: %s", host, error)
        raise Unopened(f"{host} did not send the picture ({type(error).__name__}).") from error
    finally:
        pool.close()


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


def _pool(scheme: str, host: str, port: int, address: str) -> urllib3.HTTPConnectionPool:
    if scheme == "http":
        return urllib3.HTTPConnectionPool(address, port, timeout=PATIENCE, maxsize=1)
    return urllib3.HTTPSConnectionPool(
        address, port, timeout=PATIENCE, maxsize=1, server_hostname=host, assert_hostname=host
    )


def _body(reply: urllib3.BaseHTTPResponse, host: str, deadline: float, largest: int) -> bytes:
    arrived = bytearray()
    while piece := reply.read1(1 << 16):
        arrived += piece
        if len(arrived) > largest:
            raise Unopened(f"The picture from {host} has more than {largest >> 20} MB.")
        if time.monotonic() > deadline:
            raise Unopened(f"{host} took too long to send the picture.")
    return bytes(arrived)

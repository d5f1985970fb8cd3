"""Addresses that people give us: of a Label Studio, of ourselves, of the ML backend."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

#: Where clouds hand out credentials. Loopback and private networks are where a Label Studio usually is.
METADATA = [ipaddress.ip_network("169.254.0.0/16"), ipaddress.ip_network("fd00:ec2::/32")]


class AddressRefused(ValueError):
    """Why an address cannot be used, in a sentence."""


def cleaned(text: str, what: str) -> str:
    """`https://host[:port][/prefix]` without a slash at its end. Raises AddressRefused."""
    address = text.strip().rstrip("/")
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        raise AddressRefused(f"{what}: {text} is not an address.") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise AddressRefused(f"{what} must look like https://labels.example.org or http://127.0.0.1:8080.")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise AddressRefused(f"{what}: give the bare address, without a name, a password, ? or #.")
    return address


def require_allowed(address: str) -> None:
    """Refuse to talk to addresses where nobody's Label Studio is. Raises AddressRefused."""
    host = urlsplit(address).hostname or ""
    try:
        numbers = {str(info[4][0]).split("%")[0] for info in socket.getaddrinfo(host, None)}
    except (OSError, UnicodeError):
        raise AddressRefused(f"There is no host {host}: check the address.") from None
    for one in map(ipaddress.ip_address, numbers):
        plain = getattr(one, "ipv4_mapped", None) or one
        local = plain.is_link_local or plain.is_multicast or plain.is_unspecified
        if local or any(plain in network for network in METADATA):
            raise AddressRefused(f"{host} is {plain}: that is no address of a Label Studio.")


def same_place(one: str, other: str) -> bool:
    """Whether two origins are one; the names of this machine's loopback are the same."""
    return _normal(one) == _normal(other)


def _normal(origin: str) -> tuple[str, str, int | None]:
    try:
        parts = urlsplit(origin.lower())
        host, port = parts.hostname or "", parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return "", origin, None
    return parts.scheme, "loopback" if host in ("localhost", "127.0.0.1", "::1") else host, port

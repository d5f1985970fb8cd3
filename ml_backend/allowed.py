"""From which hosts pictures may be fetched: none, unless they are named."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Allowed:
    """`hosts`: names or addresses, with a port or (None) the usual one; `networks`: at any port."""

    hosts: frozenset[tuple[str, int | None]] = frozenset()
    networks: tuple[Network, ...] = ()

    def names(self, host: str, port: int, *, scheme: str) -> bool:
        """Whether an address may name this host."""
        usual = DEFAULT_PORTS.get(scheme) == port
        return (
            (host, port) in self.hosts
            or (usual and (host, None) in self.hosts)
            or self._in_network(as_address(host))
        )

    def reaches(self, address: Address) -> bool:
        """Whether we may connect there: public addresses, and private ones that are listed themselves."""
        mapped = getattr(address, "ipv4_mapped", None) or address
        listed = {host for host, _ in self.hosts}
        return (
            (mapped.is_global and not mapped.is_multicast)
            or str(mapped) in listed
            or self._in_network(mapped)
        )

    def _in_network(self, address: Address | None) -> bool:
        return address is not None and any(address in network for network in self.networks)


def parse_allowed(text: str) -> Allowed:
    """`frames.example.org, 10.0.0.5:8080, 10.1.0.0/16`. Raises ValueError."""
    hosts: set[tuple[str, int | None]] = set()
    networks: list[Network] = []
    for entry in filter(None, (word.strip().lower() for word in text.split(","))):
        if "/" in entry:
            networks.append(_network(entry))
        else:
            hosts.add(_host(entry))
    return Allowed(frozenset(hosts), tuple(networks))


def as_address(host: str) -> Address | None:
    """The address that a host is, if it is none that must be looked up."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _network(entry: str) -> Network:
    try:
        return ipaddress.ip_network(entry)
    except ValueError as error:
        raise ValueError(
            f"SECONDSTICKS_ML_HOSTS: {entry} is neither a host nor a network such as 10.1.0.0/16."
        ) from error


def _host(entry: str) -> tuple[str, int | None]:
    if as_address(entry.strip("[]")):
        return str(as_address(entry.strip("[]"))), None
    host, colon, port = entry.rpartition(":")
    if not colon:
        return entry, None
    if not port.isdecimal() or not host or ("/" in host):
        raise ValueError(f"SECONDSTICKS_ML_HOSTS: {entry} has no port after its colon.")
    return host.strip("[]"), int(port)

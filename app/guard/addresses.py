"""Names and addresses of machines, as requests and settings have them."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

HOST = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[0-9a-z._-]+)(:[0-9]{1,5})?")
"""A name or an address, that of version 6 in brackets, and perhaps a port."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def host_name(host: str) -> str:
    """Return the name of a Host without its port, in small letters; nothing for what is none."""
    found = HOST.fullmatch(host.strip().lower())
    return found["name"].strip("[]").removesuffix(".") if found else ""


def is_loopback(name: str) -> bool:
    """Tell whether a name is ``localhost`` or an address, of version 4 or 6, that only this machine reaches."""
    address = _address(name.strip("[]"))
    return name.lower() == "localhost" or (address is not None and address.is_loopback)


def networks(texts: Iterable[str]) -> list[Network]:
    """Read networks, each ``address/bits`` or one address; `ValueError` for what is none."""
    return [ipaddress.ip_network(text) for text in texts]


def is_within(name: str, among: Iterable[Network]) -> bool:
    """Tell whether a name is an address of one of these networks."""
    address = _address(name)
    return address is not None and any(address in network for network in among)


def _address(name: str) -> Address | None:
    """Return an address, that of version 4 where it is one in the form of version 6."""
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address

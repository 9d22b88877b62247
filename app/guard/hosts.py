"""The names under which this server answers.

Any web page can give a name of its own an address of this machine. A visitor's browser then takes what is served here
for a part of that page and lets it read everything, unless the server refuses names that it has not been told.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence

from flask import Flask, Response, request

from app.routes.answers import problem_answer
from app.settings import Settings

HOST = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[0-9a-z._-]+)(:[0-9]{1,5})?")
"""A name or an address, that of version 6 in brackets, and perhaps a port."""
UNKNOWN_NAME = (
    "This server does not answer under the name that was asked for. Whoever runs it can add a name by the setting "
    "FUSEVIS_ALLOWED_HOSTS."
)


def register(server: Flask, settings: Settings) -> None:
    """Refuse requests to other names before anything else is done, whatever their address."""
    allowed = frozenset(host_name(name) for name in settings.allowed_hosts or ())

    def refuse_unknown() -> Response | None:
        if is_own(request.headers.get("Host", ""), allowed):
            return None
        return problem_answer(421, UNKNOWN_NAME)

    server.before_request(refuse_unknown)


def is_own(host: str, allowed: frozenset[str] | Sequence[str] = ()) -> bool:
    """Tell whether a request's Host is ``localhost``, an address of this machine alone, or an allowed name.

    Parameters
    ----------
    host : str
        As the header says, with or without a port; any port will do.
    allowed : collection of str
        Names as of `host_name`.
    """
    name = host_name(host)
    return bool(name) and (name == "localhost" or name in allowed or is_loopback(name))


def host_name(host: str) -> str:
    """Return the name of a Host without its port, in small letters; nothing for what is none."""
    found = HOST.fullmatch(host.strip().lower())
    return found["name"].strip("[]").removesuffix(".") if found else ""


def is_loopback(name: str) -> bool:
    """Tell whether a name is an address, of version 4 or 6, that only this machine reaches."""
    try:
        address = ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool(address.is_loopback or (mapped is not None and mapped.is_loopback))

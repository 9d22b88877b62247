"""The names under which this server answers.

Any web page can give a name of its own an address of this machine. A visitor's browser then takes what is served here
for a part of that page and lets it read everything, unless the server refuses names that it has not been told.
"""

from __future__ import annotations

from collections.abc import Container

from flask import Flask, Response, request

from app.guard.addresses import host_name, is_loopback
from app.routes.answers import problem_answer
from app.settings import Settings

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


def is_own(host: str, allowed: Container[str] = ()) -> bool:
    """Tell whether a request's Host is ``localhost``, an address of this machine alone, or an allowed name.

    Parameters
    ----------
    host : str
        As the header says, with or without a port; any port will do.
    allowed : collection of str
        Names as of `host_name`.
    """
    name = host_name(host)
    return bool(name) and (name in allowed or is_loopback(name))

"""The settings: environment variables with the prefix ``FUSEVIS_``, listed in docs/settings.md."""

from __future__ import annotations

import difflib
import os
import re
from typing import Annotated, Any, Self

from pydantic import (
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from app.guard.addresses import is_loopback, networks
from cache.settings import ServiceSettings

PREFIX = "FUSEVIS_"
SHORTEST_SECRET = 16
AUTO = "auto"
HEADER_NAME = re.compile(r"[A-Za-z0-9-]+")
HOST_NAME = re.compile(r"[0-9A-Za-z._-]+|\[?[0-9A-Fa-f:.]+\]?")
MOUNT = re.compile(r"(/[0-9A-Za-z@._~-]+)*")
FRAME_SOURCES = re.compile(r"'none'|('self'|[^\s;,']+)( ('self'|[^\s;,']+))*")
"""Nothing in them may end the directive or the header."""
CONFIDENTIAL = ("redis_url", "secret_key", "token")
"""Settings whose values must not appear in messages and logs."""


class Settings(ServiceSettings, BaseSettings):
    """Everything that can be set, from ``FUSEVIS_<NAME>`` in the environment or by keyword.

    Those of `cache.settings.ServiceSettings` are among them. An empty environment variable counts as unset. A variable
    with the prefix that names no setting is an error, so that a misspelt one is not silently without effect.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, frozen=True, validate_default=True
    )

    host: Annotated[str, StringConstraints(min_length=1)] = Field(
        "127.0.0.1", description="Address to listen on; 0.0.0.0 admits other machines."
    )
    port: int = Field(8050, ge=0, le=65535, description="TCP port; 0 takes any free one.")
    server_threads: int = Field(8, ge=1, le=256, description="Requests answered at the same time.")
    prefix: str = Field(
        "/", description="Part of the address below which a web server in front hands on, as /fusevis."
    )
    allowed_hosts: Annotated[tuple[str, ...] | None, NoDecode] = Field(
        None, description="Names besides localhost under which the page is asked for, with commas between."
    )
    token: SecretStr | None = Field(
        None, description="Shared secret that opens the page; auto makes one and prints it at the start."
    )
    user_header: str | None = Field(
        None, description="Header in which a web server in front names the user, as X-Forwarded-User."
    )
    trusted_proxies: Annotated[tuple[str, ...] | None, NoDecode] = Field(
        None, description="Addresses of web servers whose user header is believed, with commas between."
    )
    allow_anyone: bool = Field(
        False, description="Serve other machines without a token and without a user header."
    )
    frame_ancestors: str = Field(
        "'self'", description="Sites that may show the page in a frame, as Content-Security-Policy has them."
    )
    secret_key: SecretStr | None = Field(
        None, description="Key that signs background-job handles; by default a random one at every start."
    )

    @field_validator("secret_key", "token")
    @classmethod
    def _is_long_enough(cls, key: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        made = info.field_name == "token" and key is not None and key.get_secret_value() == AUTO
        if key is not None and not made and len(key.get_secret_value()) < SHORTEST_SECRET:
            raise ValueError(
                f"a {'token' if info.field_name == 'token' else 'key'} has at least {SHORTEST_SECRET} characters"
            )
        return key

    @field_validator("user_header")
    @classmethod
    def _is_header(cls, name: str | None) -> str | None:
        if name is not None and not HEADER_NAME.fullmatch(name):
            raise ValueError("name a header, such as X-Forwarded-User")
        return name

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, texts: tuple[str, ...] | None) -> tuple[str, ...] | None:
        try:
            networks(texts or ())
        except ValueError:
            raise ValueError("give addresses or networks, as 127.0.0.1, 10.0.0.0/8") from None
        return texts

    @field_validator("allowed_hosts", "trusted_proxies", mode="before")
    @classmethod
    def _split(cls, names: object) -> object:
        """Take a text apart at its commas."""
        return tuple(filter(None, map(str.strip, names.split(",")))) if isinstance(names, str) else names

    @field_validator("allowed_hosts")
    @classmethod
    def _are_names(cls, names: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if not all(map(HOST_NAME.fullmatch, names or ())):
            raise ValueError("name hosts as in addresses, without http:// and without a port")
        return names

    @field_validator("prefix")
    @classmethod
    def _is_prefix(cls, prefix: str) -> str:
        prefix = prefix.rstrip("/")
        if not MOUNT.fullmatch(prefix) or {".", ".."} & set(prefix.split("/")):
            raise ValueError("give the part of the address behind the server's name, as /fusevis")
        return prefix or "/"

    @field_validator("frame_ancestors")
    @classmethod
    def _are_sources(cls, sources: str) -> str:
        if not FRAME_SOURCES.fullmatch(sources):
            raise ValueError("give 'self', 'none' or addresses of sites with spaces between")
        return sources

    @model_validator(mode="after")
    def _others_sign_in(self) -> Self:
        if (self.user_header is None) != (not self.trusted_proxies):
            raise ValueError(
                f"{PREFIX}USER_HEADER and {PREFIX}TRUSTED_PROXIES belong together: anybody can send a header, so it is "
                "believed only from there."
            )
        known = self.token is not None or self.user_header is not None
        if not (known or self.allow_anyone or is_loopback(self.host)):
            raise ValueError(
                f"On {self.host} other machines reach the page, and whoever reaches it sees the pairs. Set "
                f"{PREFIX}TOKEN (auto makes one), {PREFIX}USER_HEADER, or, if that is what you want, "
                f"{PREFIX}ALLOW_ANYONE=1."
            )
        return self

    @model_validator(mode="before")
    @classmethod
    def _no_unknown_variables(cls, values: Any) -> Any:
        known = {PREFIX + name.upper() for name in cls.model_fields}
        for variable in sorted(os.environ):
            if variable.upper().startswith(PREFIX) and variable.upper() not in known:
                near = difflib.get_close_matches(variable.upper(), sorted(known), n=1)
                hint = f"; did you mean {near[0]}?" if near else "; see docs/settings.md."
                raise ValueError(f"There is no setting {variable}{hint}")
        return values


def describe_problems(error: ValidationError) -> str:
    """Return what is wrong with the settings, one plain line each, without values that are confidential."""
    lines = []
    for problem in error.errors(include_url=False, include_context=False):
        message = problem["msg"].removeprefix("Value error, ")
        if problem["loc"]:
            name = str(problem["loc"][0])
            given = "" if name in CONFIDENTIAL else f" is {str(problem['input'])!r}"
            message = f"{name} ({PREFIX}{name.upper()}){given}: {message[:1].lower()}{message[1:]}."
        lines.append(message)
    return "\n".join(lines)

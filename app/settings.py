"""The settings: environment variables with the prefix ``FUSEVIS_``, listed in docs/settings.md."""

from __future__ import annotations

import difflib
import os
import re
from pathlib import Path
from typing import Annotated, Any

from platformdirs import user_cache_path, user_data_path
from pydantic import Field, SecretStr, StringConstraints, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "FUSEVIS_"
SHORTEST_SECRET = 16
CONFIDENTIAL = ("redis_url", "secret_key")
"""Settings whose values must not appear in messages and logs."""


def _usable_cores() -> int:
    """Return how many CPU cores this process may use, which in a container can be fewer than there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Settings(BaseSettings):
    """Everything that can be set, from ``FUSEVIS_<NAME>`` in the environment or by keyword.

    An empty environment variable counts as unset. A variable with the prefix that names no setting is an
    error, so that a misspelt one is not silently without effect.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, frozen=True, validate_default=True
    )

    host: Annotated[str, StringConstraints(min_length=1)] = Field(
        "127.0.0.1", description="Address to listen on; 0.0.0.0 admits other machines."
    )
    port: int = Field(8050, ge=0, le=65535, description="TCP port; 0 takes any free one.")
    server_threads: int = Field(8, ge=1, le=256, description="Requests answered at the same time.")
    device: str = Field(
        "auto", description="Where networks run: auto (a GPU where there is one), cpu, cuda or cuda:n."
    )
    interactive_threads: int = Field(
        1, ge=1, description="CPU threads of a hover's Jacobian; a small window is fastest on one."
    )
    guidance_threads: int = Field(
        default_factory=lambda: max(1, _usable_cores() - 1),
        ge=1,
        description="CPU threads of the guidance computation; by default all cores but one.",
    )
    cache_dir: Path = Field(
        default_factory=lambda: user_cache_path("fusevis", appauthor=False),
        description="Folder of memoized results; by default fusevis in the user's cache folder.",
    )
    cache_limit_mb: int = Field(
        1024, gt=0, description="Size of that folder, MiB; beyond it the least recently used results go."
    )
    cache_timeout_s: int = Field(
        604_800, ge=0, description="How long a result is kept after it was stored, seconds; 0 for no end."
    )
    atlas_dir: Path = Field(
        default_factory=lambda: user_data_path("fusevis", appauthor=False) / "atlas",
        description="Folder of atlases, complete Jacobians that `python -m fusion atlas` computes beforehand.",
    )
    region_dir: Path = Field(
        default_factory=lambda: user_data_path("fusevis", appauthor=False) / "regions",
        description="Folder of regions of interest that are too large for a link; made when the first one comes.",
    )
    view_dir: Path = Field(
        default_factory=lambda: user_data_path("fusevis", appauthor=False) / "views",
        description="Folder of named views; made when the first one is saved.",
    )
    redis_url: str | None = Field(
        None,
        repr=False,  # it may hold a password
        description="Redis server that holds results instead of the folder: redis://host:port/number.",
    )
    data_dir: Path | None = Field(
        None, description="Folder with pairs of your own, files named modality_id.extension."
    )
    pixel_limit: int = Field(
        16_777_216, gt=0, description="Most pixels an image may have; checked before it is decoded."
    )
    secret_key: SecretStr | None = Field(
        None, description="Key that signs background-job handles; by default a random one at every start."
    )

    @field_validator("device")
    @classmethod
    def _is_device_name(cls, device: str) -> str:
        if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", device):
            raise ValueError("choose auto, cpu, cuda or cuda:n")
        return device

    @field_validator("redis_url")
    @classmethod
    def _is_redis_address(cls, url: str | None) -> str | None:
        if url is not None and not re.fullmatch(r"(redis|rediss|unix)://\S+", url):
            raise ValueError("a Redis address begins with redis://, rediss:// or unix://")
        return url

    @field_validator("secret_key")
    @classmethod
    def _is_long_enough(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None and len(key.get_secret_value()) < SHORTEST_SECRET:
            raise ValueError(f"a key has at least {SHORTEST_SECRET} characters")
        return key

    @field_validator("cache_dir", "atlas_dir", "region_dir", "view_dir", "data_dir")
    @classmethod
    def _make_absolute(cls, folder: Path | None) -> Path | None:
        return None if folder is None else folder.expanduser().absolute()

    @field_validator("data_dir")
    @classmethod
    def _is_folder(cls, folder: Path | None) -> Path | None:
        if folder is not None and not folder.is_dir():
            raise ValueError("there is no such folder")
        return folder

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

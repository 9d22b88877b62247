"""The settings of the services: where they compute, with how much, and where they keep results and files."""

from __future__ import annotations

import os
import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

from platformdirs import user_cache_path, user_data_path
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_settings import NoDecode

# Nothing of fusion is imported here: settings are read before the fork, and torch must not be loaded before it.
SLOW_AT_ONCE, SLOW_WAITING = 2, 14
MOST_SLOW = SLOW_AT_ONCE + SLOW_WAITING
"""Slow requests that are computed, that wait, and both together: the server has so many threads besides those that are
set. One more is refused for a moment, see `cache.jobs.slow`."""
WHOLE_PIXELS = 2**20
_TWO_NAMES = "name two different modalities, that of x1 first, such as IR VIS"


def _usable_cores() -> int:
    """Return how many CPU cores this process may use, which in a container can be fewer than there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


LOOPBACK_SCHEDULER = re.compile(r"(tcp|tls)://(localhost|127(\.\d+){3}|\[::1\])(:\d+)?/?")


class WorkerPlace(StrEnum):
    """Place where long work is done without a cluster."""

    LOCAL = "local"
    NONE = "none"


class ServiceSettings(BaseModel):
    """Everything that the services need to be told; the page's settings (`app.settings.Settings`) add to it."""

    model_config = ConfigDict(frozen=True, validate_default=True)

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
    worker: WorkerPlace = Field(
        WorkerPlace.LOCAL,
        description="Where long work is done: local, a process of its own at the lowest priority; none, the server.",
    )
    worker_memory_mb: int | None = Field(
        None, gt=0, description="Most memory of that process, MiB; by default half of the machine's."
    )
    dask_scheduler: str | None = Field(
        None,
        description="Scheduler of a dask cluster that does long work instead: tls://host:8786 or tcp://…",
    )
    dask_tls: Annotated[tuple[Path, Path, Path] | None, NoDecode] = Field(
        None,
        description="For tls://: files of the authority, of a certificate and of its key, with commas between.",
    )
    dask_trust_network: bool = Field(
        False, description="Allow tcp:// to another machine, on a network where nobody else is."
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
    store: str | None = Field(
        None,
        description="Folder or address of fsspec (s3://…) with results that `python -m fusion precompute` has made.",
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
    uploads: bool = Field(
        True,
        description="Let visitors bring images to the page; off takes none and shows those of before no more.",
    )
    upload_max_mb: int = Field(
        512,
        gt=0,
        le=2**20,
        description="Most MiB of one upload, all its files together, packed and unpacked.",
    )
    uploads_max_gb: float = Field(
        5.0, gt=0, description="Most GiB of all uploads; beyond it those that were brought first go."
    )
    uploads_keep_days: int = Field(30, gt=0, description="How many days an upload is kept; the page says so.")
    allow_uploaded_methods: bool = Field(
        False, description="Let visitors bring networks as ONNX files; each runs in a process of its own."
    )
    uploaded_method_max_mb: int = Field(
        64, gt=0, le=2**14, description="Most MiB of a network that a visitor brings."
    )
    uploaded_methods_max_gb: float = Field(
        1.0, gt=0, description="Most GiB of all these networks; beyond it those that were brought first go."
    )
    redis_url: str | None = Field(
        None,
        repr=False,  # it may hold a password
        description="Redis server that holds results instead of the folder: redis://host:port/number.",
    )
    data_dir: Path | None = Field(
        None, description="Folder with pairs of your own, in names or folders that say the modality."
    )
    methods_dir: Path | None = Field(
        None, description="Folder with methods of your own, a folder each (docs/bring-your-own.md)."
    )
    modalities: Annotated[tuple[str, str] | None, NoDecode] = Field(
        None,
        description="What x1 and x2 of your own pairs show, as IR VIS; names or folders say so unless set.",
    )
    pixel_limit: int = Field(
        16_777_216, gt=0, description="Most pixels an image may have; checked before it is decoded."
    )

    whole_pixels: int = Field(
        WHOLE_PIXELS,
        gt=0,
        description="Pixels of the largest images that pages get as a whole; larger ones come in tiles.",
    )

    @field_validator("device")
    @classmethod
    def _is_device_name(cls, device: str) -> str:
        if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", device):
            raise ValueError("choose auto, cpu, cuda or cuda:n")
        return device

    @field_validator("dask_tls", mode="before")
    @classmethod
    def _split_files(cls, names: object) -> object:
        if not isinstance(names, str):
            return names
        found = tuple(map(str.strip, names.split(",")))
        if len(found) != 3:
            raise ValueError("name three files: AUTHORITY,CERTIFICATE,KEY")
        return found

    @field_validator("dask_tls")
    @classmethod
    def _are_files(cls, files: tuple[Path, Path, Path] | None) -> tuple[Path, Path, Path] | None:
        if not all(file.expanduser().is_file() for file in files or ()):
            raise ValueError("name three files: AUTHORITY,CERTIFICATE,KEY")
        return None if files is None else tuple(file.expanduser().absolute() for file in files)  # type: ignore[return-value]

    @model_validator(mode="after")
    def _reach_cluster(self) -> Self:
        """Refuse what could only fail later: a scheduler that is not protected, or whose workers see no store."""
        if self.dask_scheduler is None:
            return self
        here = LOOPBACK_SCHEDULER.fullmatch(self.dask_scheduler)
        if not re.match(r"(tcp|tls)://", self.dask_scheduler):
            raise ValueError(
                "FUSEVIS_DASK_SCHEDULER: the address begins with tls:// or tcp://, as tls://HOST:8786."
            )
        if self.dask_scheduler.startswith("tls") and self.dask_tls is None:
            raise ValueError(
                "FUSEVIS_DASK_SCHEDULER: tls:// needs FUSEVIS_DASK_TLS=AUTHORITY,CERTIFICATE,KEY."
            )
        if self.dask_scheduler.startswith("tcp") and not (here or self.dask_trust_network):
            raise ValueError(
                "FUSEVIS_DASK_SCHEDULER: on tcp:// everybody on the way could run programs on both sides. Use tls://, "
                "or say FUSEVIS_DASK_TRUST_NETWORK=1."
            )
        if self.store is None and not here:
            raise ValueError(
                "FUSEVIS_DASK_SCHEDULER: set FUSEVIS_STORE to a place that its workers reach as well."
            )
        return self

    @field_validator("redis_url")
    @classmethod
    def _is_redis_address(cls, url: str | None) -> str | None:
        if url is not None and not re.fullmatch(r"(redis|rediss|unix)://\S+", url):
            raise ValueError("a Redis address begins with redis://, rediss:// or unix://")
        return url

    @field_validator("modalities", mode="before")
    @classmethod
    def _split_modalities(cls, names: object) -> object:
        """Take a text apart at its comma, else at its spaces."""
        if not isinstance(names, str):
            return names
        found = tuple(name.strip() for name in (names.split(",") if "," in names else names.split()))
        if len(found) != 2:
            raise ValueError(_TWO_NAMES)
        return found

    @field_validator("modalities")
    @classmethod
    def _are_two(cls, names: tuple[str, str] | None) -> tuple[str, str] | None:
        if names is not None and (not all(names) or names[0].casefold() == names[1].casefold()):
            raise ValueError(_TWO_NAMES)
        return names

    @field_validator("cache_dir", "atlas_dir", "region_dir", "view_dir", "data_dir", "methods_dir")
    @classmethod
    def _make_absolute(cls, folder: Path | None) -> Path | None:
        return None if folder is None else folder.expanduser().absolute()

    @field_validator("data_dir", "methods_dir")
    @classmethod
    def _is_folder(cls, folder: Path | None) -> Path | None:
        if folder is not None and not folder.is_dir():
            raise ValueError("there is no such folder")
        return folder

"""Services on small images and a small network."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import flask
import numpy as np
import torch
from torch import Tensor, nn

from cache.jobs.guidance_work import LANES
from cache.jobs.manager import JobManager
from cache.jobs.threads import ThreadCounts
from cache.services.building import connect_cache
from cache.services.methods import MethodShelf
from cache.services.results import Results
from cache.services.services import GuidanceState, Scene, Services
from cache.store.store import ArrayStore
from fusion import Method
from fusion.data.catalogue import Catalogue
from fusion.errors import (
    UnknownMethodError,
)

WAIT_S = 120.0
SHAPE = (24, 31)

Maker = Callable[..., Services]


class Small(nn.Module):
    """Two 3×3 convolutions: support radius 2."""

    def __init__(self, seed: int = 5) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.first = nn.Conv2d(2, 3, 3, padding=1)
        self.last = nn.Conv2d(3, 1, 3, padding=1)

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return torch.tanh(self.last(torch.tanh(self.first(torch.cat((x1, x2), dim=1)))))


@dataclass(frozen=True)
class Settings:
    """The settings of a test."""

    cache_dir: Path
    data_dir: Path | None
    device: str = "cpu"
    interactive_threads: int = 1
    guidance_threads: int = 2
    cache_limit_mb: int = 4
    cache_timeout_s: int = 300
    redis_url: str | None = None
    pixel_limit: int = 10_000
    atlas_dir: Path = Path("no_atlases")
    region_dir: Path = Path("no_regions")
    view_dir: Path = Path("no_views")


def write_pairs(data: Path) -> Path:
    """Write the pairs 1 and 2 into a new folder, and return it."""
    data.mkdir()
    random = np.random.default_rng(1)
    for number in (1, 2):
        np.save(data / f"mri_{number}.npy", random.random(SHAPE))
        np.save(data / f"pet_{number}.npy", random.random(SHAPE))
    return data


@contextmanager
def making(folder: Path, memo: Path, small: Method) -> Iterator[Maker]:
    """Make services like a new process would, on the same folders, and close them in the end."""
    made: list[Services] = []

    def make_services(method: Method = small, memory_bytes: int = 2**20, **changes: Any) -> Services:
        settings = Settings(**({"cache_dir": memo, "data_dir": folder} | changes))

        def load(id: str, device: str) -> Method:
            if id != method.id:
                raise UnknownMethodError(f"There is no method {id!r}.")
            return method

        store = ArrayStore(
            connect_cache(flask.Flask("test"), settings), settings.cache_timeout_s, memory_bytes
        )
        services = Services(
            Catalogue((), settings.data_dir, settings.pixel_limit),
            MethodShelf("cpu", load, ((method.id, method.title),)),
            Results(store, ThreadCounts(settings.interactive_threads, settings.guidance_threads)),
            JobManager(LANES),
            "cpu",
        )
        made.append(services)
        return services

    yield make_services
    for services in made:
        services.close()
    for services in made:
        # What is at work yet would be counted as the next test's.
        services._results._background.shutdown(wait=True)


def follow(services: Services, scene: Scene, viewer: str = "ann") -> GuidanceState:
    """Follow a computation to its end, like a page does."""
    state = services.guidance_state(scene, viewer)
    deadline = time.monotonic() + WAIT_S
    while state.running:
        assert time.monotonic() < deadline
        time.sleep(0.005)
        later = services.guidance_state(scene, viewer, start=False)
        assert later.revision >= state.revision
        assert later.fraction >= state.fraction
        state = later
    return state


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)

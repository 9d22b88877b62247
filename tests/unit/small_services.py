"""Services on small images and a small network."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import flask
import numpy as np
import torch
from torch import Tensor, nn

from cache.services.guidance import GuidanceState
from cache.services.loaded import LoadedMethods
from cache.services.scenes import Scene
from cache.services.services import Services, assembled
from cache.settings import ServiceSettings
from cache.store.backends import connect_cache
from cache.store.store import ArrayStore
from fusion import Method
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


def write_pairs(data: Path) -> Path:
    """Write the pairs 1 and 2 into a new folder, and return it."""
    data.mkdir()
    random = np.random.default_rng(1)
    for number in (1, 2):
        np.save(data / f"mri_{number}.npy", random.random(SHAPE))
        np.save(data / f"pet_{number}.npy", random.random(SHAPE))
    return data


def settings_of(memo: Path, **changes: Any) -> ServiceSettings:
    """Return settings that write into no folder but a test's own."""
    folders = {
        "cache_dir": memo,
        **{f"{name}_dir": memo.parent / f"no_{name}s" for name in ("atlas", "region", "view")},
    }
    values = {
        "device": "cpu",
        "worker": "none",
        "guidance_threads": 2,
        "cache_limit_mb": 4,
        "cache_timeout_s": 300,
    }
    return ServiceSettings(**(folders | values | {"pixel_limit": 10_000} | changes))


@contextmanager
def making(folder: Path, memo: Path, small: Method) -> Iterator[Maker]:
    """Make services like a new process would, on the same folders, and close them in the end."""
    made: list[Services] = []

    def make_services(method: Method = small, memory_bytes: int = 2**20, **changes: Any) -> Services:
        settings = settings_of(memo, **({"data_dir": folder} | changes))

        def load(id: str, device: str) -> Method:
            if id != method.id:
                raise UnknownMethodError(f"There is no method {id!r}.")
            return method

        store = ArrayStore(
            connect_cache(flask.Flask("test"), settings), settings.cache_timeout_s, memory_bytes
        )
        services = assembled(settings, store, LoadedMethods("cpu", load, ((method.id, method.title),)))
        made.append(services)
        return services

    yield make_services
    for services in made:
        services.close()
    for services in made:
        # What is at work yet would be counted as the next test's.
        services.scenes._background.shutdown(wait=True)


def follow(services: Services, scene: Scene, viewer: str = "ann") -> GuidanceState:
    """Follow a computation to its end, like a page does."""
    state = services.guidance.state(scene, viewer)
    deadline = time.monotonic() + WAIT_S
    while state.running:
        assert time.monotonic() < deadline
        time.sleep(0.005)
        later = services.guidance.state(scene, viewer, start=False)
        assert later.revision >= state.revision
        assert later.fraction >= state.fraction
        state = later
    return state


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)

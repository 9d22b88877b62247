"""Real services on tiny images, for the tests of callbacks and of the whole page."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import flask
import numpy as np
import torch
from flask.testing import FlaskClient
from torch import Tensor, nn

from app.routes import answers, binary
from cache.services.guidance import GuidanceState
from cache.services.loaded import LoadedMethods
from cache.services.scenes import Scene
from cache.services.services import EXTENSION, Services, assembled
from cache.settings import ServiceSettings
from cache.store.backends import connect_cache
from cache.store.store import ArrayStore
from fusion import Method, load_method

SHAPE = (9, 11)
WAIT_S = 120.0
TITLES = (("funfusean", "FunFuseAn"), ("weighted_averaging", "Weighted Averaging"), ("small", "Small"))


class Small(nn.Module):
    """Two 3×3 convolutions: support radius 2, gradients of both signs."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(5)
        self.first = nn.Conv2d(2, 3, 3, padding=1)
        self.last = nn.Conv2d(3, 1, 3, padding=1)

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return torch.tanh(self.last(torch.tanh(self.first(torch.cat((x1, x2), dim=1)))))


def write_pair(folder: Path, shape: tuple[int, int] = SHAPE, seed: int = 3) -> tuple[Path, Path]:
    """Write a pair of noise images that min–max scaling leaves as they are; (0, 0) is black in both."""
    images = np.random.default_rng(seed).random((2, *shape)).astype(np.float32)
    images[:, 0, 0] = 0
    images[0, 0, -1] = images[1, -1, 0] = 1
    paths = folder / f"mri_{seed}.npy", folder / f"pet_{seed}.npy"
    for path, image in zip(paths, images, strict=True):
        np.save(path, image)
    return paths


@cache
def load(id: str, device: str) -> Method:
    """Load what needs no weight file, once for all tests of a process: nobody changes its weights, and so its chain."""
    if id == "small":
        return Method.from_module(Small(), "small", "Small")
    return load_method(id, device)


def make_services(folder: Path, pairs: list[tuple[Path, Path]]) -> Services:
    """Make services with these pairs beside the samples, and windows from the atlases in the folder ``atlas``."""
    settings = ServiceSettings(
        **{f"{name}_dir": folder / name for name in ("atlas", "region", "view")},
        cache_dir=folder / "memo",
        device="cpu",
        worker="none",
        guidance_threads=1,
        cache_limit_mb=4,
    )
    store = ArrayStore(connect_cache(flask.Flask("test"), settings), settings.cache_timeout_s)
    return assembled(settings, store, LoadedMethods("cpu", load, TITLES), pairs)


def server_of(services: Services) -> flask.Flask:
    """Return the server whose cache these services use: the only one that can answer requests with them."""
    server: flask.Flask = services.store._cache.app
    return server


def client_of(services: Services, **parts: Any) -> FlaskClient:
    """Return a client of a server that has these services, some parts of them replaced, and the binary routes."""
    server = server_of(services)
    server.extensions[EXTENSION] = replace(services, **parts)
    answers.register(server)
    server.register_blueprint(binary.routes)
    return server.test_client()


def finished_guidance(services: Services, scene: Scene, viewer: str = "test") -> GuidanceState:
    """Compute guidance images to their end."""
    state = services.guidance.state(scene, viewer)
    deadline = time.monotonic() + WAIT_S
    while not state.complete:
        assert state.running and state.error is None, state
        assert time.monotonic() < deadline, "the guidance images do not come"
        time.sleep(0.01)
        state = services.guidance.state(scene, viewer, start=False)
    return state

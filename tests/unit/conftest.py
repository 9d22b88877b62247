"""What unit tests share."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from app.settings import PREFIX
from cache.services.scenes import Scene
from cache.services.services import Services
from fusion import Method
from fusion.data.catalogue import Catalogue
from tests.unit.catalogue_files import make_data_dir, make_samples_dir, write
from tests.unit.small_services import Maker, Small, making, write_pairs


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep settings of the person who runs the tests out of them; none starts a worker, which takes seconds."""
    for variable in list(os.environ):
        if variable.upper().startswith(PREFIX):
            monkeypatch.delenv(variable)
    monkeypatch.setenv(f"{PREFIX}WORKER", "none")


@pytest.fixture
def rng() -> np.random.Generator:
    """Return a generator with a new seed at every run; pytest shows the seed where a test fails."""
    seed = secrets.randbits(32)
    print(f"seed {seed}")
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def small() -> Method:
    """A network that is quick, as a method."""
    return Method.from_module(Small(), "small", "Small network")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with pairs of the user."""
    return write_pairs(tmp_path / "pairs")


@pytest.fixture
def make(tmp_path: Path, folder: Path, small: Method) -> Iterator[Maker]:
    """What makes services over that folder and network; all are closed at the end."""
    with making(folder, tmp_path / "memo", small) as maker:
        yield maker


@pytest.fixture
def services(make: Maker) -> Services:
    """Services of a small network."""
    return make()


@pytest.fixture
def scene(services: Services) -> Scene:
    """The first pair, fused by the small network."""
    return services.scenes.open("1", "small")


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A folder of pairs, good and bad ones."""
    return make_data_dir(tmp_path)


@pytest.fixture
def samples_dir(tmp_path: Path) -> Path:
    """A folder of samples."""
    return make_samples_dir(tmp_path)


@pytest.fixture
def catalogue(data_dir: Path, samples_dir: Path, tmp_path: Path) -> Catalogue:
    """A catalogue with a pair of each source."""
    user = (write(tmp_path / "brain.png", 200), write(tmp_path / "Tracer Uptake.png", 201))
    return Catalogue([user], data_dir, samples_dir=samples_dir)

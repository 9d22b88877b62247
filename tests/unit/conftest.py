"""What unit tests share."""

from __future__ import annotations

import os
import secrets

import numpy as np
import pytest

from app.settings import PREFIX


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep settings of the person who runs the tests out of them."""
    for variable in list(os.environ):
        if variable.upper().startswith(PREFIX):
            monkeypatch.delenv(variable)


@pytest.fixture
def rng() -> np.random.Generator:
    """Return a generator with a new seed at every run; pytest shows the seed where a test fails."""
    seed = secrets.randbits(32)
    print(f"seed {seed}")
    return np.random.default_rng(seed)

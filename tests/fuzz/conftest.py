"""How many files are damaged."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

from tests.fuzz.damaged_files import KINDS

INPUTS = 100_000


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--inputs", type=int, default=INPUTS, help="how many damaged files are read, of all kinds"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Spread the inputs over the kinds of files; each run draws others."""
    settings.register_profile(
        "fuzz",
        max_examples=max(-(-config.getoption("--inputs") // len(KINDS)), 1),
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    settings.load_profile("fuzz")

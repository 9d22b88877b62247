"""An address names one result and no other."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import pytest

import cache.store.addresses
import fusion
from cache.store.addresses import Address, FusedAddress, GuidanceAddress, JacobianAddress, numerics_id

JACOBIAN = JacobianAddress("a" * 64, "masknet", "b" * 64, 3, 41, device="cpu")


@pytest.mark.parametrize(
    "change",
    [
        {"pair": "c" * 64},
        {"method": "deepfuse"},
        {"weights": "c" * 64},
        {"row": 4},
        {"col": 40},
        {"device": "cuda"},
        {"dtype": "float64"},
    ],
)
def test_every_field_changes_the_key(change: dict[str, str | int]) -> None:
    assert replace(JACOBIAN, **change).key() != JACOBIAN.key()  # type: ignore[arg-type]


def test_equal_addresses_have_equal_keys() -> None:
    again = JacobianAddress("a" * 64, "masknet", "b" * 64, 3, 41, device="cpu")
    assert again == JACOBIAN
    assert again.key() == JACOBIAN.key()


def test_key_starts_with_kind_and_schema_version() -> None:
    assert JACOBIAN.key().startswith(f"jacobian/v{cache.store.addresses.SCHEMA_VERSION}/{numerics_id()}/")


def test_kinds_do_not_meet() -> None:
    kinds = (FusedAddress, GuidanceAddress)
    keys = {kind("p", "m", "w", device="cpu").key() for kind in kinds} | {JACOBIAN.key()}
    assert len(keys) == 3


def test_fields_cannot_run_into_each_other() -> None:
    parts = ("", "a", "/", "a/", "/a", "=", "method=", "a/method=b", "b/method=a", "%2F", "ä")
    addresses: list[Address] = [
        FusedAddress(pair, method, weights, device="cpu")
        for pair, method, weights in itertools.product(parts, repeat=3)
    ]
    assert len({address.key() for address in addresses}) == len(parts) ** 3


def test_pixels_cannot_run_into_each_other() -> None:
    keys = {replace(JACOBIAN, row=row, col=col).key() for row in range(30) for col in range(30)}
    assert len(keys) == 900


def test_schema_version_changes_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    before = JACOBIAN.key()
    monkeypatch.setattr(cache.store.addresses, "SCHEMA_VERSION", cache.store.addresses.SCHEMA_VERSION + 1)
    assert JACOBIAN.key() != before


@pytest.fixture
def copied_core(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package folder in which the code can be changed."""
    (tmp_path / "saliency").mkdir()
    (tmp_path / "training").mkdir()
    for name in ("__init__.py", "saliency/window.py", "training/loss.py"):
        (tmp_path / name).write_text("x = 1\n")
    monkeypatch.setattr(fusion, "__file__", str(tmp_path / "__init__.py"))
    return tmp_path


def current_numerics_id() -> str:
    numerics_id.cache_clear()
    try:
        return numerics_id()
    finally:
        numerics_id.cache_clear()


@pytest.mark.parametrize(
    ("file", "counts"),
    [
        ("saliency/window.py", True),
        ("saliency/new.py", True),
        ("training/loss.py", False),
        ("note.txt", False),
    ],
)
def test_numerical_code_is_part_of_the_key(copied_core: Path, file: str, counts: bool) -> None:
    before = current_numerics_id()
    assert current_numerics_id() == before
    (copied_core / file).write_text("x = 2\n")
    assert (current_numerics_id() != before) is counts


def test_torch_version_is_part_of_the_key(copied_core: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = current_numerics_id()
    monkeypatch.setattr(cache.store.addresses.metadata, "version", lambda name: f"another {name}")
    assert current_numerics_id() != before

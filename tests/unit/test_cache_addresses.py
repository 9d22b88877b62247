"""An address names one result and no other."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

import cache.store.addresses
import fusion
import fusion.work.addresses
from cache.store.addresses import (
    Address,
    FusedAddress,
    GuidanceAddress,
    InfluenceAddress,
    JacobianAddress,
    SceneAddress,
)
from fusion import Method
from fusion.work.addresses import numerics_id
from tests.unit.small_services import Small

JACOBIAN = JacobianAddress("a" * 64, "masknet", "b" * 64, 3, 41, device="cpu")


def kinds(base: type[Address] = Address) -> Iterator[type[Address]]:
    """Yield every class of addresses that names results, or work under way."""
    for kind in base.__subclasses__():
        if hasattr(kind, "kind"):
            yield kind
        yield from kinds(kind)


def made(kind: type[Address]) -> Address:
    """Return an address of a kind, with another value in each field."""
    values = {part.name: position if part.type == "int" else f"{part.name} {position}"
              for position, part in enumerate(fields(kind))}  # fmt: skip
    return kind(**values)  # type: ignore[arg-type]  # some fields are numbers


EVERY_FIELD = [(kind, part.name) for kind in kinds() for part in fields(kind)]


def test_all_kinds_are_looked_at() -> None:
    found = {kind.kind for kind in kinds()}
    statistics = {"guidance-statistics", "influence", "core-response"}
    assert (
        found
        == {
            "scene",
            "fused",
            "guidance",
            "jacobian",
            "reach",
            "change",
            "map",
            "shift",
            "pole",
            "atlas",
            "explanation",
        }
        | statistics
    )
    assert all(
        {"pair", "method", "weights", "device", "dtype"} <= {p.name for p in fields(k)} for k in kinds()
    )


@pytest.mark.parametrize(("kind", "field"), EVERY_FIELD, ids=lambda one: getattr(one, "kind", one))
def test_every_field_changes_the_key(kind: type[Address], field: str) -> None:
    address = made(kind)
    value = getattr(address, field)
    change: dict[str, Any] = {field: value + 1 if isinstance(value, int) else f"{value}x"}
    changed = replace(address, **change)
    assert changed.key() != address.key(), "the key of stored results"
    assert changed != address and len({changed, address}) == 2, "memory, batches, jobs and equal computations"


def test_addresses_are_made_of_what_the_method_is() -> None:
    method = Method.from_module(Small(), "small", "Small network")
    for kind, more in ((FusedAddress, ()), (JacobianAddress, (3, 41)), (InfluenceAddress, ("region", 7))):
        address = kind.of(method, "p" * 64, *more)
        assert address == kind("p" * 64, "small", method.weights_id, *more, device="cpu")


def test_equal_addresses_have_equal_keys() -> None:
    again = JacobianAddress("a" * 64, "masknet", "b" * 64, 3, 41, device="cpu")
    assert again == JACOBIAN
    assert again.key() == JACOBIAN.key()


def test_key_starts_with_kind_and_schema_version() -> None:
    assert JACOBIAN.key().startswith(f"jacobian/v{cache.store.addresses.SCHEMA_VERSION}/{numerics_id()}/")


def test_kinds_do_not_meet() -> None:
    keys = [made(kind).key() for kind in kinds()]
    same = [kind("p", "m", "w", device="cpu") for kind in (SceneAddress, FusedAddress, GuidanceAddress)]
    assert len({*keys, *(address.key() for address in same)}) == len(keys) + len(same)
    assert len(set(same)) == len(same), "nor in memory"


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
    monkeypatch.setattr(fusion.work.addresses.metadata, "version", lambda name: f"another {name}")
    assert current_numerics_id() != before

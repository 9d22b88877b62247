"""What a memoized result is called: a small address of content ids, never the arrays themselves."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import ClassVar
from urllib.parse import quote

from cache.store.numerics import numerics_id, statistics_id

SCHEMA_VERSION = 1
"""Raise it when the arrays kept under an address get other names, shapes or meanings."""


@dataclass(frozen=True)
class Address:
    """What every result depends on.

    Attributes
    ----------
    pair : str
        Content id of the pair (`fusion.Pair.id`), 64 hexadecimal digits.
    method : str
        Id of the method.
    weights : str
        sha256 of the method's weights (`fusion.Method.weights_id`).
    device : str
        The kind of device that computes, ``cpu`` or ``cuda``: they differ in the last digits.
    dtype : str
        Precision of the computation.
    """

    kind: ClassVar[str]

    pair: str
    method: str
    weights: str
    device: str = field(kw_only=True)
    dtype: str = field(default="float32", kw_only=True)

    def key(self) -> str:
        """Return a text that no other address has.

        It starts with the kind and the schema version; every field follows with its name, escaped, so that no
        two addresses can be mistaken for each other whatever characters an id has.
        """
        parts = [self.kind, f"v{SCHEMA_VERSION}", numerics_id()]
        parts += [f"{part.name}={quote(str(getattr(self, part.name)), safe='')}" for part in fields(self)]
        return "/".join(parts)


@dataclass(frozen=True)
class FusedAddress(Address):
    """A fused image."""

    kind: ClassVar[str] = "fused"


@dataclass(frozen=True)
class GuidanceAddress(Address):
    """Both guidance images."""

    kind: ClassVar[str] = "guidance"


@dataclass(frozen=True)
class JacobianAddress(Address):
    """The Jacobian window of the principal pixel (row, col), 0-based."""

    kind: ClassVar[str] = "jacobian"

    row: int
    col: int


@dataclass(frozen=True)
class StatisticsAddress(Address):
    """Numbers of one region.

    Attributes
    ----------
    region : str
        Content id of the region's mask, whatever its name.
    rules : str
        `cache.store.numerics.statistics_id`.
    """

    region: str
    rules: str = field(default_factory=statistics_id, kw_only=True)


@dataclass(frozen=True)
class GuidanceStatisticsAddress(StatisticsAddress):
    """Numbers of both guidance images in a region."""

    kind: ClassVar[str] = "guidance-statistics"


@dataclass(frozen=True)
class InfluenceAddress(StatisticsAddress):
    """Numbers of the Jacobian images of a region."""

    kind: ClassVar[str] = "influence"

    limit: int

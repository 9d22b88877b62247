"""Addresses of memoized results: small values of content ids, never the arrays themselves.

Besides pair, method and weights, the numbers depend on the program. One id stands for all of it that decides which
numbers come out, and another one for the statistics.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Self
from urllib.parse import quote

from fusion import Method
from fusion.work.addresses import numerics_id, statistics_id

SCHEMA_VERSION = 1
"""Raise it when the arrays kept under an address get other names, shapes or meanings."""


@dataclass(frozen=True)
class Address:
    """Everything that a result depends on: the only key of stores, memory, batches, jobs and equal computations.

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

    @classmethod
    def of(cls, method: Method, pair_id: str, *more: Any) -> Self:
        """Return the address of what a method gives on a pair.

        Parameters
        ----------
        method : Method
            Its id, weights and kind of device go into the address.
        pair_id : str
            Content id of the pair.
        more
            What this kind of address has besides, in order.
        """
        return cls(pair_id, method.id, method.weights_id, *more, device=method.device.type)

    def key(self) -> str:
        """Return a text that no other address has.

        It starts with the kind and the schema version; every field follows with its name, escaped, so that no
        two addresses can be mistaken for each other whatever characters an id has.
        """
        parts = [self.kind, f"v{SCHEMA_VERSION}", numerics_id()]
        parts += [f"{part.name}={quote(str(getattr(self, part.name)), safe='')}" for part in fields(self)]
        return "/".join(parts)


@dataclass(frozen=True)
class SceneAddress(Address):
    """A method on a pair: the name of what is under way for both, of which nothing is stored."""

    kind: ClassVar[str] = "scene"


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
class ReachAddress(JacobianAddress):
    """The reach of linearity of the principal pixel (row, col), 0-based."""

    kind: ClassVar[str] = "reach"


@dataclass(frozen=True)
class MapAddress(Address):
    """A map of one kind (`fusion.saliency.maps.MapKind`)."""

    kind: ClassVar[str] = "map"

    of_kind: str


@dataclass(frozen=True)
class ShiftAddress(Address):
    """The change of the fused image for a pixel of shift of x2, downwards and to the right."""

    kind: ClassVar[str] = "shift"


@dataclass(frozen=True)
class PoleAddress(Address):
    """The number of features of each pixel that are near the pole of the method's fusion rule."""

    kind: ClassVar[str] = "pole"


@dataclass(frozen=True)
class ChangeAddress(Address):
    """A prediction of what a change of the inputs does.

    Attributes
    ----------
    prediction : str
        ``linear`` or ``path``.
    change : str
        sha256 of the change's code.
    """

    kind: ClassVar[str] = "change"

    prediction: str
    change: str


@dataclass(frozen=True)
class ExplanationAddress(Address):
    """The Jacobian images of a number of a region; `question` is the sha256 of which, with the regions' codes."""

    kind: ClassVar[str] = "explanation"

    question: str


@dataclass(frozen=True)
class AtlasAddress(Address):
    """All Jacobian windows: the name of the job that computes them; they lie in a folder of their own."""

    kind: ClassVar[str] = "atlas"


@dataclass(frozen=True)
class StatisticsAddress(Address):
    """Numbers of one region.

    Attributes
    ----------
    region : str
        Content id of the region's mask, whatever its name.
    rules : str
        `fusion.work.addresses.statistics_id`.
    """

    region: str
    rules: str = field(default_factory=statistics_id, kw_only=True)


@dataclass(frozen=True)
class GuidanceStatisticsAddress(StatisticsAddress):
    """Numbers of both guidance images in a region."""

    kind: ClassVar[str] = "guidance-statistics"


@dataclass(frozen=True)
class CoreResponseAddress(StatisticsAddress):
    """The answer to a core that is dim instead of dead; `region` is the core."""

    kind: ClassVar[str] = "core-response"

    rim: str


@dataclass(frozen=True)
class InfluenceAddress(StatisticsAddress):
    """Numbers of the Jacobian images of a region."""

    kind: ClassVar[str] = "influence"

    limit: int

"""Addresses of long work: what a unit's numbers depend on, and nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import metadata
from pathlib import Path

import fusion
from fusion.methods.base import Method

IRRELEVANT = frozenset(
    {"benchmark", "cli", "training", "data", "weights", "report", "statistics", "work", "__main__.py"}
)
"""Parts of `fusion` that make no array that is memoized: what they decide is in pair and weights ids. Statistics
have an id of their own."""


@cache
def numerics_id() -> str:
    """Return 16 hexadecimal digits that change with the source text of `fusion` and the version of torch.

    A number to be raised by hand would be forgotten one day; the text of the code cannot be. An edit that
    changes nothing numerical costs one recomputation.
    """
    folder = Path(fusion.__file__).parent
    paths = [path.relative_to(folder) for path in sorted(folder.rglob("*.py"))]
    relevant = [path for path in paths if path.parts[0] not in IRRELEVANT]
    return digest_of_files(f"torch {metadata.version('torch')}\n", folder, relevant)


@cache
def statistics_id() -> str:
    """Return 16 hexadecimal digits that change with the source text of `fusion.statistics`."""
    folder = Path(fusion.__file__).parent
    paths = [path.relative_to(folder) for path in sorted((folder / "statistics").rglob("*.py"))]
    return digest_of_files("", folder, paths)


def digest_of_files(start: str, folder: Path, paths: Iterable[Path]) -> str:
    """Return 16 hexadecimal digits of a text and the files of a folder, with their names."""
    digest = hashlib.sha256(start.encode())
    for path in paths:
        digest.update(f"{path.as_posix()}\n".encode())
        digest.update((folder / path).read_bytes())
    return digest.hexdigest()[:16]


class Kind(StrEnum):
    """The kinds of long work that are cut into units."""

    GUIDANCE = "guidance"
    ATLAS = "atlas"
    RESPONSE = "response"
    REACH = "reach"
    INFLUENCE = "influence"
    REGION = "region"


@dataclass(frozen=True)
class Work:
    """A long computation: what its result depends on.

    Attributes
    ----------
    kind : Kind
        What is computed.
    pair : str
        Content id of the pair (`fusion.Pair.id`), 64 hexadecimal digits.
    method : str
        Id of the method.
    weights : str
        sha256 of the method's weights (`fusion.Method.weights_id`).
    device : str
        The kind of device that computes, ``cpu`` or ``cuda``: they differ in the last digits.
    numerics : str
        `numerics_id` of the program that computes.
    """

    kind: Kind
    pair: str
    method: str
    weights: str
    device: str
    numerics: str

    @classmethod
    def of(cls, kind: Kind, method: Method, pair_id: str) -> Work:
        """Return the address of what a method gives on a pair with this program."""
        return cls(kind, pair_id, method.id, method.weights_id, method.device.type, numerics_id())

    @property
    def path(self) -> str:
        """Place of its results in a store, below the folder of their kind."""
        return f"{self.pair[:32]}/{self.method}-{self.weights[:32]}/{self.device}-{self.numerics}"

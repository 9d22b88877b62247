"""One id for everything in the program that decides which numbers come out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import cache
from importlib import metadata
from pathlib import Path

import fusion

IRRELEVANT = frozenset({"training", "data", "weights", "report", "statistics", "__main__.py"})
"""Parts of `fusion` that make no array that is memoized: what they decide is in pair and weights ids. Statistics
have an id of their own. The command line's files (cli….py) are none either."""


@cache
def numerics_id() -> str:
    """Return 16 hexadecimal digits that change with the source text of `fusion` and the version of torch.

    A number to be raised by hand would be forgotten one day; the text of the code cannot be. An edit that
    changes nothing numerical costs one recomputation.
    """
    folder = Path(fusion.__file__).parent
    paths = [path.relative_to(folder) for path in sorted(folder.rglob("*.py"))]
    relevant = [
        path for path in paths if path.parts[0] not in IRRELEVANT and not path.parts[0].startswith("cli")
    ]
    return _digest(f"torch {metadata.version('torch')}\n", folder, relevant)


@cache
def statistics_id() -> str:
    """Return 16 hexadecimal digits that change with the source text of `fusion.statistics`."""
    folder = Path(fusion.__file__).parent
    paths = [path.relative_to(folder) for path in sorted((folder / "statistics").rglob("*.py"))]
    return _digest("", folder, paths)


def _digest(start: str, folder: Path, paths: Iterable[Path]) -> str:
    digest = hashlib.sha256(start.encode())
    for path in paths:
        digest.update(f"{path.as_posix()}\n".encode())
        digest.update((folder / path).read_bytes())
    return digest.hexdigest()[:16]

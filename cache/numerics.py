"""One id for everything in the program that decides which numbers come out."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import metadata
from pathlib import Path

import fusion

IRRELEVANT = frozenset({"training", "data", "weights", "report", "statistics", "__main__.py"})
"""Parts of `fusion` that make no result that is memoized: what they decide is in pair and weights ids.
The command line's files (cli….py) are none either."""


@cache
def numerics_id() -> str:
    """Return 16 hexadecimal digits that change with the source text of `fusion` and the version of torch.

    A number to be raised by hand would be forgotten one day; the text of the code cannot be. An edit that
    changes nothing numerical costs one recomputation.
    """
    folder = Path(fusion.__file__).parent
    digest = hashlib.sha256(f"torch {metadata.version('torch')}\n".encode())
    for path in sorted(folder.rglob("*.py")):
        relative = path.relative_to(folder)
        if relative.parts[0] not in IRRELEVANT and not relative.parts[0].startswith("cli"):
            digest.update(f"{relative.as_posix()}\n".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]

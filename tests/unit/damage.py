"""What can happen to a file, for tests of whoever reads it."""

from __future__ import annotations

import builtins
import io
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Damage = Callable[[Path, pytest.MonkeyPatch], None]


def flipped(path: Path, patch: pytest.MonkeyPatch) -> None:
    """Change a bit in the middle."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def cut(path: Path, patch: pytest.MonkeyPatch) -> None:
    """Leave the first half."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def emptied(path: Path, patch: pytest.MonkeyPatch) -> None:
    """Leave nothing in it."""
    path.write_bytes(b"")


def replaced_by_folder(path: Path, patch: pytest.MonkeyPatch) -> None:
    """Put a folder with a file in its place."""
    path.unlink()
    path.mkdir()
    (path / "x").write_text("x")


def denied(path: Path, patch: pytest.MonkeyPatch) -> None:
    """Refuse to open it, as it would be for another user: to root, for whom tests may run, nothing is refused."""

    def refusing(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(asked: Any, *args: Any, **options: Any) -> Any:
            if isinstance(asked, (str, os.PathLike)) and os.fspath(asked) == str(path):
                raise PermissionError(13, "Permission denied", str(path))
            return real(asked, *args, **options)

        return call

    patch.setattr(builtins, "open", refusing(builtins.open))
    patch.setattr(io, "open", refusing(io.open))
    patch.setattr(os, "open", refusing(os.open))


def hidden(path: Path, patch: pytest.MonkeyPatch) -> None:
    """Refuse to open it and to look at it, as where its folder belongs to another user."""
    denied(path, patch)
    real = os.stat

    def stat(asked: Any, *args: Any, **options: Any) -> Any:
        if isinstance(asked, (str, os.PathLike)) and os.fspath(asked) == str(path):
            raise PermissionError(13, "Permission denied", str(path))
        return real(asked, *args, **options)

    patch.setattr(os, "stat", stat)


DAMAGES: tuple[Damage, ...] = (flipped, cut, emptied, replaced_by_folder, denied, hidden)
CHANGED_ON_DISK: tuple[Damage, ...] = (flipped, cut, emptied, replaced_by_folder)


def put_right(path: Path, content: bytes) -> None:
    """Have the file as it was."""
    if path.is_dir():
        shutil.rmtree(path)
    path.write_bytes(content)

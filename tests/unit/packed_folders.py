"""Folders with methods, made in tests: a small network exported as users do, and archives changed by hand."""

from __future__ import annotations

import functools
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

Entries = dict[str, bytes]
Change = Callable[[Any], None]
PROGRAM = "models/model.json"
WEIGHTS = "data/weights/model_weights_config.json"
CANARY = "canary"


class Tiny(nn.Module):
    """A network that sees one pixel away, by reflection at the border."""

    def __init__(self, seed: int = 3) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.first = nn.Conv2d(2, 3, 3, padding=1, padding_mode="reflect")
        self.norm = nn.BatchNorm2d(3)
        self.last = nn.Conv2d(3, 1, 1)

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return torch.sigmoid(self.last(torch.relu(self.norm(self.first(torch.cat((x1, x2), dim=1))))))


def exported(
    network: nn.Module, channels: int = 1, step: int = 1, sides: tuple[int, int] = (24, 40)
) -> bytes:
    """Return an archive of a network of two images whose sides are multiples of a step."""
    batch, height, width = torch.export.Dim("b"), torch.export.Dim("h", min=2), torch.export.Dim("w", min=2)
    dynamic = {0: batch, 2: step * height, 3: step * width}
    images = torch.rand(2, channels, *sides), torch.rand(2, channels, *sides)
    file = io.BytesIO()
    torch.export.save(torch.export.export(network.eval(), images, dynamic_shapes=(dynamic, dynamic)), file)
    return file.getvalue()


@functools.cache
def tiny_archive() -> bytes:
    """Return the archive of `Tiny`, made once."""
    return exported(Tiny())


def entries_of(archive: bytes) -> Entries:
    """Return what an archive holds, by the names below its folder."""
    with zipfile.ZipFile(io.BytesIO(archive)) as read:
        return {name.split("/", 1)[1]: read.read(name) for name in read.namelist()}


def archive_of(entries: Entries, compression: int = zipfile.ZIP_STORED) -> bytes:
    """Return an archive of such entries."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as written:
        for name, content in entries.items():
            written.writestr(f"own/{name}", content)
    return file.getvalue()


def changed(place: str, change: Change) -> bytes:
    """Return the archive of `Tiny` with one of its JSON files changed."""
    entries = entries_of(tiny_archive())
    read = json.loads(entries[place])
    change(read)
    return archive_of(entries | {place: json.dumps(read).encode()})


def with_program(change: Change) -> bytes:
    """Return the archive of `Tiny` with its program changed."""
    return changed(PROGRAM, change)


def with_entries(**more: bytes) -> bytes:
    """Return the archive of `Tiny` with other entries, ``__`` in names standing for a slash."""
    return archive_of(
        entries_of(tiny_archive()) | {name.replace("__", "/"): content for name, content in more.items()}
    )


def write_method(folder: Path, model: bytes | None = None, description: str = 'title = "Mine"\n') -> Path:
    """Write a folder with a method."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{folder.name}.toml").write_text(description, encoding="utf-8")
    (folder / f"{folder.name}.pt2").write_bytes(tiny_archive() if model is None else model)
    return folder

"""Where in the kept maps the windows of principal pixels lie: of one pixel, of any, of a lattice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

Maps = Sequence[Tensor]
"""Kept maps (rows, columns, channels), each with a margin as wide as its windows reach."""

INDEXED_NUMBERS = 2**13
"""Numbers in a window up to which a processor is quicker to gather many by their indices than one by one."""


class Places(Protocol):
    """Some principal pixels in an order of their own."""

    @property
    def count(self) -> int:
        """How many pixels."""

    def multiplied(self, values: Tensor, kept: int, in_place: bool) -> Tensor:
        """Multiply windows (B, h, w, channels) by those of a kept map, whose margin fits their size."""


def _product(values: Tensor, factors: Tensor, in_place: bool) -> Tensor:
    return values.mul_(factors) if in_place else values * factors


@dataclass(frozen=True, slots=True)
class OnePlace:
    """One pixel; row and column count from where the maps' margins end."""

    maps: Maps
    row: int
    column: int

    @property
    def count(self) -> int:
        """One."""
        return 1

    def multiplied(self, values: Tensor, kept: int, in_place: bool) -> Tensor:
        """See `Places.multiplied`."""
        rows, columns = values.shape[1:3]
        window = self.maps[kept][self.row : self.row + rows, self.column : self.column + columns]
        return _product(values, window, in_place)


@dataclass(frozen=True, slots=True)
class ManyPlaces:
    """Any pixels of one sheet; rows and columns, (B,) int64 on the maps' device, count as those of `OnePlace`."""

    maps: Maps
    rows: Tensor
    columns: Tensor

    @classmethod
    def of(cls, places: Sequence[OnePlace]) -> ManyPlaces:
        """Put pixels of one sheet together.

        Raises
        ------
        ValueError
            If they are none, or of several sheets.
        """
        if len({id(place.maps) for place in places}) != 1:
            raise ValueError("pixels that are computed together must be in one sheet")
        maps = places[0].maps
        device = maps[0].device if maps else torch.device("cpu")
        rows, columns = torch.tensor([(place.row, place.column) for place in places], device=device).unbind(1)
        return cls(maps, rows, columns)

    @property
    def count(self) -> int:
        """How many pixels."""
        return len(self.rows)

    def multiplied(self, values: Tensor, kept: int, in_place: bool) -> Tensor:
        """See `Places.multiplied`."""
        kept_map = self.maps[kept]
        rows, columns = values.shape[1:3]
        if kept_map.device.type == "cpu" and rows * columns * kept_map.shape[2] > INDEXED_NUMBERS:
            corners = zip(self.rows.tolist(), self.columns.tolist(), strict=True)
            windows = torch.stack([kept_map[r : r + rows, c : c + columns] for r, c in corners])
        else:
            # One operation however many pixels, and none whose result the processor would have to wait for.
            height, width, _ = kept_map.stride()
            windows = kept_map.as_strided(
                (
                    kept_map.shape[0] - rows + 1,
                    kept_map.shape[1] - columns + 1,
                    rows,
                    columns,
                    kept_map.shape[2],
                ),
                (height, width, height, width, 1),
            )[self.rows, self.columns]
        return _product(values, windows, in_place)


@dataclass(frozen=True, slots=True)
class LatticePlaces:
    """Pixels (row + i · down, column + j · right) for i < shape[0] and j < shape[1], rows first."""

    maps: Maps
    row: int
    column: int
    down: int
    right: int
    shape: tuple[int, int]

    @property
    def count(self) -> int:
        """How many pixels."""
        return self.shape[0] * self.shape[1]

    def multiplied(self, values: Tensor, kept: int, in_place: bool) -> Tensor:
        """See `Places.multiplied`. The windows overlap in the map and are read where they are."""
        kept_map = self.maps[kept]
        height, width, _ = kept_map.stride()
        rows, columns = values.shape[1:3]
        windows = kept_map.as_strided(
            (*self.shape, rows, columns, kept_map.shape[2]),
            (self.down * height, self.right * width, height, width, 1),
            kept_map.storage_offset() + self.row * height + self.column * width,
        )
        product = _product(values.unflatten(0, self.shape), windows, in_place)
        return product.flatten(0, 1)

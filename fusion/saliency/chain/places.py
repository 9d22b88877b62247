"""Where in the kept maps the windows of principal pixels lie: of one pixel, of any, of a lattice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

Maps = Sequence[Tensor]
"""Kept maps (rows, columns, channels), each with a margin as wide as its windows reach."""


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
    """Any pixels, perhaps in different sheets of maps."""

    places: Sequence[OnePlace]

    @property
    def count(self) -> int:
        """How many pixels."""
        return len(self.places)

    def multiplied(self, values: Tensor, kept: int, in_place: bool) -> Tensor:
        """See `Places.multiplied`."""
        rows, columns = values.shape[1:3]
        windows = [
            place.maps[kept][place.row : place.row + rows, place.column : place.column + columns]
            for place in self.places
        ]
        return _product(values, torch.stack(windows), in_place)


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

"""Maps as pictures for print: their scales, their colours and what is said of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from app.ids import CompareColumn
from cache.services.exports import ExportArrays
from fusion.colours import Limits, Scale, gradient_colours
from fusion.saliency.maps import MapKind
from fusion.saliency.reach import STEPS, reach_places

SCALES = {MapKind.RESPONSE: Scale.SIGNED, MapKind.REACH: Scale.PAPER, MapKind.INFLUENCE: Scale.PAPER}
"""The scale of each map, whatever that of the gradients is: a response has a sign, the others have none."""
WORDS = {
    MapKind.RESPONSE: "Response: to an input that becomes brighter everywhere; blue: contrast is reversed.",
    MapKind.REACH: "Reach: by how many of 255 gray levels an input may change while derivatives hold, 0 to 64.",
    MapKind.INFLUENCE: "All influence: sum of |J| over an input.",
}


def which_of(column: CompareColumn) -> int:
    """Return 0 for a column of x1, 1 for one of x2."""
    return 0 if "mri" in column.value else 1


def map_end(view: ExportArrays, kind: MapKind, rows: Sequence[int]) -> float:
    """Return where the scale of a map ends that these rows share."""
    if kind is MapKind.REACH:
        return float(len(STEPS))
    both = np.stack([view.methods[row].maps[kind][:2] for row in rows])
    return Limits.of(both).end(SCALES[kind])


def map_colours(values: NDArray[np.floating], kind: MapKind, end: float, gamma: float) -> NDArray[np.uint8]:
    """Colour an image of a map.

    Parameters
    ----------
    values : ndarray, shape (H, W)
        The image; of a reach in gray levels.
    kind : MapKind
        Which map.
    end : float
        Of its scale, see `map_end`.
    gamma : float
        Of guidance images, which responses and influence share.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)
        Red, green, blue.
    """
    if kind is MapKind.REACH:
        return gradient_colours(reach_places(values), Scale.PAPER, end, 1.0)
    return gradient_colours(values, SCALES[kind], end, gamma)


def map_picture(
    view: ExportArrays, shared: bool, gamma: float, row: int, column: CompareColumn
) -> NDArray[np.uint8]:
    """Return the picture (H, W, 3) of a map column in a method's row; `shared`: all rows have one scale."""
    kind = column.map_kind
    assert kind is not None
    end = map_end(view, kind, range(len(view.methods)) if shared else [row])
    return map_colours(view.methods[row].maps[kind][which_of(column)], kind, end, gamma)


def map_difference(
    view: ExportArrays, titles: tuple[str, str], gamma: float, column: CompareColumn
) -> NDArray[np.uint8]:
    """Return the picture (H, W, 3) of a map column in the row of a difference of two methods, on a scale of its own."""
    kind = column.map_kind
    assert kind is not None
    first, second = (
        one.maps[kind] for title in titles for one in view.methods if one.scene.method_title == title
    )
    values = (first - second)[:2]
    return gradient_colours(
        values[which_of(column)], Scale.SIGNED, Limits.of(values).end(Scale.SIGNED), gamma
    )


def map_kinds(columns: Collection[object]) -> list[MapKind]:
    """Return the kinds of maps that columns show, each once."""
    kinds = (column.map_kind for column in columns if isinstance(column, CompareColumn))
    return list(dict.fromkeys(kind for kind in kinds if kind is not None))

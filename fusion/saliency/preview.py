"""A picture of guidance images that are still growing: what is not known yet borrows from what is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def filled(values: NDArray[np.floating]) -> NDArray[np.floating]:
    """Fill unknown pixels with a known one of the smallest square block around them that has any.

    For display only: a growing picture looks like a mosaic that gets finer.

    Parameters
    ----------
    values : ndarray
        (2, H, W), NaN where not known.

    Returns
    -------
    ndarray
        The same shape and dtype. Known values are unchanged; NaN only where nothing at all is known.
    """
    result = values.copy()
    height, width = values.shape[-2:]
    size = 2
    while np.isnan(result).any() and size < 2 * max(height, width, 2):
        representatives = _first_known(values, size)
        spread = representatives.repeat(size, axis=1).repeat(size, axis=2)[:, :height, :width]
        result = np.where(np.isnan(result), spread, result)
        size *= 2
    return result


def _first_known(values: NDArray[np.floating], size: int) -> NDArray[np.floating]:
    """Return one known value of each size×size block, (2, ⌈H/size⌉, ⌈W/size⌉), NaN where it has none."""
    count, height, width = values.shape
    padded = np.pad(values, ((0, 0), (0, -height % size), (0, -width % size)), constant_values=np.nan)
    rows, columns = padded.shape[1] // size, padded.shape[2] // size
    blocks = padded.reshape(count, rows, size, columns, size).swapaxes(2, 3).reshape(count, rows, columns, -1)
    first = (~np.isnan(blocks)).argmax(axis=-1)
    return np.take_along_axis(blocks, first[..., None], axis=-1)[..., 0]

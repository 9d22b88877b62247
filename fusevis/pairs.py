"""Pairs of a program as files, which are what the page knows: images that are arrays are written into a folder."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fusion.errors import PairError
from fusion.pair import Pair

Files = tuple[Path, Path]
PairLike = Pair | Sequence[Any]
"""A pair, or its two images: paths of files, or arrays (H, W), also as one array (2, H, W)."""


def pairs_as_files(pairs: PairLike | Iterable[PairLike], folder: Path) -> list[Files]:
    """Return the files of pairs.

    Parameters
    ----------
    pairs : Pair, sequence of two, or iterable of these
        One pair or several. Arrays (H, W) of numbers are written into `folder`; a pair as it is, scaled to [0, 1].
    folder : Path
        Is there.

    Raises
    ------
    PairError
        If something of it is no pair.
    """
    listed: Any = [pairs] if _is_pair(pairs) else pairs
    return [_files(pair, folder, number) for number, pair in enumerate(listed, 1)]


def _is_pair(given: Any) -> bool:
    if isinstance(given, Pair):
        return True
    several = (isinstance(given, Sequence) and not isinstance(given, str)) or isinstance(given, np.ndarray)
    return several and len(given) == 2 and all(map(_is_image, given))


def _is_image(given: Any) -> bool:
    return isinstance(given, (str, Path)) or (hasattr(given, "ndim") and given.ndim == 2)


def _files(pair: Any, folder: Path, number: int) -> Files:
    if not _is_pair(pair):
        raise PairError(
            "A pair is a fusion.Pair, or two images: two paths, or two arrays (H, W). Give one, or a list of them."
        )
    images = pair.images if isinstance(pair, Pair) else pair
    first, second = (_file(image, folder / f"x{place}_{number}.npy") for place, image in enumerate(images, 1))
    return first, second


def _file(image: Any, path: Path) -> Path:
    if isinstance(image, (str, Path)):
        return Path(image).expanduser()
    detach = getattr(image, "detach", None)  # a tensor of torch
    np.save(path, np.asarray(detach().cpu() if detach else image))
    return path

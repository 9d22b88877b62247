"""Fused images of every network on every sample that ships, with the inputs beside."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fusion.colours import grays
from fusion.data.catalogue import Catalogue
from fusion.data.entries import PairEntry
from fusion.device import resolve_device
from fusion.errors import FuseVisError
from fusion.fusing import fuse
from fusion.methods.registry import load_method, method_specification
from fusion.pair import Pair
from fusion.report.report import fused_ids
from fusion.weights import FOLDER


@dataclass(frozen=True)
class FusedRow:
    """One method's fused images.

    Attributes
    ----------
    method_id, title : str
        The method.
    images : tuple of ndarray
        (H, W) each, one a sample; empty where the method cannot be run.
    problem : str
        Why it cannot, for people; empty where it can.
    """

    method_id: str
    title: str
    images: tuple[NDArray[np.floating], ...]
    problem: str = ""


@dataclass(frozen=True)
class Gallery:
    """Samples, and what each method makes of them.

    Attributes
    ----------
    entries : tuple of PairEntry
        The samples.
    pairs : tuple of Pair
        Their images.
    rows : tuple of FusedRow
        One a method.
    """

    entries: tuple[PairEntry, ...]
    pairs: tuple[Pair, ...]
    rows: tuple[FusedRow, ...]


def fused_gallery(
    folder: Path = FOLDER,
    device: str = "auto",
    progress: Callable[[int, int], None] = lambda done, total: None,
    catalogue: Catalogue | None = None,
) -> Gallery:
    """Fuse every sample with every method of `fused_ids`.

    Parameters
    ----------
    folder : Path
        Where weights are.
    device : str
        ``auto``, ``cpu``, ``cuda`` or ``cuda:n``.
    progress : callable
        Called with the images finished and their total.
    catalogue : Catalogue, optional
        Other pairs than the samples that ship.

    Raises
    ------
    DeviceError
        If there is no such device. What a method lacks is said in its row instead.
    """
    resolve_device(device)
    catalogue = catalogue or Catalogue()
    entries = catalogue.entries()
    pairs = tuple(catalogue.load(entry) for entry in entries)
    total = len(fused_ids()) * len(pairs)
    rows: list[FusedRow] = []
    for id in fused_ids():
        title = method_specification(id).title
        before = len(rows) * len(pairs)
        progress(before, total)
        images: list[NDArray[np.floating]] = []
        try:
            method = load_method(id, device, folder)
            for pair in pairs:
                images.append(fuse(method, pair))
                progress(before + len(images), total)
        except FuseVisError as error:
            rows.append(FusedRow(id, title, (), str(error)))
        else:
            rows.append(FusedRow(id, title, tuple(images)))
    progress(total, total)
    return Gallery(entries, pairs, tuple(rows))


def picture_address(image: NDArray[np.floating]) -> str:
    """Return an (H, W) image as a ``data:`` address of a gray PNG: black is 0 and white is 1 in every image.

    What lies outside is black or white, so that images can be compared; what is not a number is gray.
    """
    comparable = np.clip(np.nan_to_num(image, nan=0.5), 0, 1)
    stream = io.BytesIO()
    Image.fromarray(grays(comparable, 0, 1)).save(stream, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode("ascii")

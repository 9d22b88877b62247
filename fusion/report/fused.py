"""Fused images of every method: as a gallery of the samples that ship, and scored on pairs of any kind.

The scores are the losses of equation 4, which say how well both inputs are kept, and brightness artefacts.
"""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
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
from fusion.report.training import fused_ids
from fusion.training.evaluation import brightness
from fusion.training.loss import LossBalance, fusion_loss
from fusion.weights import FOLDER

Used = TypeVar("Used")
NAMES = ("ssim_first", "ssim_second", "l2_first", "l2_second", "background", "shift", "frame")


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
    rows = _of_each_method(fused_ids(), pairs, folder, device, progress, lambda pair, fused: fused)
    return Gallery(entries, pairs, tuple(FusedRow(*row) for row in rows))


def picture_address(image: NDArray[np.floating]) -> str:
    """Return an (H, W) image as a ``data:`` address of a gray PNG: black is 0 and white is 1 in every image.

    What lies outside is black or white, so that images can be compared; what is not a number is gray.

    Parameters
    ----------
    image : ndarray
        (H, W), fused intensities, dimensionless.
    """
    return png_address(grays(np.clip(np.nan_to_num(image, nan=0.5), 0, 1), 0, 1))


def png_address(picture: NDArray[np.uint8]) -> str:
    """Return a picture as a ``data:`` address of a PNG.

    Parameters
    ----------
    picture : ndarray
        (H, W) or (H, W, 3), uint8.
    """
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode("ascii")


@dataclass(frozen=True)
class Scores:
    """Scores of one fused image, or the mean over several; all dimensionless.

    Attributes
    ----------
    ssim_first, ssim_second : float
        1 − SSIM with the first and the second input, 0 (equal) to 2: Gaussian window 11×11, σ 1.5, data range 1.
    l2_first, l2_second : float
        Mean squared difference.
    background, shift, frame : float
        See `fusion.training.evaluation.Brightness`; NaN where not defined.
    """

    ssim_first: float
    ssim_second: float
    l2_first: float
    l2_second: float
    background: float
    shift: float
    frame: float

    @property
    def ssim_mean(self) -> float:
        """Mean of both 1 − SSIM."""
        return (self.ssim_first + self.ssim_second) / 2

    @property
    def ssim_gap(self) -> float:
        """|1 − SSIM of the first input − that of the second|: 0 favours neither."""
        return abs(self.ssim_first - self.ssim_second)

    @property
    def l2_mean(self) -> float:
        """Mean of both squared differences."""
        return (self.l2_first + self.l2_second) / 2


@dataclass(frozen=True)
class MethodScores:
    """A method's scores on each pair, and their mean; or why there are none."""

    method_id: str
    title: str
    pairs: tuple[Scores, ...]
    problem: str = ""

    @property
    def mean(self) -> Scores:
        """Mean over the pairs, of each number over those that have it.

        Raises
        ------
        ValueError
            If there are no pairs.
        """
        if not self.pairs:
            raise ValueError(f"{self.method_id} has no scores")
        values: dict[str, float] = {}
        for name in NAMES:
            defined = [value for scores in self.pairs if not math.isnan(value := getattr(scores, name))]
            values[name] = float(np.mean(defined)) if defined else math.nan
        return Scores(**values)


def score(pair: Pair, fused: NDArray[np.floating]) -> Scores:
    """Score a fused image, in float64.

    Parameters
    ----------
    pair : Pair
        Both inputs, (2, H, W) in [0, 1].
    fused : ndarray
        (H, W), fused intensities.

    Raises
    ------
    ValueError
        If a side has fewer than 11 pixels.
    """
    inputs = torch.from_numpy(np.array(pair.images))[None].double()
    image = torch.from_numpy(np.array(fused))[None, None].double()
    parts, artefacts = fusion_loss(inputs, image, LossBalance()).values(), brightness(inputs, image)
    return Scores(
        parts["ssim_mri"], parts["ssim_pet"], parts["l2_mri"], parts["l2_pet"],
        artefacts.background, artefacts.shift, artefacts.frame,
    )  # fmt: skip


def score_methods(
    ids: Sequence[str],
    pairs: Sequence[Pair],
    folder: Path = FOLDER,
    device: str = "auto",
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[MethodScores, ...]:
    """Score several methods on several pairs.

    Parameters
    ----------
    ids : sequence of str
        The methods.
    pairs : sequence of Pair
        The pairs.
    folder : Path
        Where weights are.
    device : str
        ``auto``, ``cpu``, ``cuda`` or ``cuda:n``.
    progress : callable
        Called with the images finished and their total.

    Raises
    ------
    UnknownMethodError
        If there is no such method. What else a method lacks is said in its scores.
    """
    found = _of_each_method(ids, pairs, folder, device, progress, score)
    return tuple(MethodScores(*one) for one in found)


def _of_each_method(
    ids: Sequence[str],
    pairs: Sequence[Pair],
    folder: Path,
    device: str,
    progress: Callable[[int, int], None],
    use: Callable[[Pair, NDArray[np.floating]], Used],
) -> Iterator[tuple[str, str, tuple[Used, ...], str]]:
    """Fuse all pairs with each method; yield its id and title, and of each fused image what is made of it.

    Where a method cannot be run, none are there, and the last value says why.
    """
    total = len(ids) * len(pairs)
    for number, id in enumerate(ids):
        title, before = method_specification(id).title, number * len(pairs)
        progress(before, total)
        made: list[Used] = []
        try:
            method = load_method(id, device, folder)
            for pair in pairs:
                made.append(use(pair, fuse(method, pair)))
                progress(before + len(made), total)
        except FuseVisError as error:
            yield id, title, (), str(error)
        else:
            yield id, title, tuple(made), ""
    progress(total, total)

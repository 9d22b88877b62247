"""How well fused images keep both inputs, on pairs of any kind: the losses of equation 4 and brightness artefacts."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from fusion.errors import FuseVisError
from fusion.fusing import fuse
from fusion.methods.registry import load_method, method_specification
from fusion.pair import Pair
from fusion.training.brightness import brightness
from fusion.training.loss import LossBalance, fusion_loss
from fusion.weights import FOLDER


@dataclass(frozen=True)
class Scores:
    """What one fused image, or the mean over several, scores; all dimensionless.

    Attributes
    ----------
    ssim_first, ssim_second : float
        1 − SSIM with the first and the second input, 0 (equal) to 2: Gaussian window 11×11, σ 1.5, data range 1.
    l2_first, l2_second : float
        Mean squared difference.
    background, shift, frame : float
        See `fusion.training.brightness.Brightness`; NaN where not defined.
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


NAMES = ("ssim_first", "ssim_second", "l2_first", "l2_second", "background", "shift", "frame")


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
    """Score a fused image (H, W).

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
    found: list[MethodScores] = []
    total = len(ids) * len(pairs)
    for id in ids:
        title = method_specification(id).title
        scores: list[Scores] = []
        try:
            method = load_method(id, device, folder)
            for pair in pairs:
                scores.append(score(pair, fuse(method, pair)))
                progress(len(found) * len(pairs) + len(scores), total)
        except FuseVisError as error:
            found.append(MethodScores(id, title, (), str(error)))
        else:
            found.append(MethodScores(id, title, tuple(scores)))
    progress(total, total)
    return tuple(found)

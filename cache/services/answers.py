"""What the services tell callbacks: plain values, with nothing of `fusion` in them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Scene:
    """One pair fused by one method.

    Attributes
    ----------
    pair_id : str
        Content id of the pair, 64 hexadecimal digits.
    pair_address, pair_title : str
        How links and people call the pair.
    modalities : tuple of str
        What x1 and x2 are.
    simulated : bool
        Whether the images are simulated, which is to be said wherever they are shown.
    about : str
        One sentence on the pair.
    default_pixel : tuple of int or None
        (row, col) of a principal pixel worth seeing first, 0-based.
    method_id, method_title, method_note : str
        The method, and what to read beside its results.
    weights_id : str
        sha256 of its weights, 64 hexadecimal digits.
    height, width : int
        Of the images, pixels.
    support_radius : tuple of int or None
        (r1, r2), pixels; ``None`` for a method that sees the whole image.
    device : str
        Where it computes.
    """

    pair_id: str
    pair_address: str
    pair_title: str
    modalities: tuple[str, str]
    simulated: bool
    about: str
    default_pixel: tuple[int, int] | None
    method_id: str
    method_title: str
    method_note: str
    weights_id: str
    height: int
    width: int
    support_radius: tuple[int, int] | None
    device: str


@dataclass(frozen=True)
class GuidanceState:
    """How far the guidance images of a scene are.

    Attributes
    ----------
    values : ndarray of float32, shape (2, H, W), or None
        dy(i)/dx1(i) and dy(i)/dx2(i), dimensionless, NaN where not known yet; read-only where complete.
        ``None`` before the first values.
    fraction : float
        Done, 0 to 1. Stays 0 during the coarse preview.
    complete : bool
        Whether all values are known and final.
    running : bool
        Whether the computation waits or goes on, for this viewer or another.
    cancelled : bool
        Whether it was stopped, by this viewer or because nobody watched.
    revision : int
        Another one for each new set of values of a scene, the larger the newer.
    error : str or None
        For the user, if the computation failed.
    compute_seconds : float
        How long the computation took, or has taken by now; waiting for the worker is not counted.
    """

    values: np.ndarray | None
    fraction: float
    complete: bool
    running: bool
    cancelled: bool
    revision: int
    error: str | None
    compute_seconds: float


@dataclass(frozen=True)
class Readiness:
    """Whether the services can answer, and what is wrong, in sentences.

    A store that does not work is a problem, but no reason to send nobody here: results are computed anew.
    """

    ready: bool
    problems: tuple[str, ...]

"""Tumours grown into a slice of the head."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fusion.data.filters import smooth_noise
from fusion.data.tissue import FloatArray, TissueMaps


@dataclass(frozen=True)
class Lesion:
    """A tumour: three shares, each (H, W) float32 in [0, 1], that together make up its pixels."""

    core: FloatArray
    rim: FloatArray
    edema: FloatArray


@dataclass(frozen=True)
class LesionLevels:
    """Brightness (MRI) or uptake (PET) of the parts of a lesion."""

    core: float
    rim: float
    edema: float


def grow_lesion(
    tissue: TissueMaps,
    centre: tuple[float, float],
    radius: float,
    rng: np.random.Generator,
    ragged: float = 0.25,
) -> Lesion:
    """Grow a tumour inside the brain.

    Parameters
    ----------
    tissue : TissueMaps
        The slice.
    centre : tuple of float
        (row, column) in pixels.
    radius : float
        Outer radius of the rim, pixels; the edema reaches about 1.6 times as far.
    ragged : float
        How far the outline strays from an ellipse, as a share of the radius.
    """
    rows, columns = np.mgrid[: tissue.shape[0], : tissue.shape[1]].astype(np.float32)
    angle, stretch = rng.uniform(0, np.pi), rng.uniform(1, 1.45)
    dy, dx = rows - centre[0], columns - centre[1]
    along, across = np.cos(angle) * dx + np.sin(angle) * dy, np.cos(angle) * dy - np.sin(angle) * dx
    distance = np.hypot(along / stretch, across * stretch) / radius
    distance = distance * (1 + ragged * smooth_noise(rng, tissue.shape, max(3, round(512 / radius / 4))))
    distance = distance + 0.5 * ragged * smooth_noise(rng, tissue.shape, 24)
    edge = 1.5 / radius

    def within(limit: float) -> FloatArray:
        steepness = np.clip((distance - limit) / edge * 3, -30, 30)
        return np.asarray(tissue.brain / (1 + np.exp(steepness)), dtype=np.float32)

    core, rim = within(rng.uniform(0.55, 0.75)), within(1.0)
    core = np.minimum(core, rim)
    spread = within(rng.uniform(1.4, 1.8)) * np.clip(0.35 + tissue.white, 0, 1)
    return Lesion(core, rim - core, np.asarray(np.maximum(spread - rim, 0), dtype=np.float32))


def blend_lesion(image: FloatArray, lesion: Lesion | None, levels: LesionLevels | None) -> FloatArray:
    """Put a lesion, if there is one, into an image (H, W)."""
    if lesion is None or levels is None:
        return image
    rest = 1 - lesion.core - lesion.rim - lesion.edema
    return np.asarray(
        image * rest + lesion.core * levels.core + lesion.rim * levels.rim + lesion.edema * levels.edema,
        dtype=np.float32,
    )

"""Simulated MRI and PET slices, drawn without end from the head of `fusion.data.tissue`.

Everything that differs between scanners, patients and sequences is drawn at random, so that a network trained
on these slices meets real ones as one more variation.
"""

from __future__ import annotations

import numpy as np
import torch

from fusion.data.rendering import (
    FLAIR_CONTRAST,
    T1_CONTRAST,
    T2_CONTRAST,
    Contrast,
    Lesion,
    LesionLevels,
    Uptake,
    add_scanner_effects,
    blur,
    grow_lesion,
    render_mri,
    render_pet,
    scale_to_unit,
    smooth_noise,
)
from fusion.data.tissue import FloatArray, Head, TissueMaps, resample, slice_grid


def simulate_pair(head: Head, rng: np.random.Generator, size: int = 256) -> FloatArray:
    """Draw one random pair.

    Parameters
    ----------
    head : Head
        As `fusion.data.tissue.load_head` gives it.
    rng : numpy.random.Generator
        All that is random comes from here.
    size : int
        Pixels a side.

    Returns
    -------
    ndarray
        (2, size, size) float32: MRI and PET, each min–max scaled to [0, 1], air 0 or close to it.
    """
    tissue = random_slice(head, rng, size)
    lesion = _random_lesion(tissue, rng) if rng.random() < 0.45 else None
    return np.stack([_random_mri(tissue, lesion, rng), _random_pet(tissue, lesion, rng)])


def random_slice(head: Head, rng: np.random.Generator, size: int = 256) -> TissueMaps:
    """Cut a slice at random: mostly axial, turned, stretched, shifted and elastically deformed.

    Parameters
    ----------
    head : Head
        As `fusion.data.tissue.load_head` gives it.
    rng : numpy.random.Generator
        All that is random comes from here.
    size : int
        Pixels a side.

    Returns
    -------
    TissueMaps
        (size, size) each.
    """
    orientation = str(rng.choice(["axial", "coronal", "sagittal"], p=[0.7, 0.15, 0.15]))
    plane = head.plane(orientation, int(rng.choice(head.brain_planes(orientation))))
    displacement = np.stack([smooth_noise(rng, (size, size), int(rng.integers(3, 8))) for _ in range(2)])
    grid = slice_grid(
        plane.shape[1:],
        size,
        pixel_mm=rng.uniform(0.7, 1.05) * 256 / size,
        angle=rng.normal(0, 0.15),
        shift=(rng.normal(0, 6), rng.normal(0, 6)),
        aspect=rng.uniform(0.88, 1.12),
        mirrored=bool(rng.random() < 0.5),
        displacement=displacement * rng.uniform(0, 3.5),
    )
    if rng.random() < 0.1:
        grid = torch.rot90(grid, int(rng.integers(1, 4)), dims=(0, 1))
    return resample(plane, grid)


def _random_lesion(tissue: TissueMaps, rng: np.random.Generator) -> Lesion | None:
    places = np.argwhere(tissue.depth < -8)
    if not len(places):
        return None
    row, column = places[rng.integers(len(places))]
    return grow_lesion(tissue, (float(row), float(column)), rng.uniform(7, 30), rng)


def _random_contrast(rng: np.random.Generator) -> Contrast:
    kind = rng.random()
    if kind < 0.2:
        fluid, grey, white, bone, marrow, fat, detail = rng.uniform(0, 1, 7)
        return Contrast(fluid, grey, white, 0.2 * bone, 0.6 * marrow, fat, 2 * detail - 1)
    base = T2_CONTRAST if kind < 0.6 else T1_CONTRAST if kind < 0.85 else FLAIR_CONTRAST
    spread = rng.normal(0, 0.08, 5)
    return Contrast(
        fluid=float(np.clip(base.fluid + spread[0], 0, 1.2)),
        grey=float(np.clip(base.grey + spread[1], 0.05, 1)),
        white=float(np.clip(base.white + spread[2], 0.05, 1)),
        bone=rng.uniform(0, 0.08),
        marrow=float(np.clip(base.marrow + 2 * spread[3], 0, 1)),
        fat=float(np.clip(base.fat + 3 * spread[4], 0.1, 1.2)),
        detail=base.detail * rng.uniform(0.3, 1.5),
    )


def _random_mri(tissue: TissueMaps, lesion: Lesion | None, rng: np.random.Generator) -> FloatArray:
    levels = LesionLevels(rng.uniform(0, 1.1), rng.uniform(0.4, 1.3), rng.uniform(0.4, 1.0))
    image = render_mri(
        tissue,
        _random_contrast(rng),
        rng,
        rng.uniform(3, 8),
        rng.uniform(2.5, 8),
        lesion=lesion,
        levels=levels,
    )
    if rng.random() < 0.1:  # some pipelines strip the skull
        image = np.asarray(image * tissue.brain, dtype=np.float32)
    image = add_scanner_effects(image, rng, rng.uniform(0, 0.2), rng.uniform(0, 0.035), rng.uniform(0, 0.9))
    if rng.random() < 0.5:  # unsharp masking, as consoles and publishers apply it
        image = np.maximum(image + rng.uniform(0, 1) * (image - blur(image, rng.uniform(1, 2.5))), 0)
    return _as_displayed(image, rng)


def _random_pet(tissue: TissueMaps, lesion: Lesion | None, rng: np.random.Generator) -> FloatArray:
    uptake = Uptake(
        white=1 / rng.uniform(2.5, 6),
        fluid=rng.uniform(0, 0.1),
        scalp=rng.choice([0.0, 1.0]) * rng.uniform(0.02, 0.35),
    )
    levels = LesionLevels(rng.uniform(0, 0.3), rng.uniform(0.3, 1.3), rng.uniform(0.2, 0.7))
    if rng.random() < 0.2:
        levels = LesionLevels(*rng.uniform(0.1, 1.6, 3))
    image = render_pet(
        tissue,
        uptake,
        rng,
        fwhm_pixels=rng.uniform(4, 8.5) * tissue.shape[0] / 256,
        noise=rng.uniform(0.02, 0.3),
        regional=rng.uniform(0.05, 0.22),
        head_mm=rng.uniform(6, 18),
        lesion=lesion,
        levels=levels,
    )
    if rng.random() < 0.3:  # values below a threshold are often cut off before display
        image = np.maximum(image - rng.uniform(0, 0.15) * image.max(), 0)
    if rng.random() < 0.3:
        image = _through_colour_map(image, rng)
    return _as_displayed(image, rng)


def _through_colour_map(image: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Apply a random curve from 0 to 1 that is not always rising: archives hold colour maps in gray."""
    knots = np.linspace(0, 1, int(rng.integers(5, 10)))
    values = np.clip(knots + rng.normal(0, 0.09, len(knots)), 0, 1)
    values[0], values[-1] = 0, 1
    return np.asarray(np.interp(scale_to_unit(image), knots, values), dtype=np.float32)


def _as_displayed(image: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Clip the brightest pixels, apply a gamma and scale: what windowing for display does."""
    top = float(np.quantile(image, rng.uniform(0.985, 1)))
    image = np.clip(image, 0, top) if top > 0 else image
    return np.asarray(scale_to_unit(image) ** np.float32(np.exp(rng.normal(0, 0.2))), dtype=np.float32)


def simulate_pairs(head: Head, seed: int, count: int, size: int = 256) -> FloatArray:
    """Draw a fixed set of pairs.

    Parameters
    ----------
    head : Head
        As `fusion.data.tissue.load_head` gives it.
    seed : int
        The same seed gives the same pairs.
    count, size : int
        How many pairs, and pixels a side.

    Returns
    -------
    ndarray
        (count, 2, size, size) float32, see `simulate_pair`.
    """
    rng = np.random.default_rng(seed)
    return np.stack([simulate_pair(head, rng, size) for _ in range(count)])

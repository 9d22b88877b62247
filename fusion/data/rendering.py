"""Pictures that an MRI and a PET scanner would take of a slice of the head, with or without a tumour in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from fusion.data.tissue import FloatArray, TissueMaps

FWHM_TO_SIGMA = 1 / 2.3548
"""Of a Gaussian: its full width at half maximum times this is its standard deviation."""


def smooth_noise(rng: np.random.Generator, shape: tuple[int, int], cells: int) -> FloatArray:
    """Draw Gaussian noise that varies slowly.

    Parameters
    ----------
    rng : numpy.random.Generator
        All that is random comes from here.
    shape : tuple of int
        (H, W), pixels.
    cells : int
        The noise varies over about 1/`cells` of the image.

    Returns
    -------
    ndarray
        (H, W) float32, of about unit variance.
    """
    coarse = torch.from_numpy(rng.standard_normal((1, 1, cells + 1, cells + 1)).astype(np.float32))
    fine = functional.interpolate(coarse, size=shape, mode="bicubic", align_corners=True)
    return np.asarray(fine[0, 0].numpy() * 1.2)


def blur(image: FloatArray, sigma: float) -> FloatArray:
    """Convolve an image with a Gaussian; outside it is 0.

    Parameters
    ----------
    image : ndarray
        (H, W) float32.
    sigma : float
        Standard deviation, pixels; below 0.2 the image is returned as it is.

    Returns
    -------
    ndarray
        (H, W) float32.
    """
    if sigma < 0.2:
        return image
    radius = int(np.ceil(3.5 * sigma))
    taps = torch.exp(-(torch.arange(-radius, radius + 1, dtype=torch.float32) ** 2) / (2 * sigma**2))
    taps = taps / taps.sum()
    result = torch.from_numpy(np.ascontiguousarray(image, dtype=np.float32))[None, None]
    result = functional.conv2d(result, taps[None, None, :, None], padding=(radius, 0))
    result = functional.conv2d(result, taps[None, None, None, :], padding=(0, radius))
    return np.asarray(result[0, 0].numpy())


def scale_to_unit(image: FloatArray) -> FloatArray:
    """Min–max scale an image to [0, 1]; a constant one becomes zeros.

    Parameters
    ----------
    image : ndarray
        (H, W) float32, finite.

    Returns
    -------
    ndarray
        (H, W) float32.
    """
    low, high = float(image.min()), float(image.max())
    if high <= low:
        return np.zeros_like(image)
    return np.asarray((image - low) / (high - low), dtype=np.float32)


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
    """Put a lesion, if there is one, into an image.

    Parameters
    ----------
    image : ndarray
        (H, W) float32, brightness or uptake of the healthy slice.
    lesion, levels : Lesion and LesionLevels, or None
        The shares of the lesion's parts, and what they replace the image by.

    Returns
    -------
    ndarray
        (H, W) float32.
    """
    if lesion is None or levels is None:
        return image
    rest = 1 - lesion.core - lesion.rim - lesion.edema
    return np.asarray(
        image * rest + lesion.core * levels.core + lesion.rim * levels.rim + lesion.edema * levels.edema,
        dtype=np.float32,
    )


@dataclass(frozen=True)
class Contrast:
    """Brightness of each tissue in an MRI, 0 to 1; `detail` scales what the T1 template shows beyond them."""

    fluid: float
    grey: float
    white: float
    bone: float = 0.03
    marrow: float = 0.3
    fat: float = 0.75
    detail: float = 1.0


T1_CONTRAST = Contrast(fluid=0.1, grey=0.46, white=0.72, bone=0.04, marrow=0.4, fat=0.95)
T2_CONTRAST = Contrast(fluid=0.97, grey=0.5, white=0.33, bone=0.03, marrow=0.25, fat=0.55, detail=-0.6)
FLAIR_CONTRAST = Contrast(fluid=0.1, grey=0.6, white=0.45, bone=0.03, marrow=0.3, fat=0.6, detail=-0.4)


@dataclass(frozen=True)
class Uptake:
    """Tracer uptake of each tissue, relative to grey matter where that is 1."""

    grey: float = 1.0
    white: float = 0.25
    fluid: float = 0.03
    scalp: float = 0.1


def render_mri(
    tissue: TissueMaps,
    contrast: Contrast,
    rng: np.random.Generator,
    skull_mm: float = 6.0,
    scalp_mm: float = 6.0,
    unevenness: float = 0.2,
    lesion: Lesion | None = None,
    levels: LesionLevels | None = None,
) -> FloatArray:
    """Return the noiseless MRI of a slice: tissues by contrast, skull and scalp by depth.

    Parameters
    ----------
    tissue : TissueMaps
        The slice, (H, W).
    contrast : Contrast
        How bright each tissue is.
    rng : numpy.random.Generator
        All that is random comes from here.
    skull_mm, scalp_mm : float
        Thickness of the skull and of the scalp.
    unevenness : float
        Standard deviation of the brightness within marrow and fat, relative to their mean.
    lesion, levels : Lesion and LesionLevels, optional
        A tumour and how bright its parts are.

    Returns
    -------
    ndarray
        (H, W) float32, 0 in air, about 1 where brightest.
    """
    brain = tissue.grey * contrast.grey + tissue.white * contrast.white + tissue.fluid * contrast.fluid
    brain = blend_lesion(brain + contrast.detail * tissue.detail, lesion, levels)
    depth = tissue.depth + 0.9 * smooth_noise(rng, tissue.shape, 9)
    fluid_mm = 1.5
    bone_end = fluid_mm + skull_mm
    scalp_end = bone_end + scalp_mm
    muscle = 0.4 * contrast.fat + 0.25 * contrast.grey
    texture = 1 + unevenness * smooth_noise(rng, tissue.shape, 40)

    def shell(start: float, end: float) -> FloatArray:
        share = np.clip(depth - start + 0.5, 0, 1) * np.clip(end - depth + 0.5, 0, 1)
        return np.asarray(share, dtype=np.float32)

    outside = np.clip(tissue.depth + 0.5, 0, 1)
    shells = (
        shell(-1, fluid_mm) * contrast.fluid
        + shell(fluid_mm, bone_end) * contrast.bone
        + shell(fluid_mm + 0.3 * skull_mm, bone_end - 0.3 * skull_mm)
        * max(contrast.marrow - contrast.bone, 0)
        * texture
        + shell(bone_end, scalp_end - 1.5) * contrast.fat * texture
        + shell(scalp_end - 1.5, scalp_end) * muscle
    )
    return np.asarray(np.maximum(brain * tissue.brain + shells * outside, 0), dtype=np.float32)


def render_pet(
    tissue: TissueMaps,
    uptake: Uptake,
    rng: np.random.Generator,
    fwhm_pixels: float,
    noise: float,
    regional: float = 0.12,
    head_mm: float = 13.5,
    lesion: Lesion | None = None,
    levels: LesionLevels | None = None,
) -> FloatArray:
    """Return a PET image (H, W): uptake by tissue and region, counted with noise, at scanner resolution.

    Parameters
    ----------
    fwhm_pixels : float
        Full width at half maximum of the scanner's blur, pixels.
    noise : float
        Standard deviation of the noise, before reconstruction smooths it, over the square root of uptake.
    regional : float
        Standard deviation of the uptake's variation from region to region.
    head_mm : float
        Distance of the skin from the brain's surface.
    """
    activity = tissue.grey * uptake.grey + tissue.white * uptake.white + tissue.fluid * uptake.fluid
    activity = activity * np.clip(1 + regional * smooth_noise(rng, tissue.shape, 6), 0.3, 2)
    activity = blend_lesion(np.asarray(activity, dtype=np.float32), lesion, levels)
    head = np.clip(head_mm - tissue.depth, 0, 1) * np.clip(tissue.depth + 0.5, 0, 1)
    activity = activity * tissue.brain + head * uptake.scalp * np.clip(
        1 + 0.3 * smooth_noise(rng, tissue.shape, 12), 0, 2
    )
    seen = blur(np.asarray(activity, dtype=np.float32), fwhm_pixels * FWHM_TO_SIGMA)
    deviation = noise * np.sqrt(np.maximum(seen, 0))
    counted = (seen + deviation * rng.standard_normal(tissue.shape)).astype(np.float32)
    return np.maximum(blur(counted, 0.45 * fwhm_pixels * FWHM_TO_SIGMA), 0)


def add_scanner_effects(
    image: FloatArray,
    rng: np.random.Generator,
    bias: float,
    noise: float,
    sigma: float = 0.0,
) -> FloatArray:
    """Give a noiseless MRI a coil's uneven sensitivity, blur and Rician noise; air stays exactly 0.

    Parameters
    ----------
    bias : float
        Standard deviation of the logarithm of the sensitivity.
    noise : float
        Standard deviation, relative to the image's maximum.
    sigma : float
        Standard deviation of the blur, pixels.
    """
    # Scanners mask the air, and a fused image must learn to leave it black.
    air = image <= 0.004 * image.max()
    image = blur(image * np.exp(bias * smooth_noise(rng, (image.shape[0], image.shape[1]), 2)), sigma)
    real, imaginary = rng.standard_normal((2, *image.shape)).astype(np.float32) * noise * image.max()
    return np.where(air, 0, np.hypot(image + real, imaginary)).astype(np.float32)

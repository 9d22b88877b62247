"""Makes the sample pairs that ship, in ``fusion/data/samples``: ``python -m fusion.data.make_samples``.

Needs the packages of requirements-samples.txt. All random numbers are seeded: a second run gives the same
files.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from fusion.data.rendering import (
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
from fusion.data.tissue import (
    FloatArray,
    Head,
    MissingTemplateError,
    TissueMaps,
    load_head,
    resample,
    slice_grid,
)

FOLDER = Path(__file__).parent / "samples"
SIZE = 256
PIXEL_MM = 0.88
FWHM_MM = 6.0
SAMPLE_UPTAKE = Uptake(grey=1.0, white=0.25, fluid=0.04, scalp=0.13)
SAMPLE_T1 = Contrast(fluid=0.13, grey=0.47, white=0.72, bone=0.05, marrow=0.42, fat=0.88)


@dataclass(frozen=True)
class Tumour:
    """A tumour's centre (row, column) and radius in pixels, and the brightness of its parts."""

    centre: tuple[float, float]
    radius: float
    mri: LesionLevels
    pet: LesionLevels


@dataclass(frozen=True)
class BrainSample:
    """A brain pair to draw: an axial plane of the head (voxel index) in one MRI contrast, and PET."""

    slug: str
    title: str
    about: str
    sequence: str
    contrast: Contrast
    plane: int
    angle: float
    aspect: float
    seed: int
    default_pixel: tuple[int, int] | None = None
    tumour: Tumour | None = None


BRAIN_SAMPLES = (
    BrainSample(
        slug="glioma-t2",
        title="Glioma, T2",
        about=(
            "A simulated glioma in the parietal white matter: bright on the T2-weighted MRI, with a necrotic "
            "core that is dark on PET, a rim of intermediate uptake, and edema around it."
        ),
        sequence="MRI T2",
        contrast=T2_CONTRAST,
        plane=119,
        angle=0.05,
        aspect=1.0,
        seed=2,
        tumour=Tumour(
            (157, 169),
            25,
            LesionLevels(core=0.9, rim=0.68, edema=0.66),
            LesionLevels(core=0.05, rim=0.75, edema=0.3),
        ),
    ),
    BrainSample(
        slug="glioma-t1",
        title="Glioma, T1 with contrast agent",
        about=(
            "A simulated glioma in the frontal white matter after a contrast agent: its rim enhances on the "
            "T1-weighted MRI and takes up some tracer, its bright core takes up almost none."
        ),
        sequence="MRI T1",
        contrast=SAMPLE_T1,
        plane=126,
        angle=-0.07,
        aspect=0.97,
        seed=11,
        tumour=Tumour(
            (88, 97),
            22,
            LesionLevels(core=0.84, rim=1.12, edema=0.5),
            LesionLevels(core=0.06, rim=0.7, edema=0.28),
        ),
    ),
    BrainSample(
        slug="healthy-t1",
        title="Healthy brain, T1",
        about="A simulated healthy brain at the level of the basal ganglia, T1-weighted MRI and PET.",
        sequence="MRI T1",
        contrast=SAMPLE_T1,
        plane=105,
        angle=0.03,
        aspect=0.98,
        seed=21,
        default_pixel=(104, 112),
    ),
    BrainSample(
        slug="healthy-t2",
        title="Healthy brain, T2",
        about="A simulated healthy brain at the level of the lateral ventricles, T2-weighted MRI and PET.",
        sequence="MRI T2",
        contrast=T2_CONTRAST,
        plane=114,
        angle=-0.04,
        aspect=1.03,
        seed=31,
        default_pixel=(118, 118),
    ),
)

PHOTOGRAPHER = (
    (3, 256),
    (10, 150),
    (36, 88),
    (62, 62),
    (74, 30),
    (96, 24),
    (110, 36),
    (116, 62),
    (168, 66),
    (170, 96),
    (150, 110),
    (160, 190),
    (206, 252),
    (206, 256),
)
"""Outline of the man and his tripod in the photograph at 256×256, (column, row)."""


def make_samples(folder: Path = FOLDER, head: Head | None = None) -> tuple[Path, ...]:
    """Write all sample pairs and return their folders.

    Parameters
    ----------
    folder : Path
        Gets one subfolder a sample: gray PNGs of 256×256 pixels (images 8-bit, masks 1-bit) and
        ``sample.json``.
    head : Head, optional
        Another head than the template's.

    Raises
    ------
    MissingTemplateError
        If nilearn or scikit-image is not installed.
    """
    head = head or load_head()
    made = [_make_brain(folder / sample.slug, sample, head) for sample in BRAIN_SAMPLES]
    return (*made, _make_multi_focus(folder / "multi-focus"))


def _make_brain(folder: Path, sample: BrainSample, head: Head) -> Path:
    rng = np.random.default_rng(sample.seed)
    tissue = _slice(sample, head, rng)
    lesion = None
    mri_levels = pet_levels = None
    if sample.tumour is not None:
        lesion = grow_lesion(tissue, sample.tumour.centre, sample.tumour.radius, rng, ragged=0.2)
        mri_levels, pet_levels = sample.tumour.mri, sample.tumour.pet
    mri = render_mri(
        tissue,
        sample.contrast,
        rng,
        skull_mm=6.5,
        scalp_mm=6.5,
        unevenness=0.12,
        lesion=lesion,
        levels=mri_levels,
    )
    if lesion is not None:  # tumours are not uniform inside
        mri = mri * (1 + 0.1 * (lesion.core + lesion.rim) * smooth_noise(rng, tissue.shape, 36))
    mri = add_scanner_effects(np.asarray(mri, dtype=np.float32), rng, bias=0.07, noise=0.018, sigma=0.55)
    fwhm = FWHM_MM / PIXEL_MM
    pet = render_pet(
        tissue,
        SAMPLE_UPTAKE,
        rng,
        fwhm,
        noise=0.16,
        regional=0.1,
        head_mm=14.5,
        lesion=lesion,
        levels=pet_levels,
    )
    pixels = {"mri.png": _bytes(_window(mri)), "pet.png": _bytes(_window(pet))}
    regions = {} if lesion is None else _regions(tissue, lesion, pixels["pet.png"])
    default_pixel = sample.default_pixel or _middle(regions["core"])
    return _write(
        folder, sample.title, sample.about, (sample.sequence, "PET"), pixels, regions, default_pixel
    )


def _slice(sample: BrainSample, head: Head, rng: np.random.Generator) -> TissueMaps:
    plane = head.plane("axial", sample.plane)
    displacement = 2.2 * np.stack([smooth_noise(rng, (SIZE, SIZE), 5) for _ in range(2)])
    grid = slice_grid(
        plane.shape[1:],
        SIZE,
        pixel_mm=PIXEL_MM,
        angle=sample.angle,
        shift=(0, 3),
        aspect=sample.aspect,
        displacement=displacement,
    )
    return resample(plane, grid)


def _regions(tissue: TissueMaps, lesion: Lesion, pet: NDArray[np.uint8]) -> dict[str, NDArray[np.bool_]]:
    core, rim = lesion.core > 0.5, lesion.rim > 0.5
    touched = blur((lesion.core + lesion.rim + lesion.edema > 0.02).astype(np.float32), 3) > 0.02
    healthy = (tissue.grey > 0.5) & (tissue.depth < -2) & (pet >= 115) & ~touched
    return {"core": core, "rim": rim, "healthy": healthy}


def _middle(mask: NDArray[np.bool_]) -> tuple[int, int]:
    """Return the pixel that is farthest inside a region."""
    row, column = np.unravel_index(int(np.argmax(blur(mask.astype(np.float32), 5))), mask.shape)
    return int(row), int(column)


def _make_multi_focus(folder: Path) -> Path:
    try:
        from skimage import data
    except ImportError as error:
        raise MissingTemplateError(
            "The package scikit-image, which carries the photograph, is not installed. "
            "Install it with: pip install -r requirements-samples.txt"
        ) from error
    photograph = Image.fromarray(data.camera()).resize((SIZE, SIZE), Image.Resampling.LANCZOS)
    sharp = np.asarray(photograph, dtype=np.float32) / np.float32(255)
    outline = Image.new("L", (SIZE, SIZE))
    ImageDraw.Draw(outline).polygon(PHOTOGRAPHER, fill=255)
    near = blur(np.asarray(outline, dtype=np.float32) / np.float32(255), 2.5)
    # Mirrored margins: blurring against black would darken the picture's edges.
    margin = 16
    soft = blur(np.pad(sharp, margin, mode="reflect"), 3)[margin:-margin, margin:-margin]
    pixels = {
        "near.png": _bytes(scale_to_unit(near * sharp + (1 - near) * soft)),
        "far.png": _bytes(scale_to_unit((1 - near) * sharp + near * soft)),
    }
    about = (
        "One photograph (by Lav Varshney, CC0) blurred twice: the photographer is sharp in the first image, "
        "the background in the second."
    )
    return _write(
        folder,
        "Multi-focus photograph",
        about,
        ("Near focus", "Far focus"),
        pixels,
        {},
        default_pixel=(96, 130),
    )


def _window(image: FloatArray) -> FloatArray:
    """Scale to [0, 1] with the brightest 0.3 % of pixels white, as a display window does."""
    return scale_to_unit(np.minimum(image, np.quantile(image, 0.997)).astype(np.float32))


def _bytes(image: FloatArray) -> NDArray[np.uint8]:
    return np.round(image * 255).astype(np.uint8)


def _write(
    folder: Path,
    title: str,
    about: str,
    modalities: tuple[str, str],
    pixels: dict[str, NDArray[np.uint8]],
    regions: dict[str, NDArray[np.bool_]],
    default_pixel: tuple[int, int],
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    masks = {f"{name}.png": mask for name, mask in regions.items()}
    for name, array in {**pixels, **masks}.items():
        Image.fromarray(array).save(folder / name, optimize=True)
    description: dict[str, Any] = {
        "title": title,
        "about": about,
        "modalities": modalities,
        "files": list(pixels),
        "simulated": True,
        "default_pixel": default_pixel,
        "regions": {name: f"{name}.png" for name in regions},
    }
    text = json.dumps(description, indent=2, ensure_ascii=False) + "\n"
    (folder / "sample.json").write_text(text, encoding="utf-8")
    return folder


def main(
    output: Annotated[Path, typer.Option(help="Folder to write to; default: where they ship.")] = FOLDER,
) -> None:
    """Make the sample pairs again."""
    for folder in make_samples(output):
        typer.echo(folder)


if __name__ == "__main__":
    typer.run(main)

"""What the samples that ship show: planes, contrasts, tumours, seeds."""

from __future__ import annotations

from dataclasses import dataclass

from fusion.data.lesions import LesionLevels
from fusion.data.rendering import T2_CONTRAST, Contrast

SAMPLE_T1 = Contrast(fluid=0.13, grey=0.47, white=0.72, bone=0.05, marrow=0.42, fat=0.88)


@dataclass(frozen=True)
class Tumour:
    """Where a tumour is, (row, column) and radius in pixels, and how bright its parts are."""

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

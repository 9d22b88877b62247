"""Images of one training step, where they come from, and which of their pixels can be judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from torch import Tensor
from torch.nn import functional

from fusion.data.tissue import FloatArray
from fusion.training.loss import WINDOW


@dataclass(frozen=True)
class Sides:
    """Sides of a patch: True where it is a side of the image that it was cut from."""

    top: bool = True
    bottom: bool = True
    left: bool = True
    right: bool = True


WHOLE = Sides()


@dataclass(frozen=True, eq=False)
class Batch:
    """Patches of one step: (B, 2, h, w) float32 in [0, 1], MRI and PET, all cut out at the same sides.

    `simulated` is True for slices that were mixed into a user's pairs.
    """

    images: FloatArray
    sides: Sides
    simulated: bool = False


class ImageSource(Protocol):
    """Origin of a training's images: simulated ones, or a user's folders.

    A batch depends on its number alone: that is how runs resume.
    """

    description: dict[str, Any]
    """Words on the images, for the model card; JSON."""
    training_pairs: int | None
    """Number of different pairs that are trained on; None for simulated ones, without end."""

    def batch(self, number: int, count: int, patch: int | None) -> Batch:
        """Return a batch: `count` patches of `patch`×`patch` pixels, or whole images (None)."""
        ...

    def calibration(self) -> Sequence[FloatArray]:
        """Return whole pairs (2, H, W) that batch norm is fitted to."""
        ...

    def validation(self) -> Sequence[FloatArray]:
        """Return whole pairs (2, H, W) that are never trained on."""
        ...

    def fixed(self) -> Sequence[FloatArray]:
        """Return whole pairs (2, H, W), never trained on, on which the balance of both modalities is judged."""
        ...


def cut_patches(pairs: Sequence[FloatArray], patch: int | None, rng: np.random.Generator) -> Batch:
    """Cut one patch of each pair (2, H, W), at random, all at the same sides of their images.

    Along each axis a patch lies at one end of the image with probability 1/4 each, else anywhere inside: the
    outermost pixels, whose neighbourhood is a network's zero padding, would hardly ever be shown otherwise.

    Parameters
    ----------
    pairs : sequence of ndarray
        (2, H, W) each, float32 in [0, 1]; of one size where `patch` is None.
    patch : int, optional
        Pixels a side, cut to the smallest image; None takes whole images.
    rng : numpy.random.Generator
        Chooses the places.
    """
    heights, widths = zip(*(pair.shape[1:] for pair in pairs), strict=True)
    if patch is None:
        return Batch(np.stack(pairs), WHOLE)
    rows, columns = min(patch, *heights), min(patch, *widths)
    vertical, horizontal = (int(rng.choice(3, p=(0.25, 0.5, 0.25))) for _ in range(2))
    cut = []
    for pair in pairs:
        top = _start(vertical, pair.shape[1], rows, rng)
        left = _start(horizontal, pair.shape[2], columns, rng)
        cut.append(pair[:, top : top + rows, left : left + columns])
    # Where a patch is as long as one of the images, its far side need not be known to be that image's own.
    sides = Sides(
        vertical == 0 or rows == max(heights),
        vertical == 2 or rows == max(heights),
        horizontal == 0 or columns == max(widths),
        horizontal == 2 or columns == max(widths),
    )
    return Batch(np.stack(cut), sides)


def _start(place: int, length: int, patch: int, rng: np.random.Generator) -> int:
    anywhere = int(rng.integers(0, length - patch + 1))
    return (0, anywhere, length - patch)[place]


def judged(images: Tensor, sides: Sides, halo: int) -> Tensor:
    """Cut off what a patch cannot show right, and add margins where it ends with its image.

    At a side inside the image the network met zero padding where the image goes on: `halo` pixels are cut off.
    At a side of the image itself, its mirror is added, as wide as half a similarity window: the similarity
    counts windows that lie wholly inside, which hardly see the outermost pixels, and a network would be free to
    draw a bright frame there.

    Parameters
    ----------
    images : Tensor
        (B, C, h, w).
    sides : Sides
        Which sides are the image's own.
    halo : int
        Pixels, ≥ 0.
    """
    height, width = images.shape[-2:]
    cut = images[
        ...,
        0 if sides.top else halo : height if sides.bottom else height - halo,
        0 if sides.left else halo : width if sides.right else width - halo,
    ]
    margin = WINDOW // 2
    margins = [margin * own for own in (sides.left, sides.right, sides.top, sides.bottom)]
    return functional.pad(cut, margins, mode="reflect")

"""Readings that go with an exported view: how far its derivatives reach, and what a region of it depends on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cache.errors import TooBusyError, UserError
from cache.services.explanations import Explained
from cache.services.scenes import Scene
from cache.services.services import Services
from fusion import Reach

REACH_UNITS = (
    "gray levels, 1/255 of the scaled inputs: the largest step, 0 to 64, that the derivative predicts within 10 %, x1 "
    "and x2; own_pixel: that pixel alone changes, whole_support: all that it depends on"
)


@dataclass(frozen=True)
class ImageSums:
    """The sums of a region's Jacobian image.

    Attributes
    ----------
    signed, total : float
        Σ J and Σ |J| over one input, dimensionless.
    negative : float or None
        The share of Σ |J| that is below 0, 0 to 1; ``None`` where there is no influence.
    """

    signed: float
    total: float
    negative: float | None

    @classmethod
    def of(cls, image: np.ndarray) -> ImageSums:
        """Add an image (H, W) up, in float64."""
        values = image.astype(np.float64)
        total = float(np.abs(values).sum())
        return cls(float(values.sum()), total, float(-values[values < 0].sum() / total) if total else None)


@dataclass(frozen=True, eq=False)
class Explanation:
    """The explained region of a view.

    Attributes
    ----------
    asked : Explained
        Which number of which region.
    jacobians : tuple of ndarray of float32, shape (2, H, W)
        By method, in their order; empty where there is a problem.
    problem : str
        Why there is no explanation; nothing where there is one.
    """

    asked: Explained
    jacobians: tuple[np.ndarray, ...]
    problem: str = ""

    @classmethod
    def of(cls, services: Services, scenes: Sequence[Scene], asked: Explained) -> Explanation:
        """Compute it for all methods.

        Raises
        ------
        TooBusyError
            If too much is asked for at once.
        """
        try:
            found = tuple(
                services.explanations.at(one.pair_id, one.method_id, one.weights_id, asked.question)
                for one in scenes
            )
        except TooBusyError:
            raise
        except UserError as error:
            # A region at the border has no similarity; the rest of the view is to be had.
            return cls(asked, (), str(error))
        return cls(asked, found)

    def numbers(self) -> list[tuple[ImageSums, ImageSums]]:
        """Return the sums of both images of each method."""
        return [(ImageSums.of(image[0]), ImageSums.of(image[1])) for image in self.jacobians]

    def described(self, methods: Sequence[str]) -> dict[str, object]:
        """Return it as JSON can hold it, with the sums by the methods' ids."""
        return {
            "of": self.asked.question.of,
            "region": self.asked.region,
            "against": self.asked.against or None,
            "problem": self.problem or None,
            "sums": {
                id: {
                    name: {"signed": one.signed, "total": one.total, "negative_share": one.negative}
                    for name, one in zip(("x1", "x2"), both, strict=True)
                }
                for id, both in zip(methods, self.numbers(), strict=False)
            },
        }


def reaches_of(
    services: Services, scene: Scene, pixels: Mapping[str, tuple[int, int]]
) -> dict[str, Reach | None]:
    """Return how far the derivatives at principal pixels reach, by their names.

    ``None`` where the support is the whole image, of which the pages do not ask it either: that would take dozens of
    forward passes.
    """
    if scene.support_radius is None:
        return dict.fromkeys(pixels)
    address = scene.pair_id, scene.method_id, scene.weights_id
    return {name: services.reaches.at(*address, *at) for name, at in pixels.items()}


def described_reach(reaches: Mapping[str, Reach | None]) -> dict[str, object]:
    """Return reaches as JSON can hold them, by the names of the pixels."""
    return {
        name: one and {"own_pixel": list(one.own_pixel), "whole_support": list(one.whole_support)}
        for name, one in reaches.items()
    }

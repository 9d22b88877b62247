"""The documented ways to train a network: what is shown to it, in which order, for how long."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from fusion.errors import FuseVisError

PAIRS_AN_EPOCH = 500
"""Simulated pairs that count as one epoch: the paper trains on several slices of each of 50 patients."""


class TrainingError(FuseVisError):
    """Training cannot start with these options, or went wrong."""


@dataclass(frozen=True)
class Recipe:
    """How a network is trained.

    Attributes
    ----------
    name, about : str
        What it is called, and what it is for.
    patch : int or None
        Pixels a side of the patches that the run begins with; None shows whole images from the first step on.
    batch : int
        Patches, or whole images, in a step.
    whole_images_from : float
        Share of the run from which on whole images are shown, one a step where patches came before.
    batches_a_slice : int
        How many batches a simulated slice stays the newest of the pool that patches are cut from; 0 draws
        new slices for every batch.
    steps : mapping
        Steps by method id, with ``""`` for all others; empty where `epochs` says how long.
    epochs : int or None
        How often all pairs are shown; a simulated epoch has `PAIRS_AN_EPOCH` pairs.
    """

    name: str
    about: str
    patch: int | None
    batch: int
    whole_images_from: float
    batches_a_slice: int
    steps: Mapping[str, int] = field(default_factory=dict)
    epochs: int | None = None

    def length(self, method_id: str, pairs: int | None, batch: int) -> int:
        """Return the steps of a run on so many pairs (None: simulated ones, without end)."""
        if self.epochs is not None:
            return self.epochs * -(-(pairs or PAIRS_AN_EPOCH) // batch)
        return self.steps.get(method_id, self.steps[""])


RECIPES: Mapping[str, Recipe] = MappingProxyType(
    {
        "cpu": Recipe(
            name="cpu",
            about="patches of 96×96 pixels, whole images in the last fifth; at most about 45 minutes on two cores",
            patch=96,
            batch=2,
            whole_images_from=0.8,
            batches_a_slice=4,
            steps=MappingProxyType(
                {
                    "funfusean": 2200,
                    "funfusean_sum": 2000,
                    "masknet": 2200,
                    "deepfuse": 4000,
                    "deep_pedestrian": 2500,
                    "": 2000,
                }
            ),
        ),
        "paper": Recipe(
            name="paper",
            about="200 epochs of whole images, two a step, as section 4.5 of the paper; for a GPU",
            patch=None,
            batch=2,
            whole_images_from=0.0,
            batches_a_slice=0,
            epochs=200,
        ),
    }
)
"""All recipes by name."""


def recipe_named(name: str) -> Recipe:
    """Return a recipe.

    Raises
    ------
    TrainingError
        If there is none of this name.
    """
    try:
        return RECIPES[name]
    except KeyError:
        raise TrainingError(f"There is no recipe {name!r}. Choose one of: {', '.join(RECIPES)}.") from None

"""Explanations of regions: which input pixels a number of a region of the fused image depends on."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cache.jobs.threads import Places
from cache.services.regions import Regions
from cache.services.scenes import Scenes
from cache.store.addresses import ExplanationAddress
from cache.store.serializer import Arrays
from cache.store.store import ArrayStore
from fusion import region_jacobian
from fusion.errors import RegionError
from fusion.saliency.explained_regions import NUMBERS
from fusion.statistics.region_code import decode_mask

BUSY = "The server explains too many regions at once; ask again in a second."
INPUTS = ("x1", "x2")
NO_NUMBER = f"Of a region its {', '.join(NUMBERS)} can be explained."
NO_OTHER = (
    "The mean of a region goes with nothing else, its contrast with a second region, and its ssim with "
    f"{' or '.join(INPUTS)}."
)


@dataclass(frozen=True)
class Question:
    """A number of a region that is to be explained.

    Attributes
    ----------
    of : str
        One of `fusion.saliency.explained_regions.NUMBERS`.
    region : str
        Code of the region, or ``s`` and the id under which the server keeps it.
    against : str
        For ``contrast`` the same of the second region, for ``ssim`` one of `INPUTS`, else nothing.
    """

    of: str
    region: str
    against: str = ""

    def require_fit(self) -> None:
        """Refuse a number that there is none of, or that goes with something else.

        Raises
        ------
        RegionError
        """
        if self.of not in NUMBERS:
            raise RegionError(NO_NUMBER)
        fits = {"mean": not self.against, "contrast": bool(self.against), "ssim": self.against in INPUTS}
        if not fits[self.of]:
            raise RegionError(NO_OTHER)


@dataclass(frozen=True)
class Explained:
    """The question that a view answers, by the names of its regions.

    Attributes
    ----------
    question : Question
        As it is computed.
    region : str
        Name of the region.
    against : str
        Name of the second region or of the input; nothing for a mean.
    """

    question: Question
    region: str
    against: str

    def sentence(self, modalities: Sequence[str]) -> str:
        """Return what is explained, in words; an input is called by its modality."""
        if self.question.of == "mean":
            return f"Mean of {self.region}"
        if self.question.of == "contrast":
            return f"Contrast {self.region} − {self.against}: the difference of their means"
        return f"Local SSIM of {self.region} with {modalities[INPUTS.index(self.against)]}"


class Explanations:
    """Jacobian images of regions, each computed once. Safe to use from several threads.

    Parameters
    ----------
    scenes : Scenes
        What has the pairs and methods.
    regions : Regions
        What keeps long codes.
    store : ArrayStore
        Where explanations are kept.
    threads : int
        Threads of torch.
    """

    def __init__(self, scenes: Scenes, regions: Regions, store: ArrayStore, threads: int) -> None:
        self._scenes, self._regions, self._store = scenes, regions, store
        # Each takes as long as a backward pass of all that the region sees.
        self._places = Places(threads, BUSY)

    def at(self, pair: str, method: str, weights: str, asked: Question) -> np.ndarray:
        """Return the explanation of a region, from the store or computed and kept.

        Parameters
        ----------
        pair, weights : str
            Content id of the pair and sha256 of the weights, 64 hexadecimal digits each.
        method : str
            Id of the method.
        asked : Question
            The number.

        Returns
        -------
        ndarray of float32, shape (2, H, W)
            As `fusion.region_jacobian`, dimensionless: d number / dx1 and d number / dx2.

        Raises
        ------
        UserError
            If any of them does not exist, or not any more; among others `RegionError`, `TooBusyError`.
        """
        chosen, images = self._scenes.addressed(pair, method, weights)
        asked.require_fit()
        region, other = self._regions.resolve(asked.region, images.shape), asked.against
        if asked.of == "contrast":
            other = self._regions.resolve(other, images.shape)

        def compute() -> Arrays:
            against: np.ndarray | int | None = None
            if asked.of == "contrast":
                against = decode_mask(other, images.shape)
            elif asked.of == "ssim":
                against = INPUTS.index(other)
            with self._places.place():
                mask = decode_mask(region, images.shape)
                return {"jacobian": region_jacobian(chosen, images, mask, asked.of, against)}

        digest = hashlib.sha256(f"{asked.of}/{region}/{other}".encode("ascii")).hexdigest()
        return self._store.get_or_compute(ExplanationAddress.of(chosen, images.id, digest), compute)[
            "jacobian"
        ]

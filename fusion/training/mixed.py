"""Training images from a user's folders with some simulated ones among them, so that these are not forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from fusion.data.tissue import FloatArray
from fusion.training.batches import Batch, ImageSource


class MixedSource:
    """Shows batches of two sources in turn, so many of the second that they are a given share.

    Parameters
    ----------
    pairs : ImageSource
        The user's pairs; batch norm is fitted to them, and losses are judged on those of them that are held out.
    simulated : ImageSource
        What is mixed in; the balance of both modalities is judged on its validation images.
    share : float
        Share of the batches that are simulated, above 0 and below 1.
    """

    def __init__(self, pairs: ImageSource, simulated: ImageSource, share: float) -> None:
        self.pairs = pairs
        self.simulated = simulated
        self.share = share
        self.training_pairs = pairs.training_pairs
        self.description: dict[str, Any] = {
            **pairs.description,
            "about": f"{pairs.description['about']} {share:.0%} of the steps: {simulated.description['about']}",
            "simulated": share,
        }

    def batch(self, number: int, count: int, patch: int | None) -> Batch:
        """See `fusion.training.batches.ImageSource`; evenly spread, so that none of either source is skipped."""
        before = int(number * self.share)
        if int((number + 1) * self.share) > before:
            return replace(self.simulated.batch(before, count, patch), simulated=True)
        return self.pairs.batch(number - before, count, patch)

    def calibration(self) -> Sequence[FloatArray]:
        """See `fusion.training.batches.ImageSource`."""
        return self.pairs.calibration()

    def validation(self) -> Sequence[FloatArray]:
        """See `fusion.training.batches.ImageSource`."""
        return self.pairs.validation()

    def fixed(self) -> Sequence[FloatArray]:
        """See `fusion.training.batches.ImageSource`."""
        return self.simulated.validation()

"""What came of one instance, and the numbers that the search chooses by (paper, section 4.6).

The paper asks for three things and looks for them by eye: the losses of both modalities are balanced, the fused
image has no brightness artefact, and it keeps the features of both inputs. Here these are

- the **imbalance** |L_SSIM^MRI − L_SSIM^PET| + w·|L_l2^MRI − L_l2^PET| with w = `L2_WEIGHT`,
- the **artefact** max(|background| / `BACKGROUND_LIMIT`, |shift| / `SHIFT_LIMIT`),
- the **dissimilarity** (L_SSIM^MRI + L_SSIM^PET) / 2.

The loss itself is no measure: λ and both γ, which differ between the instances, are part of it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fusion.training.tuning.plan import Instance

L2_WEIGHT = 10.0
"""What a difference of squared errors counts beside one of dissimilarities. Squared errors are about a tenth as
large: in the paper's Table 1 the means over the networks are 0.239 and 0.019. Without a weight they would hardly
count; dividing by each instance's own losses instead would make a worse network look more balanced."""

BALANCED = 0.1
"""Largest imbalance that counts as balanced. In Table 1 FunFuseAn has 0.092, the other networks at most 0.048."""

BACKGROUND_LIMIT = 0.02
"""Largest |mean fused value| where both inputs are 0, of intensities 0 to 1."""

SHIFT_LIMIT = 0.1
"""Largest |mean of y − (x1 + x2) / 2| inside the head. On the validation slices the mean of both inputs has 0,
networks of Table 1's λ 0.04 to 0.07, weighted averaging 0.08 and the maximum of both inputs 0.13."""


@dataclass(frozen=True)
class InstanceResult:
    """A row of the table: an instance and what came of it.

    Attributes
    ----------
    instance : Instance
        λ and both γ.
    stage : str
        In which stage of the search it was trained.
    losses : mapping
        The parts of equation 4 on the validation slices; empty where training failed.
    brightness : mapping
        Background, shift and frame; None where one is not defined, empty where training failed.
    seconds : float
        How long the training took; 0 where it failed.
    error : str or None
        Why it failed, None where it did not.
    """

    instance: Instance
    stage: str
    losses: Mapping[str, float]
    brightness: Mapping[str, float | None]
    seconds: float = 0.0
    error: str | None = None

    @property
    def failed(self) -> bool:
        """Whether there is nothing to choose: an error, or losses that are not numbers."""
        return self.error is not None or not math.isfinite(self.dissimilarity + self.imbalance)

    @property
    def dissimilarity(self) -> float:
        """Mean over both modalities of 1 − SSIM, 0 to 2; NaN without losses."""
        return (self._loss("ssim_mri") + self._loss("ssim_pet")) / 2

    @property
    def imbalance(self) -> float:
        """How differently both modalities are kept, 0 is the same; NaN without losses."""
        return abs(self._loss("ssim_mri") - self._loss("ssim_pet")) + L2_WEIGHT * abs(
            self._loss("l2_mri") - self._loss("l2_pet")
        )

    @property
    def artefact(self) -> float:
        """The brightness artefact in units of its limits: up to 1 is clean.

        What is not defined (None: no pixel where both inputs are 0) is not counted; what is not a number is
        infinitely bad.
        """
        limits = {"background": BACKGROUND_LIMIT, "shift": SHIFT_LIMIT}
        found = ((self.brightness.get(name), limit) for name, limit in limits.items())
        return max(
            (
                abs(value) / limit if math.isfinite(value) else math.inf
                for value, limit in found
                if value is not None
            ),
            default=0.0,
        )

    @property
    def balanced(self) -> bool:
        """Whether both modalities are kept about equally."""
        return self.imbalance <= BALANCED

    @property
    def clean(self) -> bool:
        """Whether there is no brightness artefact."""
        return self.artefact <= 1

    def values(self) -> dict[str, Any]:
        """Return what was measured, without what follows from it, as what JSON knows."""
        return {
            "lambda": self.instance.lambda_,
            "gamma_ssim": self.instance.gamma_ssim,
            "gamma_l2": self.instance.gamma_l2,
            "stage": self.stage,
            "losses": dict(self.losses),
            "brightness": dict(self.brightness),
            "seconds": self.seconds,
            "error": self.error,
        }

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> InstanceResult:
        """Return the result that `values` was called on.

        Raises
        ------
        KeyError, TypeError, ValueError
            If these are other values.
        """
        return cls(
            Instance(values["lambda"], values["gamma_ssim"], values["gamma_l2"]),
            str(values["stage"]),
            {name: float(value) for name, value in values["losses"].items()},
            {name: None if value is None else float(value) for name, value in values["brightness"].items()},
            float(values["seconds"]),
            values["error"],
        )

    def _loss(self, name: str) -> float:
        return self.losses.get(name, math.nan)

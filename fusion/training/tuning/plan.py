"""Which instances of a network the search trains (paper, section 4.6): grid, neighbours, last values of λ."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from fusion.errors import FuseVisError
from fusion.training.loss import LossBalance

LAMBDAS = (0.01, 0.2, 0.5, 0.8, 0.99)
GAMMAS = (0.1, 0.3, 0.5, 0.7, 0.9)
LAST_LAMBDAS = (0.9, 0.999, 0.9999, 0.99999, 0.999999, 1.0)
"""The corner cases of the loss that the authors tried once both γ were fixed."""

DIGITS = 10
"""Values are rounded to so many decimals, so that 0.1 + 0.2 and 0.3 are one instance."""


class TuningError(FuseVisError):
    """A search cannot start, go on or end with a choice."""


def shown(value: float) -> str:
    """Return a λ or γ as a person writes it: 0.99, 0.999999, 1."""
    return f"{value:.{DIGITS}g}"


@dataclass(frozen=True, order=True)
class Instance:
    """One network of the search, by its weights in equation 4: λ, γ_ssim and γ_l2, each 0 to 1."""

    lambda_: float
    gamma_ssim: float
    gamma_l2: float

    def __post_init__(self) -> None:
        for field in fields(self):
            object.__setattr__(self, field.name, round(float(getattr(self, field.name)), DIGITS))

    def __str__(self) -> str:
        return f"λ {shown(self.lambda_)}, γ_ssim {shown(self.gamma_ssim)}, γ_l2 {shown(self.gamma_l2)}"

    @property
    def key(self) -> str:
        """A name for files and tasks."""
        return f"lambda-{shown(self.lambda_)}_ssim-{shown(self.gamma_ssim)}_l2-{shown(self.gamma_l2)}"

    @property
    def options(self) -> str:
        """The same as options of the command that trains."""
        return (
            f"--lambda {shown(self.lambda_)} --gamma-ssim {shown(self.gamma_ssim)} "
            f"--gamma-l2 {shown(self.gamma_l2)}"
        )

    @property
    def balance(self) -> LossBalance:
        """The weights as the loss takes them."""
        return LossBalance(self.lambda_, self.gamma_ssim, self.gamma_l2)


@dataclass(frozen=True)
class SearchPlan:
    """What a search tries.

    Attributes
    ----------
    lambdas, gammas_ssim, gammas_l2 : tuple of float
        The grid, each value 0 to 1; kept sorted and without repetitions. A γ with a single value stays at it.
    refinements : int
        Rounds of neighbours around the best-balanced γ of each λ; 0 for none.
    last_lambdas : tuple of float
        λ tried at the end with both γ fixed; empty for none.

    Raises
    ------
    TuningError
        If a value is not a share from 0 to 1, a list of the grid is empty or `refinements` negative.
    """

    lambdas: tuple[float, ...] = LAMBDAS
    gammas_ssim: tuple[float, ...] = GAMMAS
    gammas_l2: tuple[float, ...] = GAMMAS
    refinements: int = 1
    last_lambdas: tuple[float, ...] = LAST_LAMBDAS

    def __post_init__(self) -> None:
        for name, sign in _LISTS.items():
            values = getattr(self, name)
            wrong = [value for value in values if not (math.isfinite(value) and 0 <= value <= 1)]
            if wrong:
                raise TuningError(f"{sign} is a share from 0 to 1, not {wrong[0]:g}.")
            if not values and name != "last_lambdas":
                raise TuningError(f"The grid needs at least one value of {sign}.")
            object.__setattr__(self, name, tuple(sorted({round(float(value), DIGITS) for value in values})))
        if self.refinements < 0:
            raise TuningError(f"The rounds of refinement must be 0 or more, not {self.refinements}.")

    @classmethod
    def from_values(cls, values: dict[str, Any]) -> SearchPlan:
        """Return the plan that `values` was called on."""
        arguments: dict[str, Any] = {
            name: tuple(value) if name in _LISTS else value for name, value in values.items()
        }
        return cls(**arguments)

    def values(self) -> dict[str, Any]:
        """Return all as what JSON knows."""
        return {name: list(value) if name in _LISTS else value for name, value in asdict(self).items()}

    def grid(self) -> list[Instance]:
        """Return every combination of the grid, in order."""
        return [
            Instance(*values) for values in itertools.product(self.lambdas, self.gammas_ssim, self.gammas_l2)
        ]

    def neighbours(self, centre: Instance, turn: int) -> list[Instance]:
        """Return the instances around one, of the same λ.

        Up to eight: one step up, down or none in each γ, where a step is half the grid's spacing in the first
        round of refinement and half the one before in each further round. γ stay inside (0, 1), for at its
        ends a modality does not count at all.

        Parameters
        ----------
        centre : Instance
            The best-balanced one so far.
        turn : int
            Round of refinement, from 1.
        """
        step_ssim, step_l2 = (_spacing(values) / 2**turn for values in (self.gammas_ssim, self.gammas_l2))
        found = {
            Instance(
                centre.lambda_, centre.gamma_ssim + up_ssim * step_ssim, centre.gamma_l2 + up_l2 * step_l2
            )
            for up_ssim, up_l2 in itertools.product((-1, 0, 1), repeat=2)
        }
        inside = (one for one in found - {centre} if 0 < one.gamma_ssim < 1 and 0 < one.gamma_l2 < 1)
        return sorted(inside)

    def last(self, centre: Instance) -> list[Instance]:
        """Return the instances of the last stage: the γ of one, with each of the last values of λ."""
        return [Instance(value, centre.gamma_ssim, centre.gamma_l2) for value in self.last_lambdas]

    @property
    def largest_size(self) -> int:
        """The most instances that the search can come to."""
        around = (3 if len(self.gammas_ssim) > 1 else 1) * (3 if len(self.gammas_l2) > 1 else 1) - 1
        refined = self.refinements * around * len(self.lambdas)
        return len(self.grid()) + refined + len(self.last_lambdas)

    def missing(self, earlier: SearchPlan) -> list[str]:
        """Say what an earlier plan has and this one lacks; empty where this one only adds."""
        lacks = []
        for name, sign in _LISTS.items():
            values = [shown(value) for value in getattr(earlier, name) if value not in getattr(self, name)]
            if values:
                lacks.append(f"{sign} {', '.join(values)}")
        if earlier.refinements > self.refinements:
            lacks.append(f"{earlier.refinements} rounds of refinement")
        return lacks


_LISTS = {
    "lambdas": "λ",
    "gammas_ssim": "γ_ssim",
    "gammas_l2": "γ_l2",
    "last_lambdas": "λ of the last stage",
}


def _spacing(values: Sequence[float]) -> float:
    """Return the smallest distance between neighbours of a sorted list, 0 for a single value."""
    return min((after - before for before, after in itertools.pairwise(values)), default=0.0)

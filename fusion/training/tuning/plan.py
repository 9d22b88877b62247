"""Plan of a search (paper, section 4.6): the instances that it tries, and the one that it chooses of their results.

Pure functions: a grid of λ and both γ, the neighbours of the best, the last values of λ; and the rules of the choice.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from fusion.training.tuning.instance import DIGITS, Instance, InstanceResult, TuningError, shown

LAMBDAS = (0.01, 0.2, 0.5, 0.8, 0.99)
GAMMAS = (0.1, 0.3, 0.5, 0.7, 0.9)
LAST_LAMBDAS = (0.9, 0.999, 0.9999, 0.99999, 0.999999, 1.0)
"""The corner cases of the loss that the authors tried once both γ were fixed."""
_LISTS = {
    "lambdas": "λ",
    "gammas_ssim": "γ_ssim",
    "gammas_l2": "γ_l2",
    "last_lambdas": "λ of the last stage",
}

RULES = (
    "lowest dissimilarity of those that are balanced and without a brightness artefact",
    "lowest imbalance of those without a brightness artefact, for none of them is balanced",
    "least brightness artefact, for none is without",
)
"""In this order: a rule holds where the one before has nothing to choose from."""


@dataclass(frozen=True)
class SearchPlan:
    """Everything that a search tries.

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


def _spacing(values: Sequence[float]) -> float:
    """Return the smallest distance between neighbours of a sorted list, 0 for a single value."""
    return min((after - before for before, after in itertools.pairwise(values)), default=0.0)


@dataclass(frozen=True)
class Choice:
    """The chosen instance and the rule, in words, by which it was chosen."""

    result: InstanceResult
    rule: str


def choose(results: Iterable[InstanceResult]) -> Choice | None:
    """Return the instance to train with, or None where all failed."""
    ranked = ranking(results)
    if not ranked or ranked[0].failed:
        return None
    return Choice(ranked[0], RULES[_rule(ranked[0])])


def ranking(results: Iterable[InstanceResult]) -> list[InstanceResult]:
    """Sort results, the chosen one first and those that failed last.

    First come clean and balanced ones by dissimilarity, then clean ones by imbalance, then the others by
    artefact. Equal ones are sorted by what the other rules measure, then by λ and both γ, so that the order
    of the table does not matter.
    """
    return sorted(results, key=_rank)


def best_balanced(results: Iterable[InstanceResult]) -> InstanceResult | None:
    """Return the one of lowest imbalance, around which the search is refined, or None where all failed.

    Equal ones are told apart by dissimilarity, artefact, λ and both γ.
    """
    usable = [one for one in results if not one.failed]
    return min(
        usable, key=lambda one: (one.imbalance, one.dissimilarity, one.artefact, one.instance), default=None
    )


def _rule(result: InstanceResult) -> int:
    if not result.clean:
        return 2
    return 0 if result.balanced else 1


def _rank(result: InstanceResult) -> tuple[Any, ...]:
    if result.failed:
        return (len(RULES), result.instance)
    measures = (result.dissimilarity, result.imbalance, result.artefact)
    rule = _rule(result)
    return (rule, measures[rule], *measures, result.instance)

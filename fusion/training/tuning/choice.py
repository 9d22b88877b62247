"""Which instance the search chooses (paper, section 4.6); pure functions on a table of results."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from fusion.training.tuning.result import InstanceResult


@dataclass(frozen=True)
class Choice:
    """The chosen instance and the rule, in words, by which it was chosen."""

    result: InstanceResult
    rule: str


RULES = (
    "lowest dissimilarity of those that are balanced and without a brightness artefact",
    "lowest imbalance of those without a brightness artefact, for none of them is balanced",
    "least brightness artefact, for none is without",
)
"""In this order: a rule holds where the one before has nothing to choose from."""


def ranking(results: Iterable[InstanceResult]) -> list[InstanceResult]:
    """Sort results, the chosen one first and those that failed last.

    First come clean and balanced ones by dissimilarity, then clean ones by imbalance, then the others by
    artefact. Equal ones are sorted by what the other rules measure, then by λ and both γ, so that the order
    of the table does not matter.
    """
    return sorted(results, key=_rank)


def choose(results: Iterable[InstanceResult]) -> Choice | None:
    """Return the instance to train with, or None where all failed."""
    ranked = ranking(results)
    if not ranked or ranked[0].failed:
        return None
    return Choice(ranked[0], RULES[_rule(ranked[0])])


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

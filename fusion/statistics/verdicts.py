"""What a checklist says: requirements, the numbers they are judged by, and verdicts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """Whether a requirement is met."""

    PASS = "pass"
    FAIL = "fail"
    UNDECIDABLE = "undecidable"


@dataclass(frozen=True)
class Measure:
    """A number that a requirement is judged by.

    Attributes
    ----------
    definition : str
        Where docs/statistics.md defines it.
    value : float
        Dimensionless.
    modality : str
        ``x1`` or ``x2`` where it is of one input alone, else ``both``.
    limits : tuple of float
        Those of the rule: how the number is written says on which side of them it is.
    """

    definition: str
    value: float
    modality: str = "both"
    limits: tuple[float, ...] = ()


@dataclass(frozen=True)
class Requirement:
    """One of the four, judged for one method and pair.

    Attributes
    ----------
    number : int
        1 to 4, as in section 5.3 of the paper.
    title : str
        What is required, in a few words.
    rule : str
        The rule that decides, with its limits.
    measures : tuple of Measure
        The numbers that it was applied to; none where they cannot be had.
    verdict : Verdict
        What the rule says.
    sentence : str
        The verdict and its reason in words.
    """

    number: int
    title: str
    rule: str
    measures: tuple[Measure, ...]
    verdict: Verdict
    sentence: str

"""Table 1 of the paper: its columns, the authors' values, and how rows are written side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from fusion.training.loss import PAPER_BALANCE

ABSENT = "–"
"""What stands in a cell whose number nobody knows."""


@dataclass(frozen=True)
class TableRow:
    """A row of Table 1: what a network was trained for, and how near it came; None where it is not known.

    Attributes
    ----------
    lambda_, gamma_ssim, gamma_l2 : float or None
        The weights of equation 4, each 0 to 1.
    ssim_mri, ssim_pet : float or None
        1 − SSIM of the fused image with the MRI and with the PET, 0 (equal) to 2, dimensionless.
    l2_mri, l2_pet : float or None
        Mean squared difference from the MRI and from the PET, intensities in [0, 1], dimensionless.
    """

    lambda_: float | None = None
    gamma_ssim: float | None = None
    gamma_l2: float | None = None
    ssim_mri: float | None = None
    ssim_pet: float | None = None
    l2_mri: float | None = None
    l2_pet: float | None = None

    @property
    def gap(self) -> float | None:
        """|L_SSIM of the MRI − L_SSIM of the PET|: how far the network favours one of both."""
        if self.ssim_mri is None or self.ssim_pet is None:
            return None
        return abs(self.ssim_mri - self.ssim_pet)

    def numbers(self) -> tuple[float | None, ...]:
        """Return the numbers in the order of `COLUMNS`."""
        return tuple(getattr(self, column.name) for column in COLUMNS)

    def known(self) -> bool:
        """Return True if there is any number in it."""
        return any(number is not None for number in self.numbers())


@dataclass(frozen=True)
class Column:
    """A column: the attribute of `TableRow`, its name for people, and whether it is a setting or a result."""

    name: str
    title: str
    setting: bool = False


COLUMNS = (
    Column("lambda_", "λ", setting=True),
    Column("gamma_ssim", "γ SSIM", setting=True),
    Column("gamma_l2", "γ ℓ2", setting=True),
    Column("ssim_mri", "L SSIM, MRI"),
    Column("ssim_pet", "L SSIM, PET"),
    Column("gap", "SSIM gap"),
    Column("l2_mri", "L ℓ2, MRI"),
    Column("l2_pet", "L ℓ2, PET"),
)


def _paper_row(method_id: str, *losses: float) -> TableRow:
    balance = PAPER_BALANCE[method_id]
    return TableRow(balance.lambda_, balance.gamma_ssim, balance.gamma_l2, *losses)


PAPER_TABLE: Mapping[str, TableRow] = MappingProxyType(
    {
        "funfusean": _paper_row("funfusean", 0.2524, 0.2147, 0.0148, 0.0094),
        "masknet": _paper_row("masknet", 0.2208, 0.2236, 0.0109, 0.0115),
        "deepfuse": _paper_row("deepfuse", 0.2824, 0.2830, 0.0385, 0.0338),
        "deep_pedestrian": _paper_row("deep_pedestrian", 0.2164, 0.2219, 0.0148, 0.0175),
    }
)
"""The paper's Table 1: losses after 200 epochs on the authors' MRI and PET slices, with what their search chose."""

CAPTION = (
    "Table 1 of the paper for these weights and as the authors printed it. Lower losses are better; all are "
    "dimensionless. The paper's are those of the authors' own MRI and PET slices, these of the validation "
    "images that each card names: a difference is one of training and of data. The gap is |MRI − PET|."
)

OWN, PAPER, DIFFERENCE = "these weights", "paper", "difference"


def lines(own: TableRow, paper: TableRow | None) -> list[tuple[str, tuple[float | None, ...]]]:
    """Return a network's lines: its own numbers, where the paper has it, the paper's and own − paper."""
    found = [(OWN, own.numbers())]
    if paper is not None:
        found.append((PAPER, paper.numbers()))
    if paper is not None and own.known():
        pairs = zip(own.numbers(), paper.numbers(), strict=True)
        found.append((DIFFERENCE, tuple(None if a is None or b is None else a - b for a, b in pairs)))
    return found


def shown(kind: str, numbers: tuple[float | None, ...]) -> tuple[str, ...]:
    """Write a line's numbers for people: settings as short as they are, losses with four decimals."""
    return tuple(
        _shown(number, column.setting, kind == DIFFERENCE)
        for number, column in zip(numbers, COLUMNS, strict=True)
    )


def _shown(number: float | None, setting: bool, signed: bool) -> str:
    if number is None:
        return ABSENT
    if setting:
        # Differences of shares such as 0.52 − 0.5 are not exact.
        text = f"{round(number, 6):+g}" if signed and round(number, 6) else f"{round(number, 6):g}"
    else:
        text = f"{number:+.4f}" if signed else f"{number:.4f}"
    return text.replace("-", "−")

"""The columns of the tables of numbers: what stands above them, and what they mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fusion.statistics.guidance import DOMINANCE_RATIO, SMALLEST_LINE_SHARE

Column = dict[str, Any]
"""``group`` and ``label`` stand above it, ``title`` says what its numbers are, ``meaning`` what those of its group are;
``numeric`` says whether they are numbers."""

CAPTIONS = {
    "guidance": "Guidance images by region, dimensionless",
    "influence": "Influence on pinned pixels and on regions; radii in pixels, the rest dimensionless",
    "checklist": "The paper's four requirements, by method",
}
ABOUT = {
    "guidance": (
        "Guidance says by how much a fused pixel changes when the input pixel at the same place changes a little: 1, "
        "by as much; 0, not at all; below 0, the other way round. The table describes its values in each region."
    ),
    "influence": (
        "Influence says how much fused pixels change when input pixels change, those near and those far: the Jacobian "
        "images J, of a pinned pixel or of all pixels of a region together."
    ),
    "checklist": (
        "What a fused picture should offer to somebody who looks at a glioma. Each method is judged by the rule above "
        "its column, on this pair and in these regions."
    ),
}
"""What the tables are about, for readers who do not know the paper."""

VERDICTS = (
    ("pass ✓", "the rule is met"),
    ("fail ✗", "the rule is not met"),
    (
        "undecidable ?",
        "the rule cannot be applied: a region is missing, or the pair does not show what it asks for",
    ),
    ("waiting …", "guidance images or influence are not computed yet"),
)

DOMINATES = "Dominates"
RADIUS = "Radius in pixels, by the larger of row and column distance,"
OUTSIDE = "From outside"


def guidance_columns(modalities: tuple[str, str]) -> list[Column]:
    """Return those of the guidance images by region."""
    first, second = modalities
    both = f"guidance {first} and guidance {second}"
    return [
        _column("Region", "Region of interest", numeric=False),
        _column("Method", "Fusion method", numeric=False),
        _column("n", "Pixels of the region with finite guidance"),
        *_each("Mean", "Mean of the guidance image", modalities),
        *_each("Median", "Median of the guidance image", modalities),
        *_each("Std", "Standard deviation of the guidance image", modalities),
        *_each("> 0", "Share of pixels where a brighter input makes the fused pixel brighter", modalities),
        *_each("= 0", "Share of pixels where the input changes nothing", modalities),
        *_each("< 0", "Share of pixels where a brighter input makes the fused pixel darker", modalities),
        _column(
            "Who",
            f"By mean |guidance|, at least {DOMINANCE_RATIO:g} times the other",
            DOMINATES,
            numeric=False,
        ),
        _column("Ratio", f"Mean |guidance {first}| divided by mean |guidance {second}|", DOMINATES),
        _column("Diff.", f"Mean |guidance {first}| minus mean |guidance {second}|", DOMINATES),
        _column(
            "Pixels", f"Share of pixels with |guidance {first}| larger than |guidance {second}|", DOMINATES
        ),
        _column("Pearson", f"Pearson correlation of {both} over n pixels"),
        _column("Spearman", f"Spearman rank correlation of {both} over n pixels"),
        _column(
            "Slope",
            f"Guidance {second} over guidance {first}, total least squares; – where the share along the line is "
            f"below {SMALLEST_LINE_SHARE:g}: it would mean nothing there",
        ),
        _column("Line", "Share of all variance along that line: 1, all on it; 0.5, a round cloud"),
    ]


def influence_columns(modalities: tuple[str, str]) -> list[Column]:
    """Return those of the influence on principal pixels and regions."""
    return [
        _column(
            "Region or pixel", "Principal pixels: those of the fused image that are influenced", numeric=False
        ),
        _column("Method", "Fusion method", numeric=False),
        _column("Used", "Principal pixels that stand for the region, of all its pixels"),
        *_each("Total Σ |J|", "Total influence; of regions the mean over the pixels used", modalities),
        *_each(
            "Signed Σ J", "Answer to a brighter input; of regions the mean over the pixels used", modalities
        ),
        *_each("Radius 50 %", f"{RADIUS} with 50 % of |J|", modalities),
        *_each("Radius 90 %", f"{RADIUS} with 90 % of |J|", modalities),
        *_each(OUTSIDE, "Share of |J| outside the region", modalities),
        _column("both", "Share of |J| of both inputs outside the region", OUTSIDE),
        *_each(
            "Gini",
            "Gini index of |J| over the window of the support: 0, even; near 1, all in few pixels",
            modalities,
        ),
    ]


def _column(label: str, title: str, group: str = "", numeric: bool = True, meaning: str = "") -> Column:
    return {
        "group": group, "label": label, "title": title, "numeric": numeric, "meaning": meaning or title,
    }  # fmt: skip


def _each(group: str, meaning: str, modalities: Sequence[str]) -> list[Column]:
    return [_column(modality, f"{meaning}, {modality}", group, meaning=meaning) for modality in modalities]

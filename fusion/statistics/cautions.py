"""What to know before numbers are relied on: gradients that are not finite or too large to be believed."""

from __future__ import annotations

from fusion.saliency.window import SUSPICIOUS_GRADIENT
from fusion.statistics.comparison import MethodComparison


def cautions(comparison: MethodComparison) -> list[str]:
    """Return a sentence for each reason to be careful with a method's numbers; none for most."""
    found = []
    if pixels := comparison.suspicious:
        several = f"{pixels} pixels with guidance values that are"
        what = "1 pixel with a guidance value that is" if pixels == 1 else several
        found.append(
            f"{comparison.title} has {what} not finite or larger than {SUSPICIOUS_GRADIENT:,.0f}: those that are not "
            "finite are in no number, the others are."
        )
    for one in comparison.region_influence:
        if one.left_out:
            some = f"{one.left_out} of {one.used + one.left_out} principal pixels"
            found.append(
                f"{comparison.title}, {one.region}: {some} are not in the influence, since gradients of theirs are not "
                "finite."
            )
    return found

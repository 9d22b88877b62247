"""Loss curves for print (paper, Figure 3): four panels with shared axes, one colour a network."""

from __future__ import annotations

import io
from collections.abc import Sequence

from fusion.report.report import NetworkReport

PANELS = (
    ("ssim_mri", "L SSIM, MRI"),
    ("ssim_pet", "L SSIM, PET"),
    ("l2_mri", "L ℓ2, MRI"),
    ("l2_pet", "L ℓ2, PET"),
)
"""The losses that are drawn, from upper left to lower right."""

PALETTE = ("#2b7bba", "#d9600a", "#1a9070", "#b8579b", "#9a7b00", "#7a6fd0", "#6d7680", "#d8453a")
"""Colours that can be told apart, with deficient colour vision too, on white and on near-black."""

CURVES_CAPTION = (
    "Thin lines: training, averaged over about 50 steps. Points: whole validation images. The losses of the "
    "first steps may lie above the panels."
)
SETTLED = 0.1
"""Share of a run after which no loss may lie outside a panel."""

TRAINING, VALIDATION = "training", "validation"


def network_colours(method_ids: Sequence[str]) -> dict[str, str]:
    """Return a colour for each network, by its place among all of them."""
    return {id: PALETTE[index % len(PALETTE)] for index, id in enumerate(method_ids)}


def upper_ends(networks: Sequence[NetworkReport]) -> dict[str, float]:
    """Return where the axes of the ``ssim`` and the ``l2`` panels end: above all but the first losses.

    From 0 to the loss of an untrained network, the differences between trained ones could not be seen.
    """
    ends = {}
    for row in ("ssim", "l2"):
        names = [name for name, _ in PANELS if name.startswith(row)]
        losses = [
            point.losses[name]
            for network in networks
            for point in network.curve
            for name in names
            if point.fraction >= SETTLED
        ]
        ends[row] = 1.05 * max(losses, default=1.0)
    return ends


def curves_svg(networks: Sequence[NetworkReport]) -> str | None:
    """Draw the loss curves: thin lines for training patches, marked points for whole validation images.

    Parameters
    ----------
    networks : sequence of NetworkReport
        All networks; those without a curve keep their colour and are left out.

    Returns
    -------
    str or None
        An ``<svg>`` element, None where no network has a curve.
    """
    drawn = [network for network in networks if network.curve]
    if not drawn:
        return None
    # Here and not above: matplotlib is slow to import, and only this picture needs it.
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    ends = upper_ends(drawn)
    colours = network_colours([network.method_id for network in networks])
    with matplotlib.rc_context({"svg.fonttype": "path", "svg.hashsalt": "fusevis", "font.size": 9}):
        figure = Figure(figsize=(8.6, 5.6), layout="constrained")
        FigureCanvasSVG(figure)
        grid = figure.subplots(2, 2, sharex=True, sharey="row")
        for axes, (loss, title) in zip(grid.flat, PANELS, strict=True):
            for network in drawn:
                for kind, look in _looks(colours[network.method_id]).items():
                    points = [point for point in network.curve if point.set == kind]
                    axes.plot(
                        [100 * point.fraction for point in points],
                        [point.losses[loss] for point in points],
                        **look,
                    )
            axes.set_title(title)
            axes.set_ylim(0, ends[loss.partition("_")[0]])
            axes.grid(color="#dddddd", linewidth=0.5)
            axes.spines[["top", "right"]].set_visible(False)
        for axes in grid[-1]:
            axes.set_xlabel("finished share of the run (%)")
        for axes in grid[:, 0]:
            axes.set_ylabel("loss (dimensionless)")
        handles = [
            Line2D(
                [],
                [],
                color=colours[network.method_id],
                marker="o",
                markersize=4,
                label=_plain(network.title),
            )
            for network in drawn
        ]
        figure.legend(handles=handles, loc="outside upper center", ncols=min(len(drawn), 5), frameon=False)
        stream = io.StringIO()
        figure.savefig(
            stream, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None}
        )
    text = stream.getvalue()
    return text[text.index("<svg") :]


def _looks(colour: str) -> dict[str, dict[str, object]]:
    return {
        TRAINING: {"color": colour, "linewidth": 0.8, "alpha": 0.65},
        VALIDATION: {"color": colour, "linewidth": 0, "marker": "o", "markersize": 3.5},
    }


def _plain(title: str) -> str:
    """Return a title in which matplotlib sees no formula."""
    return title.replace("$", r"\$")

"""Hovering while guidance images or an atlas are computed: ``python -m benchmarks.background``."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import typer

from benchmarks.figures import Figure, console, figures_table
from benchmarks.images import of_side
from benchmarks.inside import hover, services_for

VIEWER = "benchmark"
SLOWER = 2.0
"""How many times as long the slowest answers may take beside long work."""


def main(
    method: Annotated[str, typer.Option(help="Id of the method that is hovered over.")] = "funfusean",
    other: Annotated[str, typer.Option(help="Id of the method of the long work.")] = "deep_pedestrian",
    seconds: Annotated[float, typer.Option(min=0.5, help="For each part.")] = 15.0,
    side: Annotated[int, typer.Option(min=16, help="Of the image, pixels.")] = 256,
) -> None:
    """Measure answers on an idle server, beside a guidance image, and beside an atlas."""
    with services_for(of_side(side)) as (services, atlases):
        scene, busy = services.scene("own", method), services.scene("own", other)
        hover(services, scene, 2.0, 0)
        idle = hover(services, scene, seconds, 1)
        services.guidance_state(busy, VIEWER)
        beside_guidance = hover(
            services, scene, seconds, 2, lambda: _still(services.guidance_state(busy, VIEWER, False).running)
        )
        services.cancel_guidance(busy, VIEWER)
        atlases.start(busy, VIEWER)
        beside_atlas = hover(services, scene, seconds, 3, lambda: _still(atlases.state(busy, VIEWER).running))
        atlases.cancel(busy, VIEWER)
    first, second, third = (float(np.quantile(part, 0.95)) for part in (idle, beside_guidance, beside_atlas))
    console.print(
        figures_table(
            f"Hovering over {method}, beside work on {other}",
            [
                Figure("p95 of an idle server", first * 1e3, "ms"),
                Figure("p95 beside guidance images ÷ idle", second / first, "×", SLOWER),
                Figure("p95 beside an atlas ÷ idle", third / first, "×", SLOWER),
            ],
        )
    )


def _still(running: bool) -> None:
    if not running:
        console.print("The long work ended early: use a larger --side or fewer --seconds.", style="bold red")


if __name__ == "__main__":
    typer.run(main)

"""The ratios of full-image autograd and ours, with what they must reach."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks import limits
from benchmarks.figures import Figure
from benchmarks.limits import Limit
from benchmarks.measurement import BATCH, Measurement


def ratio_figures(measurements: Sequence[Measurement], on_cpu: bool) -> list[Figure]:
    """Return the ratios of each method; limits are for the trained networks on a CPU, at 256×256 pixels."""
    found: list[Figure] = []
    for entry in measurements:
        ratios: list[tuple[str, float, dict[str, Limit]]] = [
            ("one Jacobian", entry.baseline / entry.single, limits.JACOBIAN_RATIO),
            (f"a pixel in batches of {BATCH}", entry.baseline / entry.batched, limits.BATCH_RATIO),
        ]
        if entry.guidance is not None and entry.guidance_baseline is not None:
            guidance = entry.guidance_baseline / entry.guidance
            ratios.append(("guidance images", guidance, limits.GUIDANCE_RATIO))
        is_standard = on_cpu and entry.shape == (limits.SIDE, limits.SIDE)
        found += [
            Figure.beside(
                f"{entry.method}: {name}, baseline ÷ ours",
                ratio,
                "×",
                wanted.get(entry.id) if is_standard else None,
            )
            for name, ratio, wanted in ratios
        ]
    return found

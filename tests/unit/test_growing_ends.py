"""Ends of scales while guidance images grow: the page colours Jacobian images by them, so they may not jump."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import fusion
from fusion.colours import Limits, Scale
from fusion.saliency.guidance import coarse_guidance
from tests.unit.reference import drawn_method, random_pair, trained_method

LARGEST_STEP = 2.4
"""Of one end to the next, as a ratio: up to 1.6 was seen of networks that were drawn, up to 1.2 of trained ones; 2.4 is
what a window's own largest value may be away from that of all windows."""


@pytest.mark.parametrize("drawn", [True, False])
def test_from_the_coarse_grid_to_the_last_lattice_no_end_jumps(drawn: bool, rng: np.random.Generator) -> None:
    method = drawn_method("deepfuse") if drawn else trained_method("masknet")
    pair = random_pair(rng, (40, 40))
    coarse = coarse_guidance(method, pair, 10)
    for spacing in (5, 3):
        grid = coarse_guidance(method, pair, spacing)
        coarse = np.where(np.isnan(grid), coarse, grid)
    limits = [Limits.of(coarse)]
    final = fusion.guidance(
        method,
        pair,
        lambda done, total, partial: limits.append(Limits.of(np.where(np.isnan(partial), coarse, partial))),
    )
    assert len(limits) > 10
    for scale in Scale:
        ends = [one.end(scale) for one in limits]
        assert ends[-1] == pytest.approx(Limits.of(final).end(scale))
        steps = [max(end / last, last / end) for last, end in itertools.pairwise(ends)]
        assert max(steps) < LARGEST_STEP, (scale, ends)

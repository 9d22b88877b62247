"""The answer of a fused picture to a core that is dim on PET instead of dead."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

import fusion
from fusion.saliency.window import Box
from fusion.statistics.dim_core import core_response
from fusion.statistics.regions import box_region, whole_image
from tests.unit.reference import drawn_method, random_pair

SHAPE = (40, 44)
CORE, RIM = box_region("core", Box(0, 0, 4, 5), SHAPE), box_region("rim", Box(4, 0, 9, 8), SHAPE)


def gradient_pair(rng: np.random.Generator, contrast: float) -> fusion.Pair:
    """Return a pair of noise in which the rim is brighter than the core on PET by a given mean."""
    images = 0.2 + random_pair(rng, SHAPE).images.astype(np.float64) / 4
    images[1][RIM.mask] += contrast - (images[1][RIM.mask].mean() - images[1][CORE.mask].mean())
    return fusion.Pair(images.astype(np.float32))


def test_known_functions(rng: np.random.Generator) -> None:
    def falls(x1: Tensor, x2: Tensor) -> Tensor:
        return x1 - 0.25 * x2

    pair = gradient_pair(rng, 0.4)
    method = fusion.Method.from_module(falls, "falls", "Falls")
    assert core_response(method, pair, (CORE, RIM), "float64") == pytest.approx(-0.25)
    mean = fusion.load_method("plain_mean", "cpu")
    assert core_response(mean, pair, (CORE, RIM, whole_image(SHAPE))) == pytest.approx(0.5, abs=1e-6)


@pytest.mark.parametrize("id", ["deepfuse", "masknet"])
def test_a_crop_is_enough(id: str, rng: np.random.Generator) -> None:
    method, pair = drawn_method(id), gradient_pair(rng, 0.4)
    x2 = pair.images[1].astype(np.float64)
    step = (x2[RIM.mask].mean() - x2[CORE.mask].mean()) / 2
    dead, dim = (torch.tensor(pair.images[None], dtype=torch.float64) for _ in range(2))
    dim[0, 1][torch.tensor(CORE.mask)] += step
    network = method.network_as(torch.float64)
    with torch.no_grad():
        fused = [network(images[:, :1], images[:, 1:])[0, 0].numpy()[CORE.mask] for images in (dead, dim)]
    expected = (fused[1].mean() - fused[0].mean()) / step
    assert core_response(method, pair, (CORE, RIM), "float64") == pytest.approx(expected, rel=1e-9)


def test_nothing_is_said_without_a_dark_core(rng: np.random.Generator) -> None:
    method = fusion.load_method("plain_mean", "cpu")
    assert math.isnan(core_response(method, gradient_pair(rng, 0.04), (CORE, RIM)))
    assert math.isnan(core_response(method, gradient_pair(rng, 0.4), (CORE,)))

"""Fused images of changed inputs around the change, against the network on the whole changed images, in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

import fusion
from fusion import Method, Pair
from fusion.fusing import fused_around
from fusion.saliency.window import Box
from tests.unit.reference import drawn_method, random_pair
from tests.unit.small_networks import Attention, Strided

SHAPE = (40, 43)
STAMPS = (Box(0, 0, 3, 3), Box(38, 40, 40, 43), Box(18, 20, 21, 22))
"""At two corners, and inside."""


def whole(method: Method, images: NDArray[np.floating]) -> NDArray[np.float64]:
    x1, x2 = (torch.tensor(image, dtype=torch.float64)[None, None] for image in images)
    with torch.no_grad():
        found: NDArray[np.float64] = method.network_as(torch.float64)(x1, x2)[0, 0].numpy()
    return found


def check(method: Method, pair: Pair, rng: np.random.Generator) -> None:
    before, change = whole(method, pair.images), np.zeros((2, *pair.shape))
    for box in STAMPS:
        change[:, box.rows(), box.columns()] = rng.normal(0, 0.3, (2, *box.shape))
        after = whole(method, pair.images + change)
        seen, values = fused_around(method, pair, change, box, "float64")
        # Put over what was before, the part makes the whole image of the changed inputs, change after change.
        before[seen.rows(), seen.columns()] = values
        np.testing.assert_allclose(before, after, rtol=0, atol=1e-13 * np.abs(after).max())


@pytest.mark.parametrize("id", fusion.method_ids())
def test_around_a_stamp_it_is_the_whole_image(id: str, rng: np.random.Generator) -> None:
    check(drawn_method(id), random_pair(rng, SHAPE), rng)


@pytest.mark.parametrize("network", [Attention(), Strided()])
def test_networks_of_other_kinds(network: nn.Module, rng: np.random.Generator) -> None:
    check(Method.from_module(network, "own", "Own"), random_pair(rng, SHAPE), rng)


def test_only_what_the_stamp_reaches_is_computed(rng: np.random.Generator) -> None:
    method, pair = drawn_method("masknet"), random_pair(rng, SHAPE)
    seen, values = fused_around(method, pair, np.zeros((2, *SHAPE)), Box(18, 20, 21, 22))
    assert seen == Box(10, 12, 29, 30) and values.shape == (19, 18) and values.dtype == np.float32
    assert fused_around(method, pair, np.zeros((2, *SHAPE)), Box(0, 0, 1, 1))[0] == Box(0, 0, 9, 9)


@pytest.mark.parametrize("box", [Box(0, 0, 0, 3), Box(-1, 0, 2, 3), Box(0, 0, 41, 3), Box(5, 5, 4, 9)])
def test_parts_of_other_images_are_refused(box: Box, rng: np.random.Generator) -> None:
    with pytest.raises(ValueError, match="no part"):
        fused_around(drawn_method("masknet"), random_pair(rng, SHAPE), np.zeros((2, *SHAPE)), box)

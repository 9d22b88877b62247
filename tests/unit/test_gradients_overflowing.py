"""Where a chain's numbers overflow, autograd has the word, whether they are NaN, +inf or −inf.

Catches by hand-made faults: a fallback that looks for NaN alone (`isnan` in place of `isfinite`), and guidance images
whose numbers that are not finite are left as they are.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

import fusion
from tests.unit.reference import relative_error, whole_image_jacobian

PIXEL = (7, 9)
"""Black in x1: the only place where the network is steep."""


class Steep(nn.Module):
    """y whose derivative at x1 = 0 is about 1e8, made of factors whose product is above 3e38 on the way.

    d/dx1 log(x1 + 1e-38) · (100·x2 + 1) is up to 1e40, which float32 does not hold; 1e-30 follows, so that what
    autograd multiplies from the output's side never leaves its range. `sign` is that of the factor.
    """

    def __init__(self, sign: float) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.sign = sign
        self.first = nn.Conv2d(2, 4, 5, padding=2, bias=False)
        self.last = nn.Conv2d(4, 1, 5, padding=2, bias=False)

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        steep = torch.log(x1 + 1e-38) * (100 * x2 + 1)
        result: Tensor = self.last(torch.tanh(self.first(torch.cat((self.sign * 1e-30 * steep, x2), dim=1))))
        return result


@pytest.fixture(scope="module")
def pair() -> fusion.Pair:
    images = 0.05 + 0.9 * np.random.default_rng(1).random((2, 20, 22))
    images[0, *PIXEL] = 0
    images[:, 0, :2] = np.array([[1, 0.5], [0, 1]])
    return fusion.Pair.from_arrays(*images)


def in_float64(method: fusion.Method, pair: fusion.Pair, pixel: tuple[int, int]) -> NDArray[np.float64]:
    expected = whole_image_jacobian(method, pair, pixel)
    assert np.isfinite(expected).all() and np.abs(expected).max() > 1e7, "the network is steep here"
    return expected


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_window_that_overflows_is_autograds(pair: fusion.Pair, sign: float) -> None:
    method = fusion.Method.from_module(Steep(sign), "steep", "Steep")
    around = [PIXEL, (PIXEL[0] + 2, PIXEL[1] - 1)]
    far = (PIXEL[0] + 8, PIXEL[1])
    *steep, plain = fusion.jacobians(method, pair, [*around, far])
    assert plain.path == "chain" and not plain.suspicious, "what does not overflow needs no fallback"
    for pixel, window in zip(around, steep, strict=True):
        assert window.path == "window" and window.suspicious
        assert relative_error(window.dense(), in_float64(method, pair, pixel)) <= 1e-4


def test_a_guidance_image_that_overflows_is_autograds(pair: fusion.Pair) -> None:
    method = fusion.Method.from_module(Steep(1.0), "steep", "Steep")
    found = fusion.guidance(method, pair)
    assert np.isfinite(found).all()
    expected = in_float64(method, pair, PIXEL)[:, *PIXEL]
    np.testing.assert_allclose(found[:, *PIXEL], expected, rtol=1e-4)
    beside = PIXEL[0], PIXEL[1] + 1
    np.testing.assert_allclose(
        found[:, *beside], whole_image_jacobian(method, pair, beside)[:, *beside], rtol=1e-4, atol=1e-6
    )


def test_gradients_that_are_infinite_indeed_are_told() -> None:
    """Autograd's own +inf, −inf and NaN stay, and the window says that it is suspicious."""

    class Root(nn.Module):
        def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
            return torch.sqrt(x1) - torch.sqrt(x2)

    method = fusion.Method.from_module(Root(), "root", "Root")
    pair = fusion.Pair.from_arrays([[0.0, 0.25], [1.0, 1.0]], [[1.0, 0.25], [0.0, 1.0]])
    windows = fusion.jacobians(method, pair, [(0, 0), (0, 1), (1, 0)])
    # d√x/dx = 1 / (2·√x).
    at = [window.at_principal.tolist() for window in windows]
    assert at == [[np.inf, -0.5], [1.0, -1.0], [0.5, -np.inf]]
    assert [window.suspicious for window in windows] == [True, False, True]
    assert [window.path == "window" for window in windows] == [True, False, True]
    guidance = fusion.guidance(method, pair)
    np.testing.assert_array_equal(guidance[:, 0, 0], [np.inf, -0.5])

"""Responses and Jacobians of regions against whole-image autograd, in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

import fusion
from fusion import Method, Pair
from fusion.errors import NoDerivativeError, RegionError
from fusion.saliency import guidance as guidance_module
from fusion.saliency import products as products_module
from fusion.training.loss import dissimilarity, local_similarity
from tests.unit.reference import (
    drawn_method,
    random_pair,
    relative_error,
    trained_method,
    whole_image_jacobian,
)
from tests.unit.small_networks import Attention, Kinks, OneInput, Strided

SHAPE = (16, 17)
TOLERANCE = 1e-10


def some_change(rng: np.random.Generator, shape: tuple[int, int]) -> NDArray[np.float64]:
    """Draw a change of a few pixels of both images, at a border and elsewhere."""
    change = np.zeros((2, *shape))
    top, left = (int(rng.integers(side - 3)) for side in shape)
    change[:, top : top + 3, left : left + 3] = rng.normal(0, 0.2, (2, 3, 3))
    change[int(rng.integers(2)), 0, : int(rng.integers(1, shape[1]))] = 0.1
    return change


def fused_by_hand(method: Method, images: NDArray[np.floating]) -> Tensor:
    x1, x2 = (torch.tensor(image, dtype=torch.float64)[None, None] for image in images)
    result: Tensor = method.network_as(torch.float64)(x1, x2)[0, 0]
    return result


def product_by_hand(
    method: Method, images: NDArray[np.floating], change: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Return J·Δ by the derivative of Jᵀ·u, and by Jacobian images at two pixels to be sure of that."""
    leaf = torch.tensor(images, dtype=torch.float64).requires_grad_()
    fused = method.network_as(torch.float64)(leaf[None, :1].clone(), leaf[None, 1:].clone())[0, 0]
    rows = [torch.autograd.grad(one, leaf, retain_graph=True)[0] for one in fused.reshape(-1)]
    return np.array([float((row * torch.tensor(change)).sum()) for row in rows]).reshape(fused.shape)


@pytest.mark.parametrize("id", fusion.method_ids())
def test_methods(id: str, rng: np.random.Generator) -> None:
    """Each part against its definition; J·Δ at a few pixels only, by their whole Jacobian images."""
    method, pair = drawn_method(id), random_pair(rng, SHAPE)
    change = some_change(rng, SHAPE)
    found = fusion.response(method, pair, change, "float64")
    expected = fused_by_hand(method, pair.images + change) - fused_by_hand(method, pair.images)
    assert np.abs(found.true - expected.detach().numpy()).max() <= TOLERANCE
    places = np.argwhere(np.abs(found.linear) > 0)
    scale = np.abs(found.linear).max()
    for row, column in places[rng.integers(len(places), size=3)]:
        linear = (whole_image_jacobian(method, pair, (row, column)) * change).sum()
        assert abs(found.linear[row, column] - linear) <= TOLERANCE * scale
    row, column = places[rng.integers(len(places))]
    path = 0.0
    for step in range(8):
        leaf = torch.tensor(pair.images + (step + 0.5) / 8 * change, dtype=torch.float64).requires_grad_()
        fused = method.network_as(torch.float64)(leaf[None, :1], leaf[None, 1:])[0, 0, row, column]
        path += float((torch.autograd.grad(fused, leaf)[0] * torch.tensor(change)).sum()) / 8
    assert abs(found.path[row, column] - path) <= TOLERANCE * np.abs(found.path).max()


@pytest.mark.parametrize("network", [Attention(), Strided(), Kinks(), OneInput()])
def test_networks_of_every_path(network: nn.Module, rng: np.random.Generator) -> None:
    method, pair = Method.from_module(network, "own", "Own"), random_pair(rng, (24, 24))
    change = some_change(rng, (24, 24))
    found = fusion.response(method, pair, change, "float64")
    expected = (
        (fused_by_hand(method, pair.images + change) - fused_by_hand(method, pair.images)).detach().numpy()
    )
    assert relative_error(found.true, expected) <= TOLERANCE
    assert relative_error(found.linear, product_by_hand(method, pair.images, change)) <= TOLERANCE


def test_tiles_change_nothing(
    small: Method, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = random_pair(rng, (60, 71))
    change, mask = rng.normal(0, 0.1, (2, 60, 71)), rng.random((60, 71)) < 0.5
    one, image = fusion.response(small, pair, change, "float64"), fusion.region_jacobian(small, pair, mask)
    monkeypatch.setattr(products_module, "UNMEASURED", 100)
    monkeypatch.setattr(guidance_module, "GRAPH_BYTES", 100_000)
    many = fusion.response(small, pair, change, "float64")
    for name in ("true", "linear", "path"):
        assert relative_error(getattr(many, name), getattr(one, name)) <= 1e-12
    assert relative_error(fusion.region_jacobian(small, pair, mask), image) <= 1e-5


def test_the_path_comes_to_the_true_change_and_errors_say_so(rng: np.random.Generator) -> None:
    """The midpoint rule is exact for a square, but where weights are held constant no path leads to the truth."""
    square = Method.from_module(lambda x1, x2: x1 * x2 + x2 * x2, "square", "Square")
    pair, change = random_pair(rng, SHAPE), some_change(rng, SHAPE)
    found = fusion.response(square, pair, change, "float64")
    assert found.path_error <= 1e-12 < found.linear_error
    nothing = fusion.response(square, pair, np.zeros((2, *SHAPE)))
    assert not nothing.true.any() and not nothing.linear.any() and np.isnan(nothing.path_error)
    bright = Pair(np.full((2, 4, 4), 0.5, dtype=np.float32))
    brighter = np.zeros((2, 4, 4))
    brighter[0, 1, 1] = 0.25
    errors = [
        fusion.response(trained_method(id), bright, brighter, "float64").path_error
        for id in ("weighted_averaging", "weighted_averaging_true")
    ]
    assert errors[0] > 0.05 and errors[1] < 0.01


def test_what_cannot_be_a_change_is_refused(small: Method, rng: np.random.Generator) -> None:
    pair = random_pair(rng, (9, 9))
    for change in (np.zeros((9, 9)), np.full((2, 9, 9), np.nan)):
        with pytest.raises(ValueError, match="finite numbers"):
            fusion.response(small, pair, change)


def test_a_network_that_cannot_be_differentiated_twice_is_told(rng: np.random.Generator) -> None:
    class Once(torch.autograd.Function):
        @staticmethod
        def forward(ctx: object, x: Tensor) -> Tensor:
            return 2 * x

        @staticmethod
        @torch.autograd.function.once_differentiable
        def backward(ctx: object, grad: Tensor) -> Tensor:
            return 2 * grad

    method = Method.from_module(lambda x1, x2: Once.apply(x1) + x2, "once", "Once")
    with pytest.raises(NoDerivativeError, match="multiplied by a change"):
        fusion.response_map(method, random_pair(rng, (8, 8)))


@pytest.mark.parametrize("id", fusion.method_ids())
def test_the_response_map_is_the_sum_of_each_jacobian_image(id: str, rng: np.random.Generator) -> None:
    method, pair = drawn_method(id), random_pair(rng, SHAPE)
    found = fusion.response_map(method, pair, dtype="float64")
    for pixel in ((0, 0), (int(rng.integers(SHAPE[0])), int(rng.integers(SHAPE[1])))):
        expected = whole_image_jacobian(method, pair, pixel).sum(axis=(1, 2))
        assert np.abs(found[:, *pixel] - expected).max() <= TOLERANCE * np.abs(found).max()


def number_by_hand(fused: Tensor, image: Tensor, mask: Tensor, of: str, other: Tensor) -> Tensor:
    if of == "mean":
        return fused[mask].mean()
    if of == "contrast":
        return fused[mask].mean() - fused[other].mean()
    windows = []
    for row, column in mask.nonzero().tolist():
        if 5 <= row < mask.shape[0] - 5 and 5 <= column < mask.shape[1] - 5:
            part = (slice(row - 5, row + 6), slice(column - 5, column + 6))
            windows.append(1 - dissimilarity(image[part][None, None], fused[part][None, None]))
    return torch.stack(windows).mean()


@pytest.mark.parametrize("of", ["mean", "contrast", "ssim"])
@pytest.mark.parametrize("id", fusion.method_ids())
def test_regions(id: str, of: str, rng: np.random.Generator) -> None:
    method, pair = drawn_method(id), random_pair(rng, SHAPE)
    mask, other = rng.random((2, *SHAPE)) < 0.2
    mask[8, 8] = other[0, 0] = True
    index = int(rng.integers(2))
    against = {"mean": None, "contrast": other, "ssim": index}[of]
    found = fusion.region_jacobian(method, pair, mask, of, against, "float64")
    leaf = torch.tensor(pair.images, dtype=torch.float64).requires_grad_()
    fused = method.network_as(torch.float64)(leaf[None, :1], leaf[None, 1:])[0, 0]
    image = leaf[index].detach()
    number = number_by_hand(fused, image, torch.tensor(mask), of, torch.tensor(other))
    assert relative_error(found, torch.autograd.grad(number, leaf)[0].numpy()) <= 1e-9


def test_a_small_region_of_a_large_image_costs_its_support_alone(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    original = products_module.apply_network

    def noticed(network: nn.Module, inputs: Tensor) -> Tensor:
        seen.append(inputs.shape[-1])
        return original(network, inputs)

    monkeypatch.setattr(products_module, "apply_network", noticed)
    mask = np.zeros((300, 300), dtype=bool)
    mask[100:104, 50:54] = True
    found = fusion.region_jacobian(trained_method("deepfuse"), random_pair(rng, (300, 300)), mask)
    assert seen == [4 + 2 * 12]
    assert found[:, 88:116, 38:66].any() and not found[:, :88].any() and not found[:, :, 66:].any()


def test_a_contrast_with_itself_is_nothing(small: Method, rng: np.random.Generator) -> None:
    mask = rng.random((9, 9)) < 0.5
    mask[0, 0] = True
    assert not fusion.region_jacobian(small, random_pair(rng, (9, 9)), mask, "contrast", mask).any()


def test_regions_that_are_none(small: Method, rng: np.random.Generator) -> None:
    pair, mask = random_pair(rng, (12, 13)), np.ones((12, 13), dtype=bool)
    border = np.zeros_like(mask)
    border[2, 2] = True
    for wrong in (mask[:5], mask.astype(float), np.zeros_like(mask)):
        with pytest.raises(RegionError):
            fusion.region_jacobian(small, pair, wrong)
    with pytest.raises(RegionError, match="further than 5 pixels"):
        fusion.region_jacobian(small, pair, border, "ssim", 0)
    for of, against in (
        ("mean", mask),
        ("contrast", None),
        ("contrast", 1),
        ("ssim", None),
        ("ssim", 2),
        ("sum", None),
    ):
        with pytest.raises(ValueError, match="against is"):
            fusion.region_jacobian(small, pair, mask, of, against)


def test_local_similarities_have_the_mean_of_the_loss(rng: np.random.Generator) -> None:
    x, y = torch.tensor(rng.random((2, 19, 16)))
    centres = torch.tensor([(row, column) for row in range(5, 14) for column in range(5, 11)])
    mean = float(local_similarity(x, y, centres).mean())
    assert abs(mean - (1 - float(dissimilarity(x[None, None], y[None, None])))) <= 1e-12

"""Backward chains against plain autograd on the whole image, in float64, and what no chain is made of."""

from __future__ import annotations

import copy
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

import fusion
from fusion.methods.registry import method_specification
from fusion.saliency import guidance as guidance_module
from fusion.saliency.chain import cache, maps
from fusion.saliency.chain.chain import Chain
from fusion.saliency.chain.check import WrongChainError, check, checked_chain
from fusion.saliency.chain.graph import Convolution, NotUnderstoodError, Pointwise
from fusion.saliency.chain.plan import plan
from fusion.saliency.chain.rules import graph_of
from fusion.saliency.chain.steps import OnePixel
from fusion.saliency.chain.windows import chain_of
from fusion.saliency.window import Box
from tests.unit.reference import (
    chain_diagonal_error,
    drawn_method,
    largest_error,
    notable_pixels,
    random_method,
    random_pair,
    relative_error,
    trained_method,
    whole_image_jacobian,
)
from tests.unit.small_networks import not_understood, understood

TOLERANCE = 1e-11
NETWORKS = ("funfusean", "masknet", "deepfuse", "deep_pedestrian")


def chain_for(method: fusion.Method) -> Chain:
    found = chain_of(method, torch.float64)
    assert found is not None
    return found


@pytest.mark.parametrize("id", fusion.method_ids())
def test_every_method_has_a_chain(id: str, rng: np.random.Generator) -> None:
    method, pair = trained_method(id), random_pair(rng, (22, 39))
    assert largest_error(method, pair, notable_pixels(rng, pair.shape, 1), "chain") <= TOLERANCE
    assert chain_for(method).radius == method.locality.radius


@pytest.mark.parametrize("name", understood())
@pytest.mark.parametrize("shape", [(1, 1), (2, 14), (23, 19)])
def test_networks_of_many_kinds(name: str, shape: tuple[int, int], rng: np.random.Generator) -> None:
    torch.manual_seed(int(rng.integers(2**31)))
    method, pair = fusion.Method.from_module(understood()[name], "own", "Own"), random_pair(rng, shape)
    pixels = notable_pixels(rng, shape)
    assert largest_error(method, pair, pixels, "chain") <= TOLERANCE
    assert chain_diagonal_error(method, pair, chain_for(method), pixels) <= TOLERANCE


@pytest.mark.parametrize("name", not_understood())
def test_what_is_not_understood_takes_another_path(name: str, rng: np.random.Generator) -> None:
    method, pair = fusion.Method.from_module(not_understood()[name], "own", "Own"), random_pair(rng, (20, 24))
    path = "whole image" if method.support_radius is None else "window"
    if method.numbers is not None:
        path = "numbers"
    assert largest_error(method, pair, notable_pixels(rng, pair.shape, 1), path) <= TOLERANCE
    assert chain_of(method, torch.float64) is None


@pytest.mark.parametrize("id", NETWORKS)
def test_guidance_by_chain_equals_colouring(
    id: str, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    method, pair = drawn_method(id), random_pair(rng, (8, 11))
    results = {}
    for cheaper in (True, False):
        monkeypatch.setattr(guidance_module, "_chain_is_cheaper", lambda *arguments, answer=cheaper: answer)
        results[cheaper] = fusion.guidance(method, pair, dtype="float64")
    assert relative_error(results[True], results[False]) <= TOLERANCE
    assert not np.array_equal(results[True], results[False]), "both took the same path"


@pytest.mark.parametrize("id", NETWORKS)
def test_a_changed_weight_is_noticed(id: str, rng: np.random.Generator) -> None:
    """Negative control: what holds a chain against autograd fails if one layer is not the network's."""
    method = drawn_method(id)
    network = copy.deepcopy(method.network).double()
    chain = Chain(network, torch.float64, method.device)
    layers = [node for node in chain.graph.nodes if isinstance(node, Convolution)]
    node = layers[int(rng.integers(len(layers)))]
    # All of a layer: a single weight may belong to a rectifier that is off in all that is compared.
    node.weight.mul_(1 + 1e-5)
    for half, diagonal in (("windows", False), ("diagonal", True)):
        right = getattr(chain, half)
        setattr(chain, half, plan(chain.graph, chain.dtype, chain.device, diagonal))
        with pytest.raises(WrongChainError):
            check(chain, network, chain.radius)
        setattr(chain, half, right)


@pytest.mark.parametrize("id", ["weighted_averaging", *NETWORKS])
def test_a_changed_map_is_noticed(id: str, rng: np.random.Generator) -> None:
    method, pair = random_method(id, rng), random_pair(rng, (24, 25))
    chain, pixel = chain_for(method), (11, 12)
    radius = chain.radius
    derivatives = chain.derivatives(pair.images, Box(0, 0, *pair.shape))
    derivatives.ensure([pixel])
    before = chain.jacobians([OnePixel(derivatives.tensors, *pixel)], radius)
    for kept, item in zip(derivatives.tensors, chain.windows.maps, strict=True):
        original = kept.clone()
        middle = kept[pixel[0] + item.reach[0], pixel[1] + item.reach[1]]
        middle[:] = 7 - middle
        assert relative_error(chain.jacobians([OnePixel(derivatives.tensors, *pixel)], radius), before) > 1e-9
        kept.copy_(original)
    assert np.array_equal(chain.jacobians([OnePixel(derivatives.tensors, *pixel)], radius), before)


def test_a_wrong_chain_is_refused_loudly(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    derivatives = Pointwise.partial_derivatives

    def slightly_off(self: Pointwise, sources: list[torch.Tensor]) -> list[torch.Tensor | None]:
        return [None if found is None else found * (1 + 1e-7) for found in derivatives(self, sources)]

    monkeypatch.setattr(Pointwise, "partial_derivatives", slightly_off)
    method, pair = random_method("funfusean", rng), random_pair(rng, (26, 24))
    with caplog.at_level(logging.WARNING):
        assert largest_error(method, pair, [(3, 4)], "window") <= TOLERANCE
    assert "funfusean" in caplog.text and "wrong" in caplog.text


@pytest.mark.parametrize(
    "part",
    ["rules._read", "rewriting._as_one", "plan._Planner._multiply", "check._whole"],
)
def test_whatever_fails_while_a_chain_is_made_leaves_the_window(
    part: str,
    rng: np.random.Generator,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(*arguments: object) -> None:
        raise KeyError("unforeseen")

    method = fusion.Method.from_module(understood()["quotient"], "own", "Own")
    monkeypatch.setattr(f"fusion.saliency.chain.{part}", broken)
    pair = random_pair(rng, (9, 12))
    assert largest_error(method, pair, [(3, 4), (0, 11)], "window") <= TOLERANCE
    fusion.guidance(method, pair)
    assert "own" in caplog.text and "unforeseen" in caplog.text


def test_networks_that_autograd_cannot_differentiate_are_no_defect() -> None:
    class Spoilt(torch.nn.Module):
        def forward(self, x1: torch.Tensor, x2: torch.Tensor) -> torch.Tensor:
            root = torch.sqrt(x1 + 1)
            root.mul_(x2)
            return root

    chain = Chain(understood()["quotient"].double().eval(), torch.float64, torch.device("cpu"))
    with pytest.raises(NotUnderstoodError, match="autograd fails"):
        check(chain, Spoilt(), chain.radius)


def test_networks_that_refuse_small_images_are_checked_on_others() -> None:
    class AtLeast(torch.nn.Module):
        def __init__(self, inner: torch.nn.Module, width: int) -> None:
            super().__init__()
            self.inner, self.width = inner, width

        def forward(self, x1: torch.Tensor, x2: torch.Tensor) -> torch.Tensor:
            if x1.shape[3] < self.width:
                raise ValueError("too small")
            result: torch.Tensor = self.inner(x1, x2)
            return result

    # Of weights drawn at random, some make an image that is clamped everywhere: it has no derivative to be wrong.
    torch.manual_seed(1)
    inner = understood()["quotient"].double().eval()
    chain = Chain(inner, torch.float64, torch.device("cpu"))
    check(chain, AtLeast(inner, 5), chain.radius)
    with pytest.raises(NotUnderstoodError, match="nothing to compare with"):
        check(chain, AtLeast(inner, 50), chain.radius)
    with torch.no_grad():
        next(inner.parameters()).mul_(1.1)
    with pytest.raises(WrongChainError):
        check(chain, AtLeast(inner, 5), chain.radius)


def test_changed_weights_make_a_new_chain(rng: np.random.Generator) -> None:
    method, pair = random_method("deepfuse", rng), random_pair(rng, (30, 30))
    before = fusion.jacobian(method, pair, (9, 9), "float64")
    with torch.no_grad():
        next(method.network_as(torch.float64).parameters()).mul_(1.5)
    after = fusion.jacobian(method, pair, (9, 9), "float64")
    assert relative_error(after.dense(), whole_image_jacobian(method, pair, (9, 9))) <= TOLERANCE
    assert relative_error(after.dense(), before.dense()) > 1e-3


def test_results_that_are_not_finite_are_autograds(rng: np.random.Generator) -> None:
    class Root(torch.nn.Module):
        def forward(self, x1: torch.Tensor, x2: torch.Tensor) -> torch.Tensor:
            return torch.sqrt(x1) * torch.relu(x2 - 2) + x2

    method = fusion.Method.from_module(Root(), "root", "Root")
    pair = fusion.Pair.from_arrays(*np.stack([np.eye(6), rng.random((6, 6))]))
    assert chain_of(method, torch.float64) is not None
    for pixel, path in (((0, 0), "chain"), ((0, 1), "window")):
        window = fusion.jacobian(method, pair, pixel, "float64")
        # Elsewhere the whole image's autograd has NaN too, from 0 · ∞ at pixels that have no influence.
        expected = whole_image_jacobian(method, pair, pixel)[:, *pixel]
        assert np.array_equal(window.at_principal, expected, equal_nan=True)
        assert window.path == path
        assert window.suspicious == (path == "window")


def test_a_support_that_probing_denies_is_not_believed() -> None:
    network = understood()["oblong"].double().eval()
    with pytest.raises(NotUnderstoodError, match="3 pixels, but 2"):
        checked_chain(network, torch.float64, torch.device("cpu"), radius=2)


def test_derivative_maps_are_bounded(rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    method = fusion.Method.from_module(understood()["dense"], "own", "Own")
    chain = chain_for(method)
    limit = 5 * chain.map_bytes(64, 64)
    kept = cache.MapCache(limit, whole=0)
    assert kept.side(chain) == 64
    pairs = [random_pair(rng, (130, 70)) for _ in range(3)]
    found = {}
    for pair in pairs:
        for pixel in ((0, 0), (64, 64), (129, 69), (100, 3)):
            derivatives = found[pair.id, pixel] = kept.derivatives(chain, pair, *pixel)
            assert derivatives is kept.derivatives(chain, pair, *pixel)
            assert kept.nbytes <= limit
            box = derivatives.core
            assert box.top <= pixel[0] < box.bottom and box.left <= pixel[1] < box.right
    assert kept.derivatives(chain, pairs[-1], 100, 3) is found[pairs[-1].id, (100, 3)]
    assert kept.derivatives(chain, pairs[0], 0, 0) is not found[pairs[0].id, (0, 0)], "the oldest is dropped"


def test_threads_compute_a_tile_once(rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    method = fusion.Method.from_module(understood()["dense"], "own", "Own")
    chain, pair = chain_for(method), random_pair(rng, (90, 80))
    filled: list[Box] = []
    fill = maps.DerivativeMaps._fill

    def slow(self: maps.DerivativeMaps, box: Box) -> None:
        filled.append(box)
        time.sleep(0.02)
        fill(self, box)

    monkeypatch.setattr(maps.DerivativeMaps, "_fill", slow)
    derivatives = chain.derivatives(pair.images, Box(0, 0, *pair.shape))
    pixels = [(int(row), int(column)) for row, column in rng.integers((0, 0), pair.shape, (60, 2))]

    def look(pixel: tuple[int, int]) -> np.ndarray:
        derivatives.ensure([pixel])
        return chain.jacobians([OnePixel(derivatives.tensors, *pixel)], chain.radius)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(look, pixels))
    assert len(filled) == len({(box.top, box.left) for box in filled}) <= 9
    again = [look(pixel) for pixel in pixels]
    # Where tiles overlap the later one writes the same values again, but for the last digit.
    assert all(relative_error(a, b) <= TOLERANCE for a, b in zip(found, again, strict=True))


def test_a_tile_that_failed_is_tried_again(rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    method = fusion.Method.from_module(understood()["dense"], "own", "Own")
    derivatives = chain_for(method).derivatives(random_pair(rng, (9, 9)).images, Box(0, 0, 9, 9))
    with monkeypatch.context() as broken:
        broken.setattr(maps, "derivative_maps", lambda *arguments: (_ for _ in ()).throw(MemoryError))
        with pytest.raises(MemoryError):
            derivatives.ensure([(1, 1)])
    derivatives.ensure([(1, 1)])
    assert all(kept.any() for kept in derivatives.tensors)


def test_blocks_equal_tiles(rng: np.random.Generator) -> None:
    """Many tiles at once are computed as one block, which gives the same maps."""
    method = fusion.Method.from_module(understood()["quotient"], "own", "Own")
    chain, pair = chain_for(method), random_pair(rng, (150, 70))
    whole, single = (chain.derivatives(pair.images, Box(10, 0, 150, 70)) for _ in range(2))
    whole.ensure_all()
    for row in range(10, 150, maps.TILE_SIDE):
        for column in range(0, 70, maps.TILE_SIDE):
            single.ensure([(row, column)])
    for one, other in zip(whole.tensors, single.tensors, strict=True):
        assert relative_error(one.double().numpy(), other.double().numpy()) <= TOLERANCE


def test_a_prepared_pair_needs_no_forward_pass(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    method = fusion.Method.from_module(understood()["broadcast"], "own", "Own")
    pair = random_pair(rng, (40, 50))
    fusion.prepare(method, pair, "float64")
    monkeypatch.setattr(maps.DerivativeMaps, "_fill", None)
    assert largest_error(method, pair, notable_pixels(rng, pair.shape), "chain") <= TOLERANCE


def test_other_threads_run_networks_while_one_is_traced() -> None:
    """`torch.fx` patches every module of the process while it traces."""
    networks = [method_specification(id).build().eval() for id in ("masknet", "deepfuse")]
    images = torch.rand(1, 1, 8, 8)
    expected = networks[1](images, images)
    stop = threading.Event()
    wrong: list[object] = []

    def run() -> None:
        while not stop.is_set():
            try:
                if not torch.equal(networks[1](images, images), expected):
                    wrong.append("another result")
            except Exception as error:  # noqa: BLE001 -- whatever it is, it is wrong
                wrong.append(error)

    runners = [threading.Thread(target=run) for _ in range(2)]
    for runner in runners:
        runner.start()
    for _ in range(5):
        graph_of(networks[0])
    stop.set()
    for runner in runners:
        runner.join()
    assert wrong == []


@pytest.mark.parametrize(("count", "expected"), [(1, 1), (2, 2)])
def test_a_first_window_takes_one_thread_and_a_batch_all(
    count: int, expected: int, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    method, pair = fusion.load_method("deepfuse", "cpu"), random_pair(rng, (22, 39))
    fusion.jacobian(method, pair, (3, 4))  # makes the chain, and checks it
    seen: list[int] = []
    right = Chain.jacobians

    def counting(chain: Chain, places: list[OnePixel], radius: int) -> np.ndarray:
        seen.append(torch.get_num_threads())
        return right(chain, places, radius)

    monkeypatch.setattr(Chain, "jacobians", counting)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        fusion.jacobians(method, pair, [(3, 4)] * count)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert seen == [expected]

"""Networks as people bring them: exact against autograd on the whole image, or refused with a sentence that fits."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own name for it
from torch import Tensor, nn

import fusion
from fusion.errors import NetworkError, NoDerivativeError, PrecisionError
from fusion.network_copies import SINGLE_TOLERANCE
from fusion.saliency import support
from fusion.saliency.crops import GLOBAL
from tests.unit import own_networks
from tests.unit.own_networks import Own
from tests.unit.reference import notable_pixels, random_pair, relative_error, whole_image_jacobians
from tests.unit.test_support import check_everywhere, dark_pair

TOLERANCE = 1e-10


def wrapped(network: Any, **options: Any) -> fusion.Method:
    return fusion.Method.from_module(network, "own", "Own", **options)


def largest_error(
    method: fusion.Method, pair: fusion.Pair, rng: np.random.Generator, dtype: str = "float64"
) -> float:
    """Return the largest relative error at corners, borders and elsewhere."""
    pixels = notable_pixels(rng, pair.shape)
    expected = whole_image_jacobians(method, pair, pixels)
    return max(
        relative_error(window.dense(), values)
        for window, values in zip(fusion.jacobians(method, pair, pixels, dtype), expected, strict=True)
    )


# Sizes


@pytest.mark.parametrize("name", own_networks.of_sizes())
@pytest.mark.parametrize("shape", [(120, 116), (40, 48), (121, 37)])
def test_what_depends_on_the_size_is_exact(
    name: str, shape: tuple[int, int], rng: np.random.Generator
) -> None:
    torch.manual_seed(int(rng.integers(2**31)))
    method, pair = wrapped(own_networks.of_sizes()[name]), random_pair(rng, shape)
    if name == "a constant where it was a network" and shape[0] > 100:
        with pytest.raises(NoDerivativeError, match="x1"):
            fusion.jacobian(method, pair, (0, 0))
    elif name == "halves large images" and shape[0] % 2:
        with pytest.raises(NetworkError, match="121×37"):
            fusion.jacobian(method, pair, (0, 0))
    else:
        assert largest_error(method, pair, rng) <= TOLERANCE


def test_of_images_too_large_for_derivatives_values_are_compared(
    monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator
) -> None:
    monkeypatch.setattr(support, "GRAPH_BYTES", 0)
    found = {
        name: wrapped(network).locality_at((108, 112)) == GLOBAL
        for name, network in own_networks.of_sizes().items()
        if "large" in name
    }
    assert set(found.values()) == {True}
    fitting = wrapped(own_networks.in_blocks(4))
    assert fitting.locality_at((108, 112)) == fitting.locality
    monkeypatch.setattr(support, "VALUE_BYTES", 1)
    with pytest.raises(NetworkError, match="112×112 pixels are too large"):
        fitting.locality_at((112, 112))


@pytest.mark.parametrize("side", [5, 12, 24, 28])
def test_networks_for_multiples_of_a_number(side: int, rng: np.random.Generator) -> None:
    torch.manual_seed(int(rng.integers(2**31)))
    method, pair = wrapped(own_networks.in_blocks(side)), random_pair(rng, (3 * side, 2 * side))
    assert method.locality.alignment == side
    check_everywhere(method, pair)
    fusion.guidance(method, pair)
    fusion.fuse(method, pair)


@pytest.mark.parametrize("side", [12, 40])
def test_networks_for_images_of_some_size_at_least(side: int, rng: np.random.Generator) -> None:
    torch.manual_seed(int(rng.integers(2**31)))
    method, pair = wrapped(own_networks.at_least(side)), random_pair(rng, (side + 11, side + 4))
    assert method.support_radius == (1, 1) and method.locality.least >= side
    check_everywhere(method, pair)
    with pytest.raises(NetworkError, match=f"{side - 1}×{side + 4}"):
        fusion.guidance(method, random_pair(rng, (side - 1, side + 4)))


@pytest.mark.parametrize("shape", [(50, 50), (40, 60)])
def test_networks_for_one_size(shape: tuple[int, int], rng: np.random.Generator) -> None:
    torch.manual_seed(int(rng.integers(2**31)))
    method, pair = wrapped(own_networks.for_one_size(*shape)), random_pair(rng, shape)
    assert method.locality == GLOBAL
    assert largest_error(method, pair, rng) <= TOLERANCE
    with pytest.raises(NetworkError, match="51×60"):
        fusion.jacobian(method, random_pair(rng, (51, 60)), (0, 0))


def test_the_size_of_a_network_with_places_is_found(rng: np.random.Generator) -> None:
    method = wrapped(own_networks.Places())
    assert method.locality == GLOBAL
    assert largest_error(method, random_pair(rng, (126, 126)), rng) <= TOLERANCE
    with pytest.raises(NetworkError, match="126×140"):
        fusion.jacobian(method, random_pair(rng, (126, 140)), (0, 0))


class SaysNothing(nn.Module):
    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        if x1.shape[2:] != (30, 44):
            raise ValueError("no")
        return x1 * x2


def test_the_only_size_may_be_said(rng: np.random.Generator) -> None:
    with pytest.raises(NetworkError, match="no"):
        wrapped(SaysNothing())
    method, pair = wrapped(SaysNothing(), sizes=(30, 44)), random_pair(rng, (30, 44))
    assert largest_error(method, pair, rng) <= TOLERANCE


@pytest.mark.parametrize("pixel", [(0, 0), (20, 17), (40, 26)])
@pytest.mark.parametrize("compute", [fusion.jacobian, lambda *given: fusion.guidance(*given[:2])])
def test_an_image_that_cannot_be_fused_has_no_derivatives(compute: Any, pixel: tuple[int, int]) -> None:
    halving = Own(lambda net, x1, x2, both: F.interpolate(F.max_pool2d(net.near(both), 2), scale_factor=2.0))
    method, pair = wrapped(halving), dark_pair((41, 53))
    for _ in range(2):
        with pytest.raises(NetworkError, match="41×53"):
            compute(method, pair, pixel)
    assert largest_error(method, dark_pair((42, 52)), np.random.default_rng()) <= TOLERANCE


def test_an_image_smaller_than_what_is_mirrored_is_refused(rng: np.random.Generator) -> None:
    method = wrapped(
        Own(
            lambda net, x1, x2, both: net.far(both), far=nn.Conv2d(2, 1, 7, padding=3, padding_mode="reflect")
        )
    )
    assert largest_error(method, random_pair(rng, (4, 9)), rng) <= TOLERANCE
    with pytest.raises(NetworkError, match="3×9"):
        fusion.jacobian(method, random_pair(rng, (3, 9)), (1, 1))


# Gradients


@pytest.mark.parametrize("name", own_networks.hidden())
def test_what_hides_an_image_from_autograd_is_refused(name: str) -> None:
    with pytest.raises(NoDerivativeError, match=r"no_grad\(\).*\.detach\(\) or \.data.*round"):
        wrapped(own_networks.hidden()[name])


@pytest.mark.parametrize(
    "program",
    [
        lambda net, x1, x2, both: x2 * 2 + 0 * x1,
        lambda net, x1, x2, both: x2 * torch.relu(x1 - 5),
        lambda net, x1, x2, both: torch.where(x1 > 0.5, x2, 0.25 * x2),
        lambda net, x1, x2, both: torch.ones_like(x1),
        lambda net, x1, x2, both: x1 / (x1 + x2).clamp_min(1e-6).detach() + x2,
    ],
    ids=["times nothing", "never on", "only compared", "a constant", "a constant weight"],
)
def test_a_gradient_of_0_may_be_right(program: Any, rng: np.random.Generator) -> None:
    method = wrapped(Own(program))
    assert largest_error(method, random_pair(rng, (12, 15)), rng) <= TOLERANCE


# Sentences


@pytest.mark.parametrize("name", own_networks.told())
def test_each_gets_its_own_sentence(name: str) -> None:
    network, sentence = own_networks.told()[name]
    with pytest.raises(NetworkError, match=f"(?s){sentence}") as caught:
        wrapped(network)
    if name != "smaller":
        assert "Pad inside" not in str(caught.value)


class Results(NamedTuple):
    mask: Tensor
    fused: Tensor


@pytest.mark.parametrize("kind", [Results, lambda mask, fused: SimpleNamespace(mask=mask, fused=fused)])
def test_results_of_objects_and_named_tuples_are_named(kind: Any, rng: np.random.Generator) -> None:
    network = Own(lambda net, x1, x2, both: kind(x1, net.near(both)))
    assert largest_error(wrapped(network, output="fused"), random_pair(rng, (9, 12)), rng) <= TOLERANCE
    with pytest.raises(NetworkError, match="nothing that is called 'fusion'"):
        wrapped(network, output="fusion")


@pytest.mark.parametrize(
    ("result", "output", "sentence"),
    [
        (lambda y: {"fused": y, "mask": y}, "fusion", "output='fusion' is not among .*'fused', 'mask'"),
        (lambda y: [y, y], 2, "output=2 is not among .*2 results"),
    ],
)
def test_a_result_that_is_not_there_is_told(result: Any, output: Any, sentence: str) -> None:
    with pytest.raises(NetworkError, match=sentence):
        wrapped(Own(lambda net, x1, x2, both: result(net.near(both))), output=output)


def test_a_range_of_another_kind_is_told(caplog: pytest.LogCaptureFixture, rng: np.random.Generator) -> None:
    # Of weights drawn at random, some make an image within 0 to 1 of these inputs too, of which nothing can be told.
    torch.manual_seed(0)
    network = Own(lambda net, x1, x2, both: 128 + 100 * torch.tanh(net.near(both - 128)))
    wrapped(network)
    assert "value_range=(0, 255)" in caplog.text
    caplog.clear()
    method, pair = wrapped(network, value_range=(0, 255)), random_pair(rng, (12, 13))
    assert not caplog.records
    leaf = torch.tensor(pair.images[:, None, None], dtype=torch.float64) * 255
    expected = copied_double(network)(leaf[0], leaf[1])[0, 0].numpy() / 255
    np.testing.assert_allclose(fusion.fuse(method, pair, "float64"), expected, atol=1e-12)


def copied_double(network: nn.Module) -> nn.Module:
    from fusion.network_copies import converted, copied

    return converted(copied(network), torch.float64, "cpu")


# Adapting


def test_colour_networks_with_several_results_for_multiples(rng: np.random.Generator) -> None:
    torch.manual_seed(int(rng.integers(2**31)))

    def program(net: Any, x1: Tensor, x2: Tensor, both: Tensor) -> Any:
        deep = F.interpolate(F.avg_pool2d(net.colour(both), 8), scale_factor=8.0)
        return {"mask": x1, "results": (deep, net.colour(both) * deep)}

    network = Own(program, colour=nn.Conv2d(6, 3, 3, padding=1))
    options: dict[str, Any] = {"channels": 3, "output": ("results", 1), "sizes": 8}
    method = wrapped(network, **options)
    for shape in ((24, 32), (21, 34), (3, 5)):
        pair = random_pair(rng, shape)
        check_everywhere(method, pair)
    exact = copied_double(network)
    images = torch.tensor(random_pair(rng, (24, 32)).images[:, None, None], dtype=torch.float64)
    expected = exact(*(image.repeat(1, 3, 1, 1) for image in images))["results"][1].mean(1)[0]
    pair = fusion.Pair(images[:, 0, 0].float().numpy())
    np.testing.assert_allclose(fusion.fuse(method, pair, "float64"), expected.detach().numpy(), atol=1e-6)
    assert wrapped(network, **options | {"output": ("results", 0)}).weights_id != method.weights_id


@pytest.mark.parametrize(
    "options", [{"channels": 0}, {"value_range": (1, 0)}, {"sizes": 0}], ids=lambda given: next(iter(given))
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        wrapped(Own(lambda net, x1, x2, both: net.near(both)), **options)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("network", "not a str"),
        (nn.Linear(2, 2).state_dict(), "loaded into a module"),
        (nn.LazyConv2d(1, 3), "Run it once"),
    ],
)
def test_what_is_no_network_is_refused(given: Any, sentence: str) -> None:
    with pytest.raises(NetworkError, match=sentence):
        wrapped(given)


# Unusual ones


@pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore:The .grad attribute"
)
@pytest.mark.parametrize("name", [*own_networks.unusual(), "TorchScript", "torch.export"])
def test_unusual_networks_are_taken_and_exact(
    name: str, rng: np.random.Generator, caplog: pytest.LogCaptureFixture
) -> None:
    torch.manual_seed(int(rng.integers(2**31)))
    network = own_networks.unusual().get(name) or own_networks.of_torch()[name]
    method = wrapped(network)
    for shape in ((20, 24), (3, 7)):
        pair = random_pair(rng, shape)
        assert largest_error(method, pair, rng) <= TOLERANCE
        single = fusion.guidance(method, pair)
        assert relative_error(single, fusion.guidance(method, pair, dtype="float64")) <= 1e-4
    assert "defect" not in caplog.text
    assert wrapped(network).weights_id == method.weights_id


def test_wrapping_changes_nothing_of_the_network() -> None:
    inner = nn.Conv2d(2, 1, 3, padding=1)
    layer, kernel = nn.Sequential(inner).train(), torch.rand(1, 2, 3, 3)
    network = Own(lambda net, x1, x2, both: net.layers[0](both) + F.conv2d(both, net.kernel, padding=1))
    layers = [layer]
    network.layers, network.kernel = layers, kernel  # type: ignore[assignment]
    method = wrapped(network.train())
    fusion.jacobian(method, dark_pair((9, 9)), (4, 4), "float64")
    assert network.training and layer.training and inner.weight.requires_grad
    assert inner.weight.dtype == torch.float32 and network.kernel is kernel and kernel.dtype == torch.float32
    kept: Any = network.layers
    assert kept is layers and layers[0] is layer


@pytest.mark.parametrize("name", own_networks.in_single())
def test_networks_in_float32_only_are_taken_within_a_tolerance(name: str, rng: np.random.Generator) -> None:
    torch.manual_seed(int(rng.integers(2**31)))
    method, pair = wrapped(own_networks.in_single()[name]), random_pair(rng, (20, 24))
    assert method.support_radius == (1, 1)
    assert "float32 only" in method.note and f"{SINGLE_TOLERANCE:g}" in method.note
    for dtype in ("float32", "float64"):
        assert largest_error(method, pair, rng, dtype) <= SINGLE_TOLERANCE
    assert np.isfinite(fusion.guidance(method, pair)).all()


def test_a_precision_that_is_mixed_is_an_error_of_its_own() -> None:
    with pytest.raises(PrecisionError):
        wrapped(own_networks.told()["single precision inside"][0])


# Ids


class Gained(nn.Module):
    def __init__(self, gain: Any) -> None:
        super().__init__()
        self.gain = gain

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return (x1 + x2) * self.gain


class Weighted(nn.Module):
    gain: Tensor

    def __init__(self, gain: float) -> None:
        super().__init__()
        self.register_buffer("gain", torch.tensor(gain), persistent=False)

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return (x1 + x2) * self.gain


def _doubling(gain: float) -> Any:
    return lambda x1, x2: (x1 + x2) * gain


def _half(value: Tensor) -> Tensor:
    return value / 2


def _third(value: Tensor) -> Tensor:
    return value / 3


def _hooked(factor: float) -> nn.Module:
    layer = nn.Identity()
    layer.register_forward_hook(lambda module, given, result: result * factor)
    return Own(lambda net, x1, x2, both: net.layer(x1) + x2, layer=layer)


def different() -> list[Any]:
    class Other(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gain = 1.0

        def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
            return (x1 - x2) * self.gain

    class Inner:
        def __init__(self, gain: float) -> None:
            self.gain = gain

        def __mul__(self, other: Tensor) -> Tensor:
            return other * self.gain

        __rmul__ = __mul__

    class Slots:
        __slots__ = ("gain",)

        def __init__(self, gain: float) -> None:
            self.gain = gain

        def __repr__(self) -> str:
            return f"Slots({self.gain})"

    script = [torch.jit.script(Gained(gain)) for gain in (7.0, 8.0)]
    return [
        Gained(1.0), Gained(2.0), Gained(2), Gained(np.float32(2)), Gained(torch.ones(1)), Gained(torch.zeros(1)),
        Gained(Inner(1.0)), Gained(Inner(2.0)), Gained(Slots(1.0)), Gained(Slots(2.0)),
        Other(), Weighted(1.0), Weighted(2.0), _doubling(1.0), _doubling(2.0),
        Own(lambda net, x1, x2, both: x1 + x2), Own(lambda net, x1, x2, both: x1 * x2),
        Own(lambda net, x1, x2, both: _half(x1) + x2), Own(lambda net, x1, x2, both: _third(x1) + x2),
        _hooked(1.0), _hooked(2.0), nn.Sequential(Gained(1.0)), *script,
    ]  # fmt: skip


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_two_functions_never_have_one_id() -> None:
    from fusion.methods.adapting import as_network
    from fusion.methods.identity import network_digest

    def seeded() -> list[str]:
        torch.manual_seed(0)
        made = different()
        for network in made:
            torch.manual_seed(0)
            if isinstance(network, Own):
                network.near.reset_parameters()
                network.far.reset_parameters()
        return [network_digest("own", as_network(network)) for network in made]

    first = seeded()
    assert len(set(first)) == len(first)
    assert seeded() == first, "and the same function has the same id again"
    assert network_digest("other", Gained(1.0)) != first[0]


def test_ids_of_methods_that_ship_stay() -> None:
    """Links, caches and atlases carry them."""
    assert {id: fusion.load_method(id, "cpu").weights_id[:16] for id in fusion.method_ids()} == {
        "weighted_averaging": "497a8d314007a0b4",
        "funfusean": "b2925d5fa2c1d6a8",
        "masknet": "c76e4e3ae37eb445",
        "deepfuse": "c6cf557ddb7b0982",
        "deep_pedestrian": "775f779de6642630",
        "plain_mean": "d563dba3e85dee41",
        "maximum": "57c672f4100d05dc",
        "weighted_averaging_true": "4042c7c8b232a4d4",
        "funfusean_sum": "ab04fd24997f1230",
    }

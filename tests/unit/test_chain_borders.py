"""Chains of networks that mirror or repeat the image beyond its border, against plain autograd in float64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own name for it
from torch import Tensor, nn

import fusion
from fusion.errors import NetworkError
from fusion.saliency.chain import cache, maps
from fusion.saliency.chain.check import WrongChainError, check
from fusion.saliency.chain.graph import Border
from fusion.saliency.chain.windows import chain_of
from tests.unit.reference import (
    chain_diagonal,
    largest_error,
    notable_pixels,
    random_pair,
    relative_error,
    whole_image_jacobian,
)
from tests.unit.small_networks import OfTwo

TOLERANCE = 1e-11
Mode = Literal["zeros", "reflect", "replicate"]
MODES: tuple[Mode, ...] = get_args(Mode)
ACTIVATIONS = (nn.ReLU, nn.Tanh, nn.Identity, nn.LeakyReLU, nn.ELU)
LAYERS: dict[str, Callable[[tuple[int, int, int, int]], nn.Module]] = {
    "zeros": nn.ZeroPad2d,
    "reflect": nn.ReflectionPad2d,
    "replicate": nn.ReplicationPad2d,
}


class Drawn(nn.Module):
    """Layers with paddings of all kinds, written in several ways, each of what some earlier ones have made.

    Parameters
    ----------
    rng : numpy.random.Generator
        Draws it.
    modes : tuple of str
        Paddings to draw from.
    """

    def __init__(self, rng: np.random.Generator, modes: tuple[Mode, ...] = MODES) -> None:
        super().__init__()
        torch.manual_seed(int(rng.integers(2**31)))
        self.layers, self.sources = nn.ModuleList(), []
        channels = [2]
        for _ in range(int(rng.integers(2, 6))):
            sources = sorted({len(channels) - 1, int(rng.integers(len(channels)))})
            inputs, outputs = sum(channels[source] for source in sources), int(rng.integers(1, 5))
            self.layers.append(self._layer(rng, inputs, outputs, modes[int(rng.integers(len(modes)))]))
            self.sources.append(sources)
            channels.append(outputs)
        self.last = self._layer(rng, channels[-1] + 2, 1, modes[int(rng.integers(len(modes)))])

    def _layer(self, rng: np.random.Generator, inputs: int, outputs: int, mode: Mode) -> nn.Module:
        rows, columns = (int(rng.choice((1, 3, 3, 5, 2))) for _ in range(2))
        dilation = int(rng.choice((1, 1, 2)))
        beyond = [dilation * (size - 1) for size in (columns, rows)]
        (left, right), (top, bottom) = ((total // 2, total - total // 2) for total in beyond)
        if rng.random() < 0.4 and all(total % 2 == 0 for total in beyond):
            padding = (top, left)
            layer: nn.Module = nn.Conv2d(
                inputs, outputs, (rows, columns), padding=padding, dilation=dilation, padding_mode=mode
            )
        else:
            inner = nn.Conv2d(inputs, outputs, (rows, columns), dilation=dilation)
            layer = nn.Sequential(LAYERS[mode]((left, right, top, bottom)), inner)
        return nn.Sequential(layer, ACTIVATIONS[int(rng.integers(len(ACTIVATIONS)))]())

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        values = [torch.cat((x1, x2), 1)]
        for layer, sources in zip(self.layers, self.sources, strict=True):
            values.append(layer(torch.cat([values[source] for source in sources], 1)))
        result: Tensor = self.last(torch.cat((values[-1], values[0]), 1))
        return result


@pytest.mark.parametrize("seed", range(8))
def test_drawn_networks_at_all_borders(seed: int, rng: np.random.Generator) -> None:
    drawn = np.random.default_rng([seed, int(rng.integers(2**31))])
    network = Drawn(drawn, ("reflect", "replicate") if seed % 2 else MODES)
    method = fusion.Method.from_module(network, "own", "Own")
    chain = chain_of(method, torch.float64)
    assert chain is not None and method.locality.by_program
    least = method.locality.least
    for shape in ((least, least + 1), (least + 2, 31), (26, 23)):
        pair = random_pair(rng, shape)
        pixels = notable_pixels(rng, shape, 2)
        pixels += [(min(1, shape[0] - 1), shape[1] - 2), (max(0, shape[0] - 2), 1)]
        expected = [whole_image_jacobian(method, pair, pixel) for pixel in pixels]
        together = fusion.jacobians(method, pair, pixels, "float64")
        alone = [fusion.jacobian(method, pair, pixel, "float64") for pixel in pixels]
        assert {window.path for window in (*together, *alone)} == {"chain"}
        diagonal = chain_diagonal(chain, pair)
        for number, (pixel, whole) in enumerate(zip(pixels, expected, strict=True)):
            assert relative_error(together[number].dense(), whole) <= TOLERANCE
            assert relative_error(alone[number].dense(), whole) <= TOLERANCE
            scale = max(float(np.abs(whole).max()), 1e-12)
            assert np.abs(diagonal[:, *pixel] - whole[:, *pixel]).max() <= TOLERANCE * scale


@pytest.mark.parametrize("mode", ["reflect", "replicate"])
def test_parts_and_tiles_of_an_image_meet_its_border(
    mode: Mode, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Offsets are counted in the image, not in the part of it whose maps are kept together."""
    monkeypatch.setattr(maps, "TILE_SIDE", 8)
    monkeypatch.setattr(cache, "PART_SIDES", (16,))
    method = fusion.Method.from_module(Drawn(rng, (mode,)), "own", "Own")
    pair = random_pair(rng, (37, 50))
    pixels = [(row, column) for row in (0, 15, 16, 17, 32, 36) for column in (0, 16, 33, 48, 49)]
    assert largest_error(method, pair, pixels, "chain") <= TOLERANCE
    guidance = fusion.guidance(method, pair, dtype="float64")
    for pixel in pixels[::3]:
        whole = whole_image_jacobian(method, pair, pixel)
        assert np.abs(guidance[:, *pixel] - whole[:, *pixel]).max() <= TOLERANCE * np.abs(whole).max()


def test_offsets_are_those_of_torch() -> None:
    for mode in ("reflect", "replicate"):
        for before, after, size in ((1, 1, 2), (3, 2, 4), (0, 3, 5), (2, 0, 9)):
            border = Border(mode, (before, 7), (after, 7))
            places = range(-before - 2, size + after + 2)
            given = torch.arange(float(size))[None, None]
            read = F.pad(given, (before, after), mode)[0, 0].long().tolist()
            expected = [
                0,
                0,
                *(at - place for at, place in zip(read, range(-before, size + after), strict=True)),
                0,
                0,
            ]
            assert border.offsets(places, size, 0) == expected


def test_a_wrong_fold_is_noticed(rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: replication is not reflection."""
    method = fusion.Method.from_module(
        OfTwo(nn.Conv2d(2, 3, 5, padding=2, padding_mode="reflect"), nn.Tanh(), nn.Conv2d(3, 1, 1)),
        "own",
        "Own",
    )
    chain = chain_of(method, torch.float64)
    assert chain is not None
    offsets = Border.offsets
    monkeypatch.setattr(
        Border, "offsets", lambda self, *given: offsets(Border("replicate", self.before, self.after), *given)
    )
    with pytest.raises(WrongChainError):
        check(chain, method.network_as(torch.float64), 2)


def test_images_too_small_to_mirror_are_refused(rng: np.random.Generator) -> None:
    method = fusion.Method.from_module(
        OfTwo(nn.Conv2d(2, 1, 9, padding=4, padding_mode="reflect")), "own", "Own"
    )
    assert largest_error(method, random_pair(rng, (5, 12)), [(0, 0), (4, 11), (2, 6)], "chain") <= TOLERANCE
    for compute in (fusion.guidance, fusion.fuse, lambda own, pair: fusion.jacobian(own, pair, (1, 1))):
        with pytest.raises(NetworkError, match="4×12"):
            compute(method, random_pair(rng, (4, 12)))

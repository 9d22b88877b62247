"""Gains of each optimisation of backward chains: the time without it over the time with it.

Both are run in turn, and the median of the ratios is given, so that what else the machine does falls on both. On a
processor, times are those of one thread, but for `threads` and `filled`, which are the clock's.

- *narrowed*, on networks that get both images as one tensor of two channels and take it apart;
- *grouped*, for single Jacobian images, batches of 64, guidance images, and the forward pass for the maps;
- *threads*: single Jacobian images on one thread, and on all, over those for which the quicker was chosen;
- *filled*: a visit of pixels all over an image, tile by tile, over one that fills ahead;
- *graphs*: single Jacobian images step by step over captured ones, where there is a GPU.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Annotated

import numpy as np
import torch
import typer
from torch import Tensor, nn

import fusion
from benchmarks.inputs import NetworksOption
from fusion.benchmark.command import TRAINED
from fusion.benchmark.figures import console
from fusion.benchmark.tables import machine_line
from fusion.saliency.chain.chain import Chain
from fusion.saliency.chain.maps import DerivativeMaps
from fusion.saliency.chain.steps import PixelLattice
from fusion.saliency.chain.windows import chain_windows
from fusion.saliency.window import Box

SIDE = 64
"""Pixels along the side of the part of an image that is computed in."""
BATCH_SIDE = 8
VISITS, VISITED_SIDE = 256, 256
"""Pixels that are visited all over an image of this side."""
Work = Callable[[], object]
Compared = dict[str, tuple[Work, Work]]
"""What is measured by name: without an optimisation, and with it."""


class Joined(nn.Module):
    """A network that is given both images in one tensor, as many are written."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        """Fuse two (B, 1, H, W) images."""
        both = torch.cat((x1, x2), dim=1)
        result: Tensor = self.network(both[:, :1], both[:, 1:])
        return result


def works(chain: Chain) -> dict[str, Work]:
    """Return what is measured of a chain, by name."""
    maps, diagonal = _filled(chain), _filled(chain, diagonal=True)
    batch = [maps.pixel((row, column)) for row in range(20, 28) for column in range(20, 28)]
    step = SIDE // BATCH_SIDE
    lattice = PixelLattice(diagonal.tensors, 0, 0, step, step, (BATCH_SIDE, BATCH_SIDE))
    return {
        "one": lambda: [chain.jacobians(batch[:1], chain.radius) for _ in range(10)],
        "batch": lambda: chain.jacobians(batch, chain.radius),
        "guidance": lambda: chain.diagonals(lattice),
        "maps": lambda: _filled(chain),
    }


def of_parts(id: str, part: str, device: str) -> Compared:
    """Return what a part of the way from a network to steps is measured by."""
    network = fusion.load_method(id, device).network
    if part == "narrowed":
        network = Joined(network).eval()
    without, with_it = (works(_chain(network, device, frozenset(left_out))) for left_out in ((part,), ()))
    return {name: (without[name], with_it[name]) for name in with_it}


def of_threads(id: str, device: str) -> Compared:
    """Return what the choice of threads is measured by."""
    chain, all_threads = _chain(fusion.load_method(id, device).network, device), torch.get_num_threads()
    maps = _filled(chain)

    def on(threads: int) -> None:
        torch.set_num_threads(threads)
        for _ in range(20):
            chain.jacobians([maps.pixel((SIDE // 2, SIDE // 2))], chain.radius)
        torch.set_num_threads(all_threads)

    def chosen() -> None:
        for _ in range(20):
            chain.jacobian(maps, (SIDE // 2, SIDE // 2), chain.radius)

    return {"one": (lambda: on(1), chosen), "all": (lambda: on(all_threads), chosen)}


def of_graphs(id: str, device: str) -> Compared:
    """Return what capturing is measured by, on a GPU."""
    chain = _chain(fusion.load_method(id, device).network, device)
    maps, pixel = _filled(chain), (SIDE // 2, SIDE // 2)
    assert chain.capturing is not None, "there must be a GPU"
    chain.capturing.capture(maps, maps.pixel(pixel), chain.radius)
    return {
        "one": (
            lambda: chain.jacobians([maps.pixel(pixel)], chain.radius),
            lambda: chain.jacobian(maps, pixel, chain.radius),
        )
    }


def of_filling(id: str, device: str) -> Compared:
    """Return what filling ahead is measured by."""
    chain, rng = _chain(fusion.load_method(id, device).network, device), np.random.default_rng(0)
    pixels = [(int(row), int(column)) for row, column in rng.integers(VISITED_SIDE, size=(VISITS, 2))]

    def visit(ahead: bool) -> None:
        pair = fusion.Pair.from_arrays(*rng.random((2, VISITED_SIDE, VISITED_SIDE)))
        for pixel in pixels:
            chain_windows(chain, pair, [pixel], chain.radius, 1, ahead)

    return {"visit": (lambda: visit(False), lambda: visit(True))}


def _chain(network: nn.Module, device: str, without: frozenset[str] = frozenset()) -> Chain:
    return Chain(network, torch.float32, torch.device(device), without)


def _filled(chain: Chain, diagonal: bool = False) -> DerivativeMaps:
    images = np.random.default_rng(0).random((2, SIDE, SIDE), dtype=np.float32)
    maps = chain.derivatives(images, Box(0, 0, SIDE, SIDE), diagonal)
    maps.ensure_all()
    return maps


def ratio(without: Work, with_it: Work, rounds: int, clock: Callable[[], float]) -> float:
    """Return how many times as long one takes as the other: the median of rounds in which both run."""

    def seconds(work: Work) -> float:
        began = clock()
        work()
        return clock() - began

    without(), with_it()
    return statistics.median(seconds(without) / seconds(with_it) for _ in range(rounds))


def main(
    method: NetworksOption = None,
    part: Annotated[list[str] | None, typer.Option(help="Optimisation; repeatable. Without: all.")] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Times that both are run in turn.")] = 15,
) -> None:
    """Print a line for each optimisation and network."""
    device, all_threads = "cuda" if torch.cuda.is_available() else "cpu", torch.get_num_threads()
    console.print(machine_line(torch.device(device)))
    by_clock = {"threads": of_threads, "filled": of_filling} | (
        {"graphs": of_graphs} if device == "cuda" else {}
    )
    for name in part or ("narrowed", "grouped", *by_clock):
        torch.set_num_threads(all_threads if name in by_clock else 1)
        clock = time.perf_counter if name in by_clock or device == "cuda" else time.thread_time
        for id in method or TRAINED:
            compared = by_clock[name](id, device) if name in by_clock else of_parts(id, name, device)
            gains = [f"{what} {ratio(*both, rounds, clock):5.2f}×" for what, both in compared.items()]
            console.print(f"{name:9} {id:16}", *gains)


if __name__ == "__main__":
    typer.run(main)

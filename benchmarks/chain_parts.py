"""Gains of each optimisation of backward chains: the time without it over the time with it.

    python -m benchmarks.chain_parts [--rounds 15] [--only packed,grouped]

Both are run in turn and the median of the ratios is given, so that what else the machine does falls on both. Times are
of the processor, on one thread; of threads, filling and graphs of a GPU they are the clock's.

- *narrowed*, on networks that get both images as one tensor of two channels and take it apart;
- *grouped* and *packed*, for single Jacobian images, batches of 64, guidance images, and *grouped* for the forward pass
  that fills the derivative maps;
- *threads*: single Jacobian images on one thread, and on all, over those for which a choice was made;
- *filled*: a visit of pixels all over an image, tile by tile, over one that fills ahead;
- *graphs*: single Jacobian images step by step over captured ones, where there is a GPU.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

import fusion
from fusion.saliency.chain.chain import Chain
from fusion.saliency.chain.maps import DerivativeMaps
from fusion.saliency.chain.steps import PixelLattice
from fusion.saliency.chain.windows import chain_windows
from fusion.saliency.window import Box

NETWORKS = ("funfusean", "masknet", "deepfuse", "deep_pedestrian")
SIDE = 64
"""Pixels along the side of the part of an image that is computed in."""
BATCH_SIDE = 8
VISITS = 48
"""Pixels that are visited all over an image of 256×256."""
Work = Callable[[], object]


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


def ratio(without: Work, with_it: Work, rounds: int, clock: Callable[[], float]) -> float:
    """Return how many times as long one takes as the other, the median over rounds in which both run."""

    def seconds(work: Work) -> float:
        began = clock()
        work()
        return clock() - began

    without(), with_it()
    return statistics.median(seconds(without) / seconds(with_it) for _ in range(rounds))


def works(chain: Chain, images: np.ndarray) -> dict[str, Work]:
    """Return what is measured of a chain, by name."""
    core = Box(0, 0, SIDE, SIDE)
    maps, diagonal = chain.derivatives(images, core), chain.derivatives(images, core, diagonal=True)
    maps.ensure_all()
    diagonal.ensure_all()
    middle = (SIDE // 2, SIDE // 2)
    batch = [maps.pixel((row, column)) for row in range(20, 28) for column in range(20, 28)]
    step = SIDE // BATCH_SIDE
    lattice = PixelLattice(diagonal.tensors, 0, 0, step, step, (BATCH_SIDE, BATCH_SIDE))

    def one() -> None:
        for _ in range(10):
            chain.jacobians([maps.pixel(middle)], chain.radius)

    return {
        "one": one,
        "batch": lambda: chain.jacobians(batch, chain.radius),
        "guidance": lambda: chain.diagonals(lattice),
        "maps": lambda: chain.derivatives(images, core).ensure_all(),
    }


def of_parts(id: str, part: str, rounds: int, device: torch.device) -> dict[str, float]:
    """Return what a part of the way from a network to steps gains, by what is computed."""
    method = fusion.load_method(id, device)
    network = Joined(method.network).eval() if part == "narrowed" else method.network
    images = np.random.default_rng(0).random((2, SIDE, SIDE), dtype=np.float32)
    with_it, without = (
        works(Chain(network, torch.float32, device, frozenset(left_out)), images)
        for left_out in ((), (part,))
    )
    return {name: ratio(without[name], with_it[name], rounds, time.process_time) for name in with_it}


def of_threads(id: str, rounds: int, device: torch.device) -> dict[str, float]:
    """Return what the choice of threads gains over always one, and always all."""
    chain, maps = _filled(id, device)
    middle, threads = (SIDE // 2, SIDE // 2), torch.get_num_threads()

    def on(number: int) -> Work:
        def work() -> None:
            torch.set_num_threads(number)
            for _ in range(20):
                chain.jacobians([maps.pixel(middle)], chain.radius)
            torch.set_num_threads(threads)

        return work

    def chosen() -> None:
        for _ in range(20):
            chain.jacobian(maps, middle, chain.radius)

    return {f"on {number}": ratio(on(number), chosen, rounds, time.perf_counter) for number in (1, threads)}


def of_graphs(id: str, rounds: int, device: torch.device) -> dict[str, float]:
    """Return what capturing gains on a GPU."""
    chain, maps = _filled(id, device)
    middle, radius = (SIDE // 2, SIDE // 2), chain.radius
    assert chain.capturing is not None
    chain.capturing.capture(maps, maps.pixel(middle), radius)
    steps = lambda: chain.jacobians([maps.pixel(middle)], radius)  # noqa: E731 - as short as the other
    return {"one": ratio(steps, lambda: chain.jacobian(maps, middle, radius), rounds, time.perf_counter)}


def of_filling(id: str, rounds: int, device: torch.device) -> dict[str, float]:
    """Return what filling ahead gains when pixels all over an image are visited."""
    method, rng = fusion.load_method(id, device), np.random.default_rng(0)
    chain = Chain(method.network, torch.float32, device)
    pixels = [(int(row), int(column)) for row, column in rng.integers(256, size=(VISITS, 2))]

    def visit(ahead: bool) -> Work:
        def work() -> None:
            pair = fusion.Pair.from_arrays(*rng.random((2, 256, 256)))
            for pixel in pixels:
                chain_windows(chain, pair, [pixel], chain.radius, 1, ahead)

        return work

    return {"visit": ratio(visit(False), visit(True), max(1, rounds // 5), time.perf_counter)}


def _filled(id: str, device: torch.device) -> tuple[Chain, DerivativeMaps]:
    chain = Chain(fusion.load_method(id, device).network, torch.float32, device)
    maps = chain.derivatives(
        np.random.default_rng(0).random((2, SIDE, SIDE), dtype=np.float32), Box(0, 0, SIDE, SIDE)
    )
    maps.ensure_all()
    return chain, maps


def main() -> None:
    """Print a line for each optimisation and network."""
    parser = argparse.ArgumentParser(description="Gains of each optimisation of backward chains.")
    parser.add_argument("--rounds", type=int, default=15, help="how often both are run in turn")
    parser.add_argument("--only", help="optimisations, with commas between")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    given = parser.parse_args()
    device, all_threads = torch.device(given.device), torch.get_num_threads()
    measured = {"threads": of_threads, "filled": of_filling} | (
        {"graphs": of_graphs} if device.type == "cuda" else {}
    )
    for part in given.only.split(",") if given.only else ("narrowed", "grouped", "packed", *measured):
        torch.set_num_threads(all_threads if part in measured else 1)
        for id in NETWORKS:
            if part in measured:
                found = measured[part](id, given.rounds, device)
            else:
                found = of_parts(id, part, given.rounds, device)
            print(f"{part:9} {id:16}", *(f"{name} {gain:5.2f}×" for name, gain in found.items()), flush=True)


if __name__ == "__main__":
    main()

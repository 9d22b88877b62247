"""Single Jacobian images by captured graphs, as far as a machine without a GPU can tell.

What captures is made up here: it does the work again at each call, and overwrites the same result, as a graph does.
`tests/unit/test_cuda.py` captures real graphs where there is a GPU.
"""

from __future__ import annotations

import gc
import logging
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

import fusion
from fusion.saliency.chain import gpu, steps, windows
from fusion.saliency.chain.chain import Chain
from fusion.saliency.chain.gpu import WORTH, CapturedGraphs, Replay
from fusion.saliency.chain.steps import OnePixel, PixelBatch, PixelLattice
from fusion.saliency.chain.windows import chain_of
from fusion.saliency.window import Box
from tests.unit.reference import (
    notable_pixels,
    random_method,
    random_pair,
    relative_error,
    trained_method,
)
from tests.unit.small_networks import understood

TOLERANCE = 1e-13
META = torch.device("meta")
"""Tensors without values: whatever asks for one fails, as it would fail while a graph is captured."""


class Recorder:
    """Captures nothing, and counts."""

    def __init__(self) -> None:
        self.captured = self.replayed = 0
        self.wrong = 0.0

    def __call__(self, compute: Callable[[], Tensor]) -> Replay:
        self.captured += 1
        result = compute().clone()

        @torch.inference_mode()
        def replay() -> Tensor:
            self.replayed += 1
            return result.copy_(compute()).add_(self.wrong)

        return replay


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


def capturing_chain(method: fusion.Method, recorder: Recorder) -> Chain:
    chain = chain_of(method, torch.float64)
    assert chain is not None
    chain.capturing = CapturedGraphs(chain.windows_at, chain.device, recorder)
    return chain


@pytest.mark.parametrize("id", fusion.method_ids())
def test_a_graph_gives_what_its_steps_give(id: str, recorder: Recorder, rng: np.random.Generator) -> None:
    method, pair = random_method(id, rng), random_pair(rng, (41, 38))
    pixels = notable_pixels(rng, pair.shape, 9)
    expected = [fusion.jacobian(method, pair, pixel, "float64") for pixel in pixels]
    capturing_chain(method, recorder)
    found = [fusion.jacobian(method, pair, pixel, "float64") for pixel in pixels]
    assert recorder.captured == 1 and recorder.replayed == 1 + len(pixels) - WORTH - 1
    # Held until the end: an answer must not change when the next one is computed where it was.
    for one, other in zip(found, expected, strict=True):
        assert relative_error(one.dense(), other.dense()) <= TOLERANCE
        assert one.path == "chain"


def test_preparing_captures_every_part(recorder: Recorder, rng: np.random.Generator) -> None:
    method, pair = random_method("deepfuse", rng), random_pair(rng, (20, 300))
    chain = capturing_chain(method, recorder)
    fusion.prepare(method, pair, "float64")
    assert recorder.captured == recorder.replayed == 2
    for pixel in ((3, 7), (19, 299)):
        fusion.jacobian(method, pair, pixel, "float64")
    assert (recorder.captured, recorder.replayed) == (2, 4)
    fusion.prepare(method, pair, "float64")
    assert recorder.captured == 2, "they are there"
    assert chain.capturing is not None


def test_batches_are_not_captured(recorder: Recorder, rng: np.random.Generator) -> None:
    method, pair = random_method("deepfuse", rng), random_pair(rng, (20, 20))
    capturing_chain(method, recorder)
    fusion.jacobians(method, pair, [(1, 2), (3, 4)] * 10, "float64")
    assert recorder.captured == 0


@pytest.mark.parametrize("failure", ["another result", "NaN", "an error"])
def test_what_cannot_be_captured_is_computed_step_by_step(
    failure: str, recorder: Recorder, rng: np.random.Generator, caplog: pytest.LogCaptureFixture
) -> None:
    method, pair = random_method("deepfuse", rng), random_pair(rng, (20, 20))
    expected = fusion.jacobian(method, pair, (4, 5), "float64").values

    def fail(compute: Callable[[], Tensor]) -> Replay:
        recorder.captured += 1
        raise RuntimeError("operation not permitted when stream is capturing")

    recorder.wrong = float("nan") if failure == "NaN" else 1e-3
    chain = capturing_chain(method, recorder)
    if failure == "an error":
        chain.capturing = CapturedGraphs(chain.windows_at, chain.device, fail)
    with caplog.at_level(logging.ERROR):
        for _ in range(3 * WORTH):
            assert np.array_equal(fusion.jacobian(method, pair, (4, 5), "float64").values, expected)
    assert recorder.captured == 1, "it is not tried again"
    assert len(caplog.records) == 1 and "step by step" in caplog.text


def test_a_wider_window_has_a_graph_of_its_own(recorder: Recorder, rng: np.random.Generator) -> None:
    chain = capturing_chain(random_method("deepfuse", rng), recorder)
    derivatives = chain.derivatives(random_pair(rng, (9, 9)).images, Box(0, 0, 9, 9))
    derivatives.ensure_all()
    for radius in (chain.radius, chain.radius + 2):
        for _ in range(WORTH + 2):
            found = chain.jacobian(derivatives, (3, 4), radius)
            assert found.shape == (2, 2 * radius + 1, 2 * radius + 1)
            assert np.array_equal(found, chain.jacobians([derivatives.pixel((3, 4))], radius)[0])
    assert recorder.captured == 2


def test_a_chain_that_nobody_has_is_gone_at_once(rng: np.random.Generator) -> None:
    network = random_method("deepfuse", rng).network_as(torch.float64)
    chain = Chain(network, torch.float64, torch.device("cpu"))
    chain.capturing = CapturedGraphs(chain.windows_at, chain.device, Recorder())
    gone = weakref.ref(chain)
    gc.disable()
    try:
        del chain
        assert gone() is None
    finally:
        gc.enable()


def test_a_graph_goes_with_its_part(recorder: Recorder, rng: np.random.Generator) -> None:
    chain = capturing_chain(random_method("deepfuse", rng), recorder)
    derivatives = chain.derivatives(random_pair(rng, (9, 9)).images, Box(0, 0, 9, 9))
    derivatives.ensure_all()
    assert chain.capturing is not None
    chain.capturing.capture(derivatives, derivatives.pixel((0, 0)), chain.radius)
    assert len(chain.capturing._graphs) == 1
    del derivatives
    gc.collect()
    assert len(chain.capturing._graphs) == 0


def test_threads_take_turns_at_a_graph_and_none_waits_for_its_capture(rng: np.random.Generator) -> None:
    method, pair = fusion.Method.from_module(understood()["dense"], "own", "Own"), random_pair(rng, (40, 40))
    pixels = [(int(row), int(column)) for row, column in rng.integers(0, 40, (300, 2))]
    expected = [fusion.jacobian(method, pair, pixel, "float64").values for pixel in pixels]
    inside, most = 0, 0
    go_on = threading.Event()

    def record(compute: Callable[[], Tensor]) -> Replay:
        result = compute().clone()
        assert go_on.wait(30), "somebody waits for the capture"

        @torch.inference_mode()
        def replay() -> Tensor:
            nonlocal inside, most
            inside += 1
            most = max(most, inside)
            result.copy_(compute())
            inside -= 1
            return result

        return replay

    chain = chain_of(method, torch.float64)
    assert chain is not None
    chain.capturing = CapturedGraphs(chain.windows_at, chain.device, record)
    with ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(fusion.jacobian, method, pair, pixel, "float64") for pixel in pixels]
        # All but the one that captures; where others waited for it, `record` would raise.
        first = as_completed(answers[: WORTH + 40])
        for _ in range(WORTH + 39):
            next(first).result()
        go_on.set()
        for answer, values in zip(answers, expected, strict=True):
            assert relative_error(answer.result().values, values) <= TOLERANCE
    assert most == 1


@pytest.fixture(params=[*fusion.method_ids(), *understood()])
def network(request: pytest.FixtureRequest) -> fusion.Method:
    if request.param in understood():
        return fusion.Method.from_module(understood()[request.param], "own", "Own")
    return trained_method(request.param)


def test_no_step_waits_for_the_device_or_leaves_it(network: fusion.Method, rng: np.random.Generator) -> None:
    chain = Chain(network.network_as(torch.float32), torch.float32, META)
    box = Box(0, 0, 33, 35)
    images = random_pair(rng, (33, 35)).images
    radius = chain.radius + 1
    derivatives = chain.derivatives(images, box)
    row, column = torch.zeros(2, 1, dtype=torch.int64, device=META)
    for where in (
        PixelBatch(derivatives.tensors, row, column),
        PixelBatch.of([OnePixel(derivatives.tensors, 1, 2)] * 3),
    ):
        found = chain.windows_at(where, radius)
        assert found.device == META
        assert found.shape == (where.count, 2, 2 * radius + 1, 2 * radius + 1)
    lattice = PixelLattice(chain.derivatives(images, box, diagonal=True).tensors, 0, 0, 4, 5, (3, 2))
    assert {slot.device for slot in chain._applied(chain.diagonal, lattice)} == {META}


@pytest.mark.parametrize("numbers", [0, 2**40])
def test_windows_are_gathered_the_same_either_way(
    numbers: int, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "INDEXED_NUMBERS", numbers)
    method, pair = random_method("masknet", rng), random_pair(rng, (30, 31))
    pixels = notable_pixels(rng, pair.shape, 5)
    together = fusion.jacobians(method, pair, pixels, "float64")
    for pixel, window in zip(pixels, together, strict=True):
        assert (
            relative_error(window.dense(), fusion.jacobian(method, pair, pixel, "float64").dense())
            <= TOLERANCE
        )


def test_batches_are_small_and_of_equal_size(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    method, pair = random_method("deepfuse", rng), random_pair(rng, (30, 31))
    chain = chain_of(method, torch.float64)
    assert chain is not None
    monkeypatch.setitem(windows.NUMBERS_A_BATCH, "cpu", 20 * chain.windows.widest)
    sizes: list[int] = []
    right = Chain.jacobians

    def counting(chain: Chain, where: list[OnePixel], radius: int) -> NDArray[np.floating]:
        sizes.append(len(where))
        return right(chain, where, radius)

    monkeypatch.setattr(Chain, "jacobians", counting)
    pixels = [(number // 31, number % 31) for number in range(64)]
    found = fusion.jacobians(method, pair, pixels, "float64")
    assert sizes == [16, 16, 16, 16]
    assert [(window.row, window.col) for window in found] == pixels
    sizes.clear()
    fusion.jacobians(method, pair, pixels[:21], "float64", batch_size=7)
    assert sizes == [7, 7, 7]


def test_pixels_of_several_parts_are_not_computed_together(rng: np.random.Generator) -> None:
    chain = chain_of(random_method("deepfuse", rng), torch.float64)
    assert chain is not None
    one, other = (chain.derivatives(random_pair(rng, (5, 5)).images, Box(0, 0, 5, 5)) for _ in range(2))
    with pytest.raises(ValueError, match="one part"):
        chain.jacobians([one.pixel((1, 1)), other.pixel((1, 1))], chain.radius)


@pytest.mark.parametrize("id", fusion.method_ids())
def test_nothing_is_released_that_is_needed(id: str) -> None:
    chain = chain_of(trained_method(id), torch.float32)
    assert chain is not None
    for chosen in (chain.windows, chain.diagonal):
        results = {result[0] for result in chosen.results if result is not None}
        gone: set[int] = set()
        for step, released in zip(chosen.steps, chosen.releases, strict=True):
            assert not gone & set(step.used)
            gone |= set(released)
        assert not gone & results
        # All the rest is gone at the end, which is what keeps memory small.
        assert gone | results == {slot for step in chosen.steps for slot in step.used} | results


@pytest.fixture
def on_a_made_up_gpu(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Stand-ins for what `GraphRecorder` calls, which note the order of the calls."""
    calls: list[str] = []

    class Context:
        def __init__(self, name: str) -> None:
            self.name = name

        def __enter__(self) -> None:
            calls.append(f"into {self.name}")

        def __exit__(self, *problem: object) -> None:
            calls.append(f"out of {self.name}")

    class Stream:
        def __init__(self, name: str) -> None:
            self.name = name

        def wait_stream(self, other: Stream) -> None:
            calls.append(f"{self.name} waits for {other.name}")

        def synchronize(self) -> None:
            calls.append(f"wait for {self.name}")

    class Graph:
        def capture_begin(self, pool: object, capture_error_mode: str) -> None:
            assert (pool, capture_error_mode) == ("pool", "thread_local")
            calls.append("begin")

        def capture_end(self) -> None:
            calls.append("end")

        def replay(self) -> None:
            calls.append("replay")

    for name, stand_in in {
        "device": lambda device: Context("device"),
        "stream": lambda stream: Context(stream.name),
        "Stream": lambda device: Stream("side"),
        "current_stream": lambda: Stream("main"),
        "graph_pool_handle": lambda: "pool",
        "CUDAGraph": Graph,
    }.items():
        monkeypatch.setattr(torch.cuda, name, stand_in)
    return calls


def test_work_is_warmed_up_and_captured_on_a_stream_of_its_own(on_a_made_up_gpu: list[str]) -> None:
    calls = on_a_made_up_gpu
    record = gpu.GraphRecorder(torch.device("cuda:0"))
    calls.clear()
    result = torch.ones(1)

    def compute() -> Tensor:
        calls.append("compute")
        return result

    replay = record(compute)
    assert calls == [
        "into device",
        "side waits for main",
        "into side",
        *["compute"] * gpu.WARMING,
        "wait for side",
        "begin",
        "compute",
        "end",
        "out of side",
        "out of device",
    ]
    calls.clear()
    assert replay() is result and calls == ["replay"]


def test_memory_is_shared_with_a_graph_that_stays(on_a_made_up_gpu: list[str]) -> None:
    """Torch refuses to capture into shared memory once the last graph there has gone."""
    record = gpu.GraphRecorder(torch.device("cuda:0"))
    for _ in range(2):
        record(lambda: torch.ones(1))
        gc.collect()
    assert sum(type(one) is torch.cuda.CUDAGraph for one in gc.get_referents(vars(record))) == 1


def test_a_capture_that_fails_is_ended(on_a_made_up_gpu: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[torch.cuda.CUDAGraph] = []
    monkeypatch.setattr(gpu, "_FAILED", kept)
    record = gpu.GraphRecorder(torch.device("cuda:0"))

    def compute() -> Tensor:
        if "begin" in on_a_made_up_gpu:
            raise RuntimeError("not permitted")
        return torch.ones(1)

    with pytest.raises(RuntimeError, match="not permitted"):
        record(compute)
    assert on_a_made_up_gpu[-4:] == ["begin", "end", "out of side", "out of device"]
    assert len(kept) == 1


def test_work_that_fails_before_is_waited_for(on_a_made_up_gpu: list[str]) -> None:
    record = gpu.GraphRecorder(torch.device("cuda:0"))

    def compute() -> Tensor:
        raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        record(compute)
    assert on_a_made_up_gpu[-3:] == ["wait for side", "out of side", "out of device"]

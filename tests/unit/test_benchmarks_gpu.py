"""What is measured on a GPU, as far as a machine without one can tell: it is done on the CPU here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import fusion
from fusion import Method, Pair
from fusion.benchmark import command, device
from fusion.benchmark.command import BenchmarkOptions, run_benchmark
from fusion.benchmark.device import (
    DeviceTimes,
    Work,
    all_jacobians,
    complete_atlas,
    device_figures,
    device_times,
    floor_seconds,
    throughput,
    work_of,
)
from fusion.benchmark.figures import recorded
from fusion.benchmark.measurement import settle
from tests.unit.command_line import exit_code
from tests.unit.small_networks import OfTwo, conv

CPU = torch.device("cpu")


@pytest.fixture
def pair(rng: np.random.Generator) -> Pair:
    return Pair.from_arrays(*rng.random((2, 11, 13)))


@pytest.fixture
def method() -> Method:
    return Method.from_module(OfTwo(conv(2, 3), nn.Tanh(), conv(3, 1)), "small", "Small")


def test_the_work_of_a_chain_is_counted() -> None:
    work = work_of(Method.from_module(OfTwo(conv(2, 1)), "one", "One"))
    # Nine taps to both images; for the diagonal only the one in the middle.
    assert work == Work(window=2 * 9, diagonal=2)
    assert floor_seconds(5e11, 1e12) == 1.0


def test_a_method_without_a_chain_has_no_floor(pair: Pair) -> None:
    class Whole(nn.Module):
        def forward(self, x1: torch.Tensor, x2: torch.Tensor) -> torch.Tensor:
            return x1 * x2.mean(dim=(2, 3), keepdim=True)

    method = Method.from_module(Whole(), "whole", "Whole")
    assert work_of(method) is None
    times = device_times(method, pair, [(0, 0)])
    assert (times.jacobians, times.atlas) == (None, None), "it has no atlas"
    assert [one.name for one in device_figures(times, 1e12, True)] == [
        "Whole: one Jacobian",
        "Whole: guidance images",
    ]


def test_this_machines_arithmetic_is_measured() -> None:
    rate = throughput(CPU, side=64)
    assert 1e6 < rate < 1e15
    assert device.rate_figure(rate).value == rate / 1e12


def test_all_three_times_are_measured(method: Method, pair: Pair) -> None:
    times = device_times(method, pair, [(0, 0), (5, 6), (10, 12)])
    assert (times.method, times.pixels, times.work) == ("Small", 11 * 13, work_of(method))
    for seconds in (times.jacobian, times.guidance, times.jacobians, times.atlas):
        assert seconds is not None and seconds > 0
    shorter = device_times(method, pair, [(0, 0)], with_guidance=False, with_atlas=False)
    assert (shorter.guidance, shorter.jacobians, shorter.atlas) == (None, None, None)
    assert len(device_figures(shorter, 1e12, True)) == 2


def test_all_means_all(method: Method, pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "AT_ONCE", 50)
    assert all_jacobians(method, pair) == 11 * 13
    assert complete_atlas(tmp_path / "atlas", method, pair).complete


def test_times_stand_beside_their_limits_and_their_floors() -> None:
    work = Work(window=1_000_000, diagonal=100_000)
    times = DeviceTimes("Small", work, 65_536, 5e-4, 1.2, 3.0, 4.0)
    figures = {one.name: one for one in device_figures(times, 1e13, True)}
    single, guidance, atlas = (
        figures[f"Small: {name}"] for name in ("one Jacobian", "guidance images", "complete atlas")
    )
    assert [one.bound for one in (single, guidance, atlas)] == [0.6, 1, 5]
    assert [one.reached for one in (single, guidance, atlas)] == [True, False, True]
    assert figures["Small: all Jacobians, not kept"].bound is None
    ratios = [one.value for name, one in figures.items() if name.endswith("÷ arithmetic floor")]
    floors = [2e6 / 1e13, 2e5 * 65_536 / 1e13, 2e6 * 65_536 / 1e13, 2e6 * 65_536 / 1e13]
    assert ratios == pytest.approx([5e-4 / floors[0], 1.2 / floors[1], 3 / floors[2], 4 / floors[3]])
    assert all(one.bound is None for one in device_figures(times, 1e13, False))


def test_limits_of_a_gpu_are_for_a_gpu() -> None:
    assert device.has_limits(torch.device("cuda"), (256, 256))
    assert not device.has_limits(torch.device("cuda"), (512, 256))
    assert not device.has_limits(CPU, (256, 256))


def test_a_gpu_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[Any] = []
    monkeypatch.setattr(torch.cuda, "synchronize", waited.append)
    settle(CPU)
    assert waited == []
    settle(torch.device("cuda:1"))
    assert waited == [torch.device("cuda:1")]


@pytest.fixture
def printed(tmp_path: Path, pair: Pair, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run the measurement on a device of this name, which stands for the CPU, and return its code and figures."""

    def run(device: str, **options: Any) -> tuple[int, list[str]]:
        files = (tmp_path / "mri_1.npy", tmp_path / "pet_1.npy")
        for file, image in zip(files, pair.images, strict=True):
            np.save(file, image)
        record = tmp_path / "figures.jsonl"
        record.unlink(missing_ok=True)
        load = fusion.load_method
        with monkeypatch.context() as patch:
            patch.setattr(command, "resolve_device", torch.device)
            patch.setattr(command, "machine_line", str)
            patch.setattr(command, "throughput", lambda device: 1e12)
            patch.setattr(fusion, "load_method", lambda id, device: load(id, "cpu"))
            patch.setattr(command, "has_limits", lambda device, shape: True)
            code = exit_code(
                lambda: run_benchmark(
                    BenchmarkOptions(["deepfuse"], 2, pair=files, device=device, record=record, **options)
                )
            )
        names = [one.name for _, one in recorded(record)]
        return code, names

    return run


def test_a_gpu_has_figures_of_its_own(printed: Any) -> None:
    code, names = printed("cuda")
    assert code == 0
    for name in ("one Jacobian", "guidance images", "complete atlas"):
        assert f"DeepFuse: {name}" in names
        assert f"DeepFuse: {name} ÷ arithmetic floor" in names
    assert "float32 arithmetic of this device, measured" in names
    _, fewer = printed("cuda", guidance=False, atlas=False)
    assert not [name for name in fewer if "guidance" in name or "atlas" in name]


def test_the_cpu_has_not_and_says_so(printed: Any, capsys: pytest.CaptureFixture[str]) -> None:
    code, names = printed("cpu", guidance=False)
    assert code == 0
    assert all("baseline ÷ ours" in name for name in names)
    assert "which need CUDA" in capsys.readouterr().out

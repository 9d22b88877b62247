"""The measurement of numerics: a wrong result ends it with exit code 1, a slow one only where asked, on a GPU too."""

from __future__ import annotations

import dataclasses
import inspect
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import typer
from torch import nn
from typer.testing import CliRunner

import fusion
from benchmarks.inputs import of_side
from benchmarks.jacobian_guidance import main
from benchmarks.limits import HOVER_UPDATES
from fusion import Method, Pair
from fusion.benchmark import command, device, limits
from fusion.benchmark import measurement as measurement_module
from fusion.benchmark.command import PIXELS, BenchmarkOptions, conclude, run_benchmark
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
from fusion.benchmark.measurement import (
    BATCHES,
    Breaks,
    FullImageGradients,
    Measurement,
    measure,
    random_pixels,
    relative_error,
    settle,
)
from fusion.benchmark.tables import ratio_figures
from fusion.cli.benchmark import benchmark_command
from fusion.cli.main import app as command_line
from fusion.errors import WeightsError
from tests.unit.command_line import exit_code
from tests.unit.moved_clock import MovedClock
from tests.unit.small_networks import OfTwo, conv

program = typer.Typer()
program.command()(main)


@pytest.fixture
def pair_files(tmp_path: Path) -> list[str]:
    generator = np.random.default_rng(0)
    files = [str(tmp_path / name) for name in ("mri.npy", "pet.npy")]
    for file in files:
        np.save(file, generator.random((12, 9)))
    return files


def run(files: list[str], *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(program, ["--pair", *files, "--pixels", "3", *arguments])
    return result.exit_code, result.output


def test_a_method_that_is_exact_passes(pair_files: list[str]) -> None:
    code, output = run(pair_files, "--method", "weighted_averaging_true")
    assert code == 0, output
    for heading in ("fusion.jacobian", "fusion.guidance", "Jacobian, float64"):
        assert heading in output
    assert "NOT EXACT" not in output


@pytest.mark.parametrize("factor", [1.001, np.nan])
def test_a_wrong_jacobian_is_not_accepted(
    pair_files: list[str], monkeypatch: pytest.MonkeyPatch, factor: float
) -> None:
    right = fusion.jacobian

    def wrong(*arguments: Any) -> fusion.JacobianWindow:
        window = right(*arguments)
        return dataclasses.replace(window, values=window.values * factor)

    monkeypatch.setattr(fusion, "jacobian", wrong)
    code, output = run(pair_files, "--method", "weighted_averaging", "--no-guidance")
    assert code == 1
    assert "NOT EXACT: Weighted Averaging" in output


def test_a_wrong_guidance_image_is_not_accepted(
    pair_files: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    right = fusion.guidance
    monkeypatch.setattr(fusion, "guidance", lambda *arguments: right(*arguments)[:, ::-1])
    code, output = run(pair_files, "--method", "weighted_averaging")
    assert code == 1
    assert "NOT EXACT: Weighted Averaging" in output


def test_missing_weights_are_told(pair_files: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def no_weights(id: str, device: str) -> fusion.Method:
        raise WeightsError(f"no weights of {id}")

    monkeypatch.setattr(fusion, "load_method", no_weights)
    code, output = run(pair_files, "--method", "masknet")
    assert code == 1
    assert "masknet was not measured: no weights of masknet" in output


def test_relative_error_is_measured_on_the_largest_value() -> None:
    expected = np.array([0.0, -4.0, 1.0])
    assert relative_error(np.array([0.0, -4.0, 1.5]), expected) == 0.125
    assert relative_error(expected, expected) == 0
    assert relative_error(np.array([np.nan, 0, 0]), expected) == np.inf
    assert relative_error(np.array([0.25]), np.array([0.0])) == 0.25


def test_the_command_line_offers_it_as_table_2(pair_files: list[str]) -> None:
    arguments = ["benchmark", "--pair", *pair_files, "--pixels", "2", "-m", "deepfuse", "--device", "cpu"]
    result = CliRunner().invoke(command_line, arguments)
    assert result.exit_code == 0, result.output
    assert "Table 2 of the paper" in result.output
    for paper in ("0.003", "195"):
        assert paper in result.output


def measurement(single: float = 1e-3, error: float = 0.0, side: int = 256) -> Measurement:
    return Measurement(
        "deepfuse", "DeepFuse", (side, side), 0.2, 1.0, single, single / 2, 20.0, 0.25, error, 0.0, 0.0
    )


def test_ratios_stand_beside_what_they_must_reach() -> None:
    single, batched, guidance = ratio_figures([measurement()], on_cpu=True)
    assert [one.value for one in (single, batched)] == pytest.approx([200, 400])
    assert [one.bound for one in (single, batched, guidance)] == [120, 350, 600]
    assert [one.aim for one in (single, batched)] == [200, None]
    # The baseline that counts is the one that was computed in breaks of the guidance images.
    assert guidance.value == pytest.approx(65_536 * 0.25 / 20)
    assert all(one.reached and not one.at_most for one in (single, batched, guidance))
    assert not ratio_figures([measurement(single=2e-3)], on_cpu=True)[0].reached


def test_ratios_of_other_images_and_devices_are_only_told() -> None:
    for figures in (
        ratio_figures([measurement(side=300)], on_cpu=True),
        ratio_figures([measurement()], on_cpu=False),
    ):
        assert [one.bound for one in figures] == [None] * 3


@pytest.mark.parametrize(
    ("single", "error", "strict", "code"),
    [(1e-3, 0.0, True, 0), (1.0, 0.0, False, 0), (1.0, 0.0, True, 3), (1.0, 1e-3, True, 1), (1e-3, 1e-3, False, 1)],
)  # fmt: skip
def test_a_missed_figure_fails_only_where_asked_and_a_wrong_result_always(
    single: float, error: float, strict: bool, code: int
) -> None:
    found = [measurement(single, error)]
    assert exit_code(lambda: conclude(found, [], ratio_figures(found, on_cpu=True), strict, None)) == code


def test_a_hundred_pixels_unless_told_otherwise() -> None:
    assert PIXELS == 100
    assert inspect.signature(benchmark_command).parameters["pixels"].default == PIXELS


def test_both_command_lines_take_the_same_options() -> None:
    ours, theirs = (inspect.signature(command).parameters for command in (main, benchmark_command))
    assert list(ours) == list(theirs), "they are the same measurement"


def test_the_baseline_computes_in_breaks_that_are_not_counted(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = MovedClock(tick=0.001)
    monkeypatch.setattr(measurement_module, "time", SimpleNamespace(perf_counter=clock))

    class Slow(FullImageGradients):
        def jacobian(self, pixel: tuple[int, int]) -> Any:
            asked.append(pixel)
            clock.now += 0.02
            return super().jacobian(pixel)

    asked: list[tuple[int, int]] = []
    pair = of_side(16)
    pixels = random_pixels(4, pair.shape, seed=0)
    breaks = Breaks(Slow(fusion.load_method("weighted_averaging_true", "cpu"), pair), pixels)
    for done in range(1, 9):
        breaks(done, 8, np.zeros(0))
        assert len(asked) == done // 2
    assert asked == pixels
    assert len(breaks.seconds) == 4 and min(breaks.seconds) >= 0.02
    assert sum(breaks.seconds) <= breaks.total < sum(breaks.seconds) + 0.02
    everything = Breaks(Slow(fusion.load_method("weighted_averaging_true", "cpu"), pair), pixels)
    everything(1, 1, np.zeros(0))
    assert len(everything.seconds) == 4, "a computation of one pass has one break"


@pytest.mark.parametrize("count", [2, 25])
def test_batches_take_turns_with_the_baseline(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    order: list[str] = []
    pair = of_side(12)
    jacobians, jacobian = fusion.jacobians, FullImageGradients.jacobian

    def batch(*arguments: Any) -> list[fusion.JacobianWindow]:
        order.append("batch")
        return jacobians(*arguments)

    def slow(self: FullImageGradients, pixel: tuple[int, int]) -> Any:
        order.append("baseline")
        return jacobian(self, pixel)

    monkeypatch.setattr(fusion, "jacobians", batch)
    monkeypatch.setattr(FullImageGradients, "jacobian", slow)
    method = fusion.load_method("weighted_averaging_true", "cpu")
    found = measure(method, pair, random_pixels(count, pair.shape, seed=0), True)
    assert found.guidance is not None and found.guidance_baseline is not None
    batches = [number for number, name in enumerate(order) if name == "batch"]
    assert len(batches) >= BATCHES
    last = max(number for number, name in enumerate(order) if name == "baseline")
    assert batches[0] < last and order[0] == "baseline"


def test_every_network_has_limits() -> None:
    for wanted in (limits.JACOBIAN_RATIO, limits.BATCH_RATIO, limits.GUIDANCE_RATIO):
        assert set(wanted) == {"funfusean", "masknet", "deepfuse", "deep_pedestrian"}
        assert not any(one.most for one in wanted.values())
    assert set(HOVER_UPDATES) == {*limits.JACOBIAN_RATIO, "weighted_averaging"}


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

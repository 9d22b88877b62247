"""The benchmark judges what it times: a wrong result ends it with exit code 1, a slow one only where asked."""

from __future__ import annotations

import dataclasses
import inspect
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

import fusion
from benchmarks import limits
from benchmarks.full_image import FullImageGradients
from benchmarks.images import of_side
from benchmarks.jacobian_guidance import PIXELS, conclude, main
from benchmarks.measurement import BATCHES, Breaks, Measurement, measure, random_pixels, relative_error
from benchmarks.ratios import ratio_figures
from fusion.cli.benchmark import benchmark_command
from fusion.cli.main import app as command_line
from fusion.errors import WeightsError
from tests.unit.command_line import exit_code
from tests.unit.moved_clock import MovedClock

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
    assert list(ours) == list(theirs), "the second passes its options on in this order"


def test_the_baseline_computes_in_breaks_that_are_not_counted(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = MovedClock(tick=0.001)
    monkeypatch.setattr(sys.modules[Breaks.__module__], "time", SimpleNamespace(perf_counter=clock))

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
    assert set(limits.HOVER_UPDATES) == {*limits.JACOBIAN_RATIO, "weighted_averaging"}

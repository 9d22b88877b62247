"""The benchmark judges what it times: a wrong result ends it with exit code 1."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

import fusion
from benchmarks.jacobian_guidance import main
from benchmarks.measurement import relative_error
from fusion.cli import app as command_line
from fusion.errors import WeightsError

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

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import fusion
from fusion import Pair
from fusion.cli.main import app
from fusion.report.scores import MethodScores, Scores, score, score_methods


def test_a_fused_image_that_is_one_of_the_inputs(rng: np.random.Generator) -> None:
    pair = Pair.from_arrays(rng.random((20, 24)), rng.random((20, 24)))
    found = score(pair, pair.images[0])
    assert found.ssim_first == pytest.approx(0, abs=1e-9)
    assert found.l2_first == 0
    assert found.l2_second == pytest.approx(float(((pair.images[0] - pair.images[1]) ** 2).mean()), rel=1e-5)
    assert found.ssim_gap == pytest.approx(found.ssim_second, abs=1e-9)
    assert found.ssim_mean == pytest.approx(found.ssim_second / 2, abs=1e-9)
    assert found.l2_mean == pytest.approx(found.l2_second / 2)


def test_numbers_that_are_not_defined_do_not_count() -> None:
    def made(background: float) -> Scores:
        return Scores(0.1, 0.2, 0.01, 0.02, background, 0.0, math.nan)

    mean = MethodScores("m", "M", (made(0.25), made(math.nan))).mean
    assert mean.background == 0.25
    assert math.isnan(mean.frame)
    assert mean.ssim_gap == pytest.approx(0.1)


def test_a_method_without_weights_says_so(tmp_path: Path, rng: np.random.Generator) -> None:
    pair = Pair.from_arrays(rng.random((20, 24)), rng.random((20, 24)))
    seen: list[tuple[int, int]] = []
    found = score_methods(
        ["weighted_averaging", "deepfuse"], [pair], tmp_path, "cpu", lambda *now: seen.append(now)
    )
    expected = score(pair, fusion.fuse(fusion.load_method("weighted_averaging", "cpu"), pair))
    assert found[0].pairs[0].ssim_first == expected.ssim_first
    assert found[0].pairs[0].shift == expected.shift
    assert "cannot be read" in found[1].problem
    assert seen[-1] == (2, 2)


def run(*arguments: str, expect: int = 0) -> Any:
    result = CliRunner().invoke(app, ["report", "pairs", *arguments, "--device", "cpu"])
    assert result.exit_code == expect, result.output
    return result


def test_the_command_prints_means_and_writes_every_number(tmp_path: Path, rng: np.random.Generator) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        for number in range(2):
            np.save(tmp_path / folder / f"{number}.npy", rng.random((16, 18)))
    folders = (str(tmp_path / "a"), str(tmp_path / "b"))
    output = tmp_path / "scores.csv"
    result = run(*folders, "-m", "weighted_averaging", "-m", "deepfuse", "-o", str(output))
    assert "Mean over 2 pairs" in result.stdout
    assert "…" not in result.stdout
    rows = list(csv.DictReader(output.read_text(encoding="utf-8").splitlines()))
    assert [row["method"] for row in rows] == ["weighted_averaging"] * 2 + ["deepfuse"] * 2
    pair = fusion.load_pair(rows[3]["first"], rows[3]["second"])
    expected = score(pair, fusion.fuse(fusion.load_method("deepfuse", "cpu"), pair))
    assert float(rows[3]["ssim_second"]) == pytest.approx(expected.ssim_second)
    mean = np.mean([float(row["ssim_first"]) for row in rows[:2]])
    assert f"{mean:.3f}" in result.stdout


def test_what_cannot_be_scored_is_told(tmp_path: Path, rng: np.random.Generator) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        np.save(tmp_path / folder / "x.npy", rng.random((8, 30)))
    assert "at least 11×11" in run(str(tmp_path / "a"), str(tmp_path / "b"), expect=2).stderr
    assert "no such folder" in run(str(tmp_path / "a"), str(tmp_path / "c"), expect=2).stderr

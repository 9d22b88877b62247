"""Reports on the command line: tables in the terminal, one page that needs nothing else, and scores of pairs."""

from __future__ import annotations

import base64
import csv
import io
import math
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import fusion
from fusion import Pair
from fusion.cli.main import app
from fusion.data.catalogue import Catalogue
from fusion.report import fused
from fusion.report.document import report_page
from fusion.report.fused import MethodScores, Scores, fused_gallery, picture_address, score, score_methods
from fusion.report.table import PAPER_TABLE
from fusion.report.training import fused_ids, training_report
from tests.unit.command_line import run
from tests.unit.made_up_trainings import card, curve, write_training


class References(HTMLParser):
    """Collects what a page would load or lead to, and the texts of its pictures."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.descriptions: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in ("script", "link", "iframe", "object")
        for name, value in attrs:
            if name in ("src", "href", "xlink:href", "srcset", "data"):
                self.loaded.append(value or "")
            if name == "alt":
                self.descriptions.append(value or "")


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """Weights of two networks: one with card and curve, one with neither."""
    folder = tmp_path / "weights"
    write_training(folder, "deepfuse", card(about="<b>bold</b> & $x$", known="Frames the image."), curve())
    write_training(folder, "masknet")
    return folder


@pytest.fixture
def small_samples(samples_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Catalogue:
    catalogue = Catalogue(samples_dir=samples_dir)
    monkeypatch.setattr(fused, "Catalogue", lambda: catalogue)
    return catalogue


def test_the_report_of_a_folder(weights: Path, small_samples: Catalogue, tmp_path: Path) -> None:
    output = tmp_path / "new" / "report"
    result = run("report", "training", "--weights", str(weights), "-o", str(output), "--device", "cpu")
    assert result.stdout.split()[-2:] == [f"{output}/training.html", f"{output}/training.csv"]
    line = next(line for line in result.stdout.splitlines() if "DeepFuse" in line)
    assert " ".join(line.split()[1:]) == "these weights 0.99 0.5 0.4 0.2000 0.2500 0.0500 0.0125 0.0200"
    assert "0.2824" in result.stdout and "−0.0824" in result.stdout, "the paper's value, and the difference"

    page = (output / "training.html").read_text(encoding="utf-8")
    references = References()
    references.feed(page)
    pictures = [one for one in references.loaded if one.startswith("data:image/png;base64,")]
    count = len(small_samples.entries())
    assert len(pictures) == count * (2 + 5), "two inputs, weighted averaging, two baselines, two networks"
    assert all(one.startswith(("data:", "#")) for one in references.loaded)
    assert not re.search(r"url\(\s*['\"]?(?!#)", page) and "@import" not in page
    for address in pictures:
        with Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))) as image:
            image.load()
            assert image.mode == "L"
    assert len(references.descriptions) == len(pictures) and all(references.descriptions)
    assert page.count("<svg") == 1
    assert "&lt;b&gt;bold&lt;/b&gt; &amp; $x$" in page and "<b>bold" not in page
    assert "Frames the image." in page
    assert "There is no model card beside these weights." in page
    assert "python -m fusion train funfusean" in page, "what is missing is said"

    with (output / "training.csv").open(encoding="utf-8", newline="") as stream:
        rows = {(row["method"], row["source"]): row for row in csv.DictReader(stream)}
    assert float(rows["deepfuse", "these weights"]["ssim_mri"]) == 0.2
    assert float(rows["deepfuse", "difference"]["l2_pet"]) == pytest.approx(0.02 - 0.0338)
    assert rows["masknet", "these weights"]["lambda"] == "" and ("masknet", "difference") not in rows
    for id, paper in PAPER_TABLE.items():
        assert float(rows[id, "paper"]["gamma_ssim"]) == paper.gamma_ssim


def test_progress_counts_every_picture(weights: Path, small_samples: Catalogue) -> None:
    steps: list[tuple[int, int]] = []
    found = fused_gallery(weights, "cpu", lambda done, total: steps.append((done, total)), small_samples)
    total = len(fused_ids()) * len(small_samples.entries())
    assert steps == sorted(steps) and steps[-1] == (total, total)
    rows = {row.method_id: row for row in found.rows}
    assert not rows["deepfuse"].problem and len(rows["deepfuse"].images) == len(found.pairs)
    assert "cannot be read" in rows["funfusean"].problem and not rows["funfusean"].images


def test_without_curves_the_page_says_so(weights: Path, small_samples: Catalogue) -> None:
    (weights / "deepfuse.curve.csv").unlink()
    page = report_page(training_report(weights), fused_gallery(weights, "cpu", catalogue=small_samples))
    assert "no loss curve was kept for these weights" in page and "<svg" not in page


def test_pictures_can_be_compared() -> None:
    address = picture_address(np.array([[-1.0, 0.0, 0.5], [1.0, 3.0, float("nan")]]))
    with Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))) as image:
        assert list(image.get_flattened_data()) == [0, 0, 128, 255, 255, 128]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--weights", "nowhere"], "is not a folder"),
        (["--weights", "."], "has no weights of any network"),
        (["-o", "/proc/report"], "cannot be made"),
        (["--device", "cuda:99"], "cuda:99"),
    ],
)
def test_mistakes_are_told_before_anything_is_computed(
    arguments: list[str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def compute(*_: Any) -> None:
        raise AssertionError("computed")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("fusion.cli.report.fused_gallery", compute)
    result = run("report", "training", *arguments, expect=2)
    assert words in " ".join(result.stderr.split()) and result.stdout == ""


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


def run_pairs(*arguments: str, expect: int = 0) -> Any:
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
    result = run_pairs(*folders, "-m", "weighted_averaging", "-m", "deepfuse", "-o", str(output))
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
    assert "at least 11×11" in run_pairs(str(tmp_path / "a"), str(tmp_path / "b"), expect=2).stderr
    assert "no such folder" in run_pairs(str(tmp_path / "a"), str(tmp_path / "c"), expect=2).stderr

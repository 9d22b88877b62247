"""The report as a person gets it: a table in the terminal, and one page that needs nothing else."""

from __future__ import annotations

import base64
import csv
import io
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fusion.data.catalogue import Catalogue
from fusion.report import gallery
from fusion.report.document import report_page
from fusion.report.gallery import fused_gallery, picture_address
from fusion.report.report import fused_ids, training_report
from fusion.report.table import PAPER_TABLE
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
    monkeypatch.setattr(gallery, "Catalogue", lambda: catalogue)
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
    assert len(pictures) == count * (2 + 3), "two inputs, weighted averaging, two networks"
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

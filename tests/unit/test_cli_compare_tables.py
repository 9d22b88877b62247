"""The printed tables: whole at every width, and with the numbers of the page."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from rich.console import Console

import fusion
from cache.services.number_tables import number_tables
from fusion.cli.compare_tables import show_tables
from fusion.cli.table_layout import new_table, numbers, print_whole, words
from fusion.saliency.window import Box
from fusion.statistics.comparison import MethodComparison, compare_method
from fusion.statistics.guidance import Dominance, Dominant
from fusion.statistics.regions import Region, box_region, whole_image
from fusion.statistics.relation import Line
from tests.unit.command_line import SHAPE, run, write_pair
from tests.unit.reference import random_pair

AVERAGE = ("-m", "weighted_averaging", "--dtype", "float64")
PIXELS = [(2, 3), (8, 7)]


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("COLUMNS", raising=False)
    return folder


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    return write_pair(tmp_path)


@pytest.fixture
def comparison(rng: np.random.Generator) -> MethodComparison:
    """The numbers of a method, of which no two are alike."""
    pair = random_pair(rng, SHAPE)
    method = fusion.load_method("weighted_averaging", "cpu")
    regions = [whole_image(SHAPE), *(Region(f"part {n}", rng.random(SHAPE) < 0.7) for n in range(2))]
    regions += [box_region("core", Box(0, 0, 5, 4), SHAPE)]
    guidance = rng.normal(size=(2, *SHAPE)) + [[[0.3]], [[0.1]]]
    guidance[:, 3, 2:6] = 0
    return compare_method(method, pair, fusion.fuse(method, pair), guidance, regions, PIXELS)


def printed(comparison: MethodComparison, monkeypatch: pytest.MonkeyPatch, width: int = 80) -> list[str]:
    monkeypatch.setenv("COLUMNS", str(width))
    stream = io.StringIO()
    monkeypatch.setattr("sys.stdout", stream)
    show_tables([comparison], ("MRI", "PET"))
    return stream.getvalue().splitlines()


def told_of(lines: list[str], places: set[str]) -> dict[tuple[str, str], str]:
    """Return what the tables of a kind say of each region or pixel, in one piece."""
    found: dict[tuple[str, str], str] = {}
    kind = place = ""
    for line in lines:
        if line.startswith(("Guidance", "Which", "Influence")):
            kind = "influence" if line.startswith("Influence") else "guidance"
        if line.strip() in places:
            place = line.strip()
        elif line.startswith(" "):
            found[kind, place] = f"{found.get((kind, place), '')} {line} "
    return found


def page_tables(comparison: MethodComparison) -> dict[str, Any]:
    scene = SimpleNamespace(modalities=("MRI", "PET"), method_title="weighted_averaging")
    found = SimpleNamespace(
        scene=scene, comparison=comparison, checklist=comparison.requirements, waiting=frozenset()
    )
    return number_tables([found], [])  # type: ignore[list-item]


def test_the_command_prints_the_numbers_of_the_page(
    comparison: MethodComparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = page_tables(comparison)
    places = {row[0][0] for kind in ("guidance", "influence") for row in tables[kind]["rows"]}
    told = told_of(printed(comparison, monkeypatch), places)
    pixels: set[str] = set()
    for kind in ("guidance", "influence"):
        for row in tables[kind]["rows"]:
            place, _, *cells = (cell[0] for cell in row)
            pixel = place.split(" in ")[0] if place.startswith("pixel") else place
            for column, cell in zip(tables[kind]["columns"][2:], cells, strict=True):
                # For another region around the same pixel only the share outside is another.
                if pixel not in pixels or column["group"] == "From outside":
                    assert f" {cell.replace(' of ', '/')} " in told[kind, place], (place, column["title"])
            pixels |= {pixel} if place.startswith("pixel") else set()


def test_the_page_has_what_the_command_prints(
    comparison: MethodComparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [line.split("  ") for line in printed(comparison, monkeypatch)]
    heads = {part.strip() for line in lines for part in line if part.strip()}
    tables = page_tables(comparison)
    labels = {
        f"{column['group']} {column['label']}"
        for kind in ("guidance", "influence")
        for column in tables[kind]["columns"]
    }
    for head, label in {
        "mean": "Mean MRI", "median": "Median PET", "std": "Std MRI",
        "> 0": "> 0 PET", "= 0": "= 0 PET", "< 0": "< 0 MRI",
        "n": " n", "dominant": "Dominates Who", "ratio": "Dominates Ratio", "difference": "Dominates Diff.",
        "pixels": "Dominates Pixels", "Pearson": " Pearson", "Spearman": " Spearman", "slope": " Slope",
        "line": " Line", "used": " Used", "Σ |J|": "Total Σ |J| MRI", "Σ J": "Signed Σ J PET",
        "r50": "Radius 50 % MRI", "r90": "Radius 90 % PET", "outside": "From outside both", "Gini": "Gini MRI",
    }.items():  # fmt: skip
        assert head in heads and label in labels, (head, label)


def test_a_slope_that_means_nothing_is_in_neither(
    comparison: MethodComparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = comparison.guidance[0]
    round_cloud = replace(
        first,
        line=Line(7.25, 0.55),
        dominance=Dominance(Dominant.NEITHER, 0.2, 1.24996, 0.5),
    )
    changed = replace(
        comparison,
        guidance=(round_cloud,),
        region_influence=comparison.region_influence[:1],
        pixel_influence=(),
    )
    lines = printed(changed, monkeypatch)
    assert not [line for line in lines if "7.250" in line]
    assert [line for line in lines if line.rstrip().endswith("–  0.550")]
    assert [line for line in lines if "neither" in line and " 1.24996 " in line]
    (row,) = page_tables(changed)["guidance"]["rows"]
    assert row[-2:] == [("–", None), ("0.550", 0.55)] and ("1.24996", 1.24996) in row


@pytest.mark.parametrize("width", [20, 40, 80])
def test_nothing_is_cut_off_however_narrow_it_is(
    comparison: MethodComparison, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    lines = printed(comparison, monkeypatch, width)
    assert "…" not in "".join(lines)
    # In every table and in every region, the longest name of the paper's five stands in one piece.
    assert sum(line.startswith(" weighted_averaging ") for line in lines) == (
        3 * 4 + 4 + len(comparison.pixel_influence) + 4
    )
    text = " ".join(lines)
    for row in page_tables(comparison)["guidance"]["rows"]:
        assert all(f" {cell[0]} " in f"{text} " for cell in row[2:])
    if width == 80:
        assert max(map(len, lines)) <= 80


def test_wide_numbers_and_long_words() -> None:
    table = new_table("Title", "Caption", words("name", 4), numbers("number"))
    table.add_row("a name of several words", "12.5 %\n−1,000,000")
    stream = io.StringIO()
    console = Console(file=stream, width=5)
    print_whole(console, table)
    assert "−1,000,000" in stream.getvalue() and "12.5 %" in stream.getvalue() and console.width == 5


def test_the_tables(files: list[str]) -> None:
    output = run("compare", *files, *AVERAGE, "-r", "[red]core=0,0,4,4", "-p", "2,3").stdout
    for told in (
        "Guidance images by region",
        "whole image",
        "[red]core",
        "weighted_averaging",
        "−1.000",
        "2,3 in [red]core",
        "used",
        "72/72",
        "The paper's requirement 1",
        "The paper's requirement 4",
        "undecidable",
        "No region named",
    ):
        assert told in output
    assert max(len(line) for line in output.splitlines()) <= 120

"""Comparing methods on the command line: the file of all numbers, and tables that are whole at every width."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

import fusion
from cache.services.number_tables import number_tables
from fusion.cli import compare
from fusion.cli.compare import choose_methods
from fusion.cli.compare_tables import new_table, numbers, print_whole, show_tables, words
from fusion.errors import WeightsError
from fusion.methods.registry import method_specification
from fusion.saliency.window import Box
from fusion.statistics.comparison import MethodComparison, compare_method
from fusion.statistics.guidance import Dominance, Dominant, Line
from fusion.statistics.regions import Region, box_region, whole_image
from tests.unit.command_line import SHAPE, run, write_pair
from tests.unit.reference import random_pair

AVERAGE = ("-m", "weighted_averaging", "--dtype", "float64")


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


def read(path: str | Path) -> list[dict[str, str]]:
    with Path(path).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def value(rows: list[dict[str, str]], **wanted: str) -> float:
    found = [row for row in rows if all(row[name] == text for name, text in wanted.items())]
    assert len(found) == 1, found
    return float(found[0]["value"]) if found[0]["value"] else math.nan


def test_weighted_averaging_in_numbers(files: list[str], empty_folder: Path) -> None:
    result = run("compare", *files, *AVERAGE, "-r", "core=0,0,4,4", "-p", "2,3", "-p", "8,7")
    assert result.stdout.splitlines()[-1] == "3_compare.csv"
    assert [path.name for path in empty_folder.iterdir()] == ["3_compare.csv"]
    rows = read("3_compare.csv")
    pair = fusion.load_pair(files[0], files[1])
    x1, x2 = pair.images.astype(np.float64)
    w1 = x1 / (x1 + x2)
    core = w1[:4, :4]
    assert value(rows, region="core", row="", quantity="mean", modality="x1") == pytest.approx(core.mean())
    assert value(rows, region="core", row="", quantity="mean", modality="x2") == pytest.approx(
        1 - core.mean()
    )
    for region in ("core", "whole image"):
        for quantity in ("pearson", "spearman", "slope"):
            assert value(rows, region=region, quantity=quantity) == pytest.approx(-1)
    assert value(rows, row="2", col="3", quantity="total", modality="x1") == pytest.approx(w1[2, 3])
    assert value(rows, row="8", col="7", quantity="radius_90", modality="x1") == 0
    assert value(rows, region="core", row="2", quantity="outside", modality="both") == 0
    assert value(rows, quantity="requirement_4") == 1
    assert math.isnan(value(rows, quantity="requirement_1"))
    assert {row["pair_id"] for row in rows} == {pair.id}


def test_a_network_on_a_small_pair_with_masks(tmp_path: Path) -> None:
    shape = (24, 30)
    names = []
    for seed, name in enumerate(("mri_9.png", "pet_9.png")):
        image = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
        Image.fromarray(image).save(tmp_path / name)
        names.append(str(tmp_path / name))
    regions = []
    for number, name in enumerate(("core", "rim", "healthy")):
        mask = np.zeros(shape, dtype=np.uint8)
        mask[5:20, 10 * number : 10 * number + 8] = 255
        Image.fromarray(mask).save(tmp_path / f"{name}.png")
        regions += ["--region", str(tmp_path / f"{name}.png") if number else f"core={tmp_path / 'core.png'}"]
    result = run(
        "compare", *names, "-m", "deepfuse", "-m", "weighted_averaging", *regions, "--limit", "20", "-o", "t"
    )
    assert result.stdout.splitlines()[-1] == "t.csv"
    rows = read("t.csv")
    assert {row["method"] for row in rows} == {"deepfuse", "weighted_averaging"}
    pair, method = fusion.load_pair(names[0], names[1]), fusion.load_method("deepfuse", "cpu")
    mask = np.zeros(shape, dtype=bool)
    mask[5:20, :8] = True
    guidance, fused = fusion.guidance(method, pair), fusion.fuse(method, pair)
    network = {"method": "deepfuse", "region": "core"}
    assert value(rows, **network, quantity="mean", modality="x1") == pytest.approx(
        guidance[0][mask].mean(), rel=1e-4
    )
    change = (fused - pair.images[1])[mask].mean()
    assert value(rows, **network, quantity="core_brightness") == pytest.approx(change, abs=1e-5)
    share = value(rows, **network, quantity="outside", modality="both")
    assert 0 < share < 1
    assert value(rows, **network, quantity="core_outside") == share
    used = next(row for row in rows if row["quantity"] == "total" and row["region"] == "core")
    assert int(used["n"]) <= 20
    assert "of its 120 pixels were examined" in " ".join(
        row["text"] for row in rows if row["quantity"] == "requirement_4"
    )


def test_a_sample_brings_its_regions_and_its_pixel(monkeypatch: pytest.MonkeyPatch) -> None:
    run("compare", "--sample", "glioma-t2", *AVERAGE, "--limit", "9")
    rows = read("glioma-t2_compare.csv")
    regions = {row["region"] for row in rows}
    assert {"head", "core", "rim", "healthy"} <= regions and "whole image" not in regions, (
        "air does not count"
    )
    assert {(row["row"], row["col"]) for row in rows} == {("", ""), ("157", "170")}
    # Brighter wins: the dark core of the PET is lost, and nothing comes from outside.
    verdicts = [value(rows, quantity=f"requirement_{number}") for number in (1, 3, 4)]
    assert verdicts == [0, 0, 1]


def test_the_tables_say_that_a_verdict_rests_on_a_region_in_the_place_of_the_samples(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    given = ("compare", "--sample", "glioma-t2", *AVERAGE, "--limit", "9")
    words = "Judged in another core than the one that comes with the pair."
    assert words not in run(*given).stdout
    counting_air = run(*given, "-r", "core=100,60,120,90", "--air").stdout
    assert counting_air.count(words) == 3 and "whole image" in counting_air
    rows = read("glioma-t2_compare.csv")
    told = [row["quantity"] for row in rows if words in row["text"]]
    assert told == ["requirement_1", "requirement_3", "requirement_4"]


def test_the_papers_five_and_the_baselines_unless_named() -> None:
    ids = choose_methods(None)
    assert len(ids) == 7 and ids[5:] == ["plain_mean", "maximum"]
    assert all(method_specification(id).order < 50 for id in ids[:5])
    assert choose_methods(["masknet", "deepfuse", "masknet"]) == ["masknet", "deepfuse"]


def test_suspicious_gradients_are_told(files: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fusion, "guidance", lambda *_: np.full((2, *SHAPE), np.nan))
    result = run("compare", *files, *AVERAGE)
    told = " ".join(result.stderr.split())
    assert (
        "weights held constant has 72 pixels with guidance values that are not finite or larger than 1,000"
        in told
    )
    rows = read("3_compare.csv")
    assert math.isnan(value(rows, region="whole image", quantity="mean", modality="x1"))
    assert value(rows, region="whole image", quantity="not_finite") == 72
    assert value(rows, quantity="suspicious") == 72


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-m", "nothing"], "There is no method 'nothing'"),
        (["-r", "nothing.png"], "nothing.png: there is no such file"),
        (["-r", "core=nothing.png"], "nothing.png: there is no such file"),
        (["-r", "MRI", "-r", "MRI"], "Two regions are named mri_3"),
        (["-r", "a=0,0,10,8"], "leaves the image of 9×8 pixels"),
        (["-r", "a=1,2,3"], "--region: 'a=1,2,3' is no box of four whole numbers"),
        (["-r", "a=1,2,3,x"], "Give FILE.png, NAME=FILE.png or NAME=TOP,LEFT,BOTTOM,RIGHT."),
        (["-r", "=0,0,1,1"], "--region: '=0,0,1,1' has no name before the equals sign"),
        (["-r", "m="], "--region: 'm=' has nothing after the equals sign. Give FILE.png,"),
        (["-r", ""], "--region: '' is empty. Give FILE.png,"),
        (["-r", "  "], "--region: ' ' is empty. Give FILE.png,"),
        (["-r", "core=0,0,2,2", "-r", "core =0,0,3,3"], "Two regions are named core."),
        (["-r", "SMALL"], "2×2 pixels, the images have 9×8"),
        (["-p", "9,0"], "outside the image of 9×8"),
        (["-p", "3"], "ROW,COL"),
        (["--limit", "0"], "limit"),
        (["-o", "x.npz"], "--output: x.npz: the name ends in .csv, as --output x.csv"),
        (["-o", "x.CSV"], "--output: x.CSV: the name ends in .csv, as --output x.csv"),
        (["-o", ""], "--output: there is no name. Give that of a file: --output FILE.csv"),
        (["-o", "."], "--output: . is a folder. Give the name of a file in it: --output FILE.csv"),
        (["-o", ".."], "--output: .. is a folder. Give the name of a file in it: --output ../FILE.csv"),
        (["-o", "new/"], "--output: new/ is a folder. Give the name of a file in it: --output new/FILE.csv"),
        (["-o", "/"], "--output: / is a folder. Give the name of a file in it: --output /FILE.csv"),
        (["-o", "new/sub/x.csv", "-m", "nothing"], "There is no method 'nothing'"),
        (["-o", "new/sub/x.csv", "-r", "m="], "has nothing after"),
        (["-o", "new/sub/x.csv", "-p", "9,0"], "outside the image"),
        (["-o", "/proc/x/y.csv"], "cannot be made"),
    ],
)
def test_mistakes(
    files: list[str], tmp_path: Path, empty_folder: Path, arguments: list[str], words: str
) -> None:
    small = tmp_path / "small.png"
    Image.fromarray(np.full((2, 2), 255, np.uint8)).save(small)
    names = {"MRI": files[0], "SMALL": str(small)}
    result = run("compare", *files, *AVERAGE, *(names.get(text, text) for text in arguments), expect=2)
    assert words in " ".join(result.stderr.replace("│", " ").split())
    assert result.stdout == ""
    assert list(empty_folder.iterdir()) == []


def test_a_folder_that_is_there_is_no_file(files: list[str], empty_folder: Path) -> None:
    (empty_folder / "there").mkdir()
    message = run("compare", *files, *AVERAGE, "-o", "there", expect=2).stderr
    assert "there is a folder" in " ".join(message.replace("│", " ").split())
    assert [path.name for path in empty_folder.iterdir()] == ["there"]


def test_spaces_around_names_and_values_are_none_of_them(files: list[str], tmp_path: Path) -> None:
    mask = tmp_path / "mask.png"
    Image.fromarray(np.full(SHAPE, 255, np.uint8)).save(mask)
    run("compare", *files, *AVERAGE, "-r", " core = 0,0,4,4", "-r", f"rim = {mask}")
    assert {row["region"] for row in read("3_compare.csv")} >= {"core", "rim"}


def test_a_network_that_cannot_be_loaded_leaves_no_folder(
    files: list[str], empty_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged(*_: object) -> None:
        raise WeightsError("Its weights are damaged.")

    monkeypatch.setattr(compare, "load_method", damaged)
    assert "damaged" in run("compare", *files, *AVERAGE, "-o", "new/x.csv", expect=2).stderr
    assert list(empty_folder.iterdir()) == []


def test_masks_are_never_replaced(files: list[str], tmp_path: Path) -> None:
    mask = tmp_path / "mask.csv"
    Image.fromarray(np.full(SHAPE, 255, np.uint8)).save(mask, format="PNG")
    before = mask.read_bytes()
    result = run("compare", *files, *AVERAGE, "-r", str(mask), "-o", str(mask), expect=2)
    assert "is an input" in result.stderr
    assert mask.read_bytes() == before


def test_a_full_disk(files: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(compare.Path, "write_text", full)
    assert "No space left" in run("compare", *files, *AVERAGE, expect=2).stderr


PIXELS = [(2, 3), (8, 7)]


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
        "n": " n", "dominant": "Dominates Who", "ratio": "Dominates Ratio", "Σ|J|": "Dominates Σ |J|",
        "ΣJ": "Dominates Σ J", "difference": "Dominates Diff.",
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
    assert row[-2:] == [("–", None), ("0.550", 0.55)] and ("1.24996 neither", 1.24996) in row


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

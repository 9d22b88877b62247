"""Commands that explain a region, and that say what derivatives are worth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import fusion
from fusion import Pair
from fusion.data.catalogue import Catalogue
from fusion.saliency.reach import STEPS
from fusion.statistics.validity import drawn_corners, error_table, patch_errors
from tests.unit.command_line import SHAPE, picture, read, run, write_pair
from tests.unit.reference import random_pair, relative_error, trained_method


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.chdir(tmp_path)
    return write_pair(tmp_path)


@pytest.mark.parametrize(
    ("options", "against"),
    [(("--of", "mean"), None), (("--of", "contrast", "--against", "rim=6,0,9,8"), np.s_[6:9, 0:8])],
)
def test_explain_writes_what_python_returns(
    files: list[str], options: tuple[str, ...], against: tuple[slice, slice] | None
) -> None:
    core, rim = np.zeros((2, *SHAPE), dtype=bool)
    core[1:4, 2:5] = True
    if against is not None:
        rim[against] = True
    run("explain", *files, "-r", "core=1,2,4,5", "-m", "weighted_averaging_true", "-o", "out", *options)
    arrays, metadata = read("out.npz")
    method, pair = fusion.load_method("weighted_averaging_true", "cpu"), fusion.load_pair(files[0], files[1])
    expected = fusion.region_jacobian(method, pair, core, options[1], None if against is None else rim)
    assert np.array_equal(arrays["jacobian"], expected)
    assert metadata["region"] == {
        "name": "core", "pixels": 9, "of": options[1], "against": None if against is None else "rim",
    }  # fmt: skip
    assert picture("out-x2.png").shape == (*SHAPE, 3)


def test_a_similarity_on_a_sample(files: list[str]) -> None:
    run(
        "explain",
        "-s",
        "glioma-t2",
        "-r",
        "core",
        "--of",
        "ssim",
        "-a",
        "x2",
        "-m",
        "weighted_averaging",
        "-o",
        "out",
    )
    arrays, _ = read("out.npz")
    assert arrays["jacobian"].shape == (2, 256, 256) and arrays["jacobian"].any()


@pytest.mark.parametrize(
    "options",
    [
        ("--of", "sum"),
        ("--of", "contrast"),
        ("--of", "ssim"),
        ("--of", "ssim", "-a", "rim"),
        ("-a", "x1"),
        ("--vmax", "0"),
    ],
)
def test_what_does_not_fit_together_is_refused(files: list[str], options: tuple[str, ...]) -> None:
    run("explain", *files, "-r", "core=1,2,4,5", *options, expect=2)


def test_influence_writes_what_python_returns(files: list[str]) -> None:
    run("influence", *files, "-m", "weighted_averaging_true", "-o", "out")
    arrays, metadata = read("out.npz")
    method, pair = fusion.load_method("weighted_averaging_true", "cpu"), fusion.load_pair(files[0], files[1])
    expected = fusion.influence_images(method, pair)
    assert np.array_equal(arrays["total"], expected.total)
    assert np.array_equal(arrays["signed"], expected.signed)
    assert metadata["picture"]["vmax"] == pytest.approx(float(expected.total.max()))
    assert picture("out-x1.png").shape[:2] == pair.shape


def test_reach_writes_both_maps(files: list[str]) -> None:
    run("reach", *files, "-m", "weighted_averaging_true", "-o", "out")
    arrays, metadata = read("out.npz")
    method, pair = fusion.load_method("weighted_averaging_true", "cpu"), fusion.load_pair(files[0], files[1])
    assert np.array_equal(arrays["reach"], fusion.reach_map(method, pair))
    assert np.array_equal(arrays["response"], fusion.response_map(method, pair))
    assert "gray levels" in metadata["units"]["reach"]
    brightest = picture("out-reach-x1.png")[arrays["reach"][0] == STEPS[-1]]
    assert (brightest == 255).all()


def test_validate_prints_a_line_for_each_method(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    printed = run("validate", "-m", "weighted_averaging_true", "-s", "healthy-t1", "--patches", "2").stdout
    pair = Catalogue().load(Catalogue().find("healthy-t1"))
    errors = error_table(fusion.load_method("weighted_averaging_true", "cpu"), [pair], 2)
    line = next(line for line in printed.splitlines() if "Weighted Averaging" in line)
    assert [f"{median:.3f} / {high:.3f}" in line for median, high in errors] == [True] * 4


def test_validate_prints_what_methods_do_with_pairs_of_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    # Air, and a head of 20×20 pixels whose halves show one image each: half of either is left in their mean.
    images = np.zeros((2, 32, 32))
    images[0, 6:26, 6:16], images[1, 6:26, 16:26] = 1, 1
    folders = [tmp_path / "mri", tmp_path / "pet"]
    for folder, image in zip(folders, images, strict=True):
        folder.mkdir()
        np.save(folder / "1.npy", image)
    printed = run(
        "validate", "--pairs", *map(str, folders), "--patches", "0", "-m", "plain_mean", "-m", "maximum"
    ).stdout
    lines = [line.split() for line in printed.splitlines()]
    rows = {
        line[0]: line[-5:] for line in lines if line and line[0] in ("Plain", "Maximum") and len(line) < 8
    }
    assert rows["Plain"][1:] == ["0.0977", "0.50", "0.50", "0.00"]
    assert rows["Maximum"][1:] == ["0.1953", "1.00", "1.00", "0.00"]
    assert "set to 0" not in printed
    assert "Response to x2" in printed


def test_patch_errors_are_those_of_responses(rng: np.random.Generator) -> None:
    method, pair = trained_method("funfusean"), random_pair(rng, (15, 16))
    corner, index = (int(rng.integers(10)), int(rng.integers(10))), int(rng.integers(2))
    found = patch_errors(method, pair, index, corner)
    for name, added in (("brighter", 0.02), ("level", 1 / 255), ("black", None)):
        change = np.zeros((2, *pair.shape))
        part = (index, slice(corner[0], corner[0] + 8), slice(corner[1], corner[1] + 8))
        change[part] = -pair.images[part].astype(np.float64) if added is None else added
        expected = fusion.response(method, pair, change, "float64")
        assert relative_error(np.array(getattr(found, name)), np.array(expected.linear_error)) <= 1e-9
    assert relative_error(np.array(found.black_path), np.array(expected.path_error)) <= 1e-9


def test_patches_lie_in_the_head(rng: np.random.Generator) -> None:
    images = np.zeros((2, 40, 40), dtype=np.float32)
    images[:, 20:30, 10:20] = 0.5
    for row, column in drawn_corners(Pair(images), 20, int(rng.integers(100))):
        assert 20 <= row + 4 < 30 and 10 <= column + 4 < 20

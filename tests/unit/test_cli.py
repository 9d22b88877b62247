from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

import fusion
from fusion.cli import options
from fusion.errors import WeightsError
from tests.unit.command_line import SHAPE, picture, read, run, write_pair


class Blur(nn.Module):
    """y = 3×3 mean of x1 + half of x2, so that there is a window and a negative gradient can be had."""

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return torch.nn.functional.avg_pool2d(x1, 3, 1, 1) - 0.5 * x2


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    return write_pair(tmp_path)


def test_fuse(files: list[str], empty_folder: Path) -> None:
    result = run("fuse", *files, "-m", "weighted_averaging")
    assert result.stdout.split() == ["3_weighted_averaging.npz", "3_weighted_averaging-fused.png"]
    assert sorted(path.name for path in empty_folder.iterdir()) == sorted(result.stdout.split())
    pair = fusion.load_pair(files[0], files[1])
    method = fusion.load_method("weighted_averaging")
    arrays, metadata = read("3_weighted_averaging.npz")
    assert list(arrays) == ["fused"]
    np.testing.assert_array_equal(arrays["fused"], fusion.fuse(method, pair))
    assert metadata["method"]["id"] == "weighted_averaging"
    assert metadata["method"]["weights_id"] == method.weights_id
    assert metadata["method"]["support_radius"] == [0, 0]
    assert metadata["pair"]["id"] == pair.id
    assert metadata["pair"]["files"] == ["mri_3.png", "pet_3.png"]
    assert metadata["pair"]["shape"] == list(SHAPE)
    assert metadata["dtype"] == "float32"
    assert metadata["versions"]["torch"] == torch.__version__
    assert "dimensionless" in metadata["units"]["fused"]
    shown = picture("3_weighted_averaging-fused.png")
    np.testing.assert_array_equal(shown, np.rint(arrays["fused"] * 255))


def test_jacobian(files: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    method = fusion.Method.from_module(Blur(), "blur", "Blur")
    monkeypatch.setattr(options, "load_method", lambda id, device: method)
    result = run(
        "jacobian", *files, "-m", "blur", "--pixel", "0,7", "-o", "deep/folder/j.npz", "--dtype", "float64"
    )
    names = ["j.npz", "j-x1.png", "j-x2.png"]
    assert result.stdout.split() == [f"deep/folder/{name}" for name in names]
    assert "dy/dx2 = -0.5" in result.stderr
    arrays, metadata = read("deep/folder/j.npz")
    expected = np.zeros((2, *SHAPE))
    expected[0, :2, 6:] = 1 / 9
    expected[1, 0, 7] = -0.5
    np.testing.assert_allclose(arrays["jacobian"], expected, atol=1e-15)
    assert arrays["jacobian"].dtype == np.float64
    assert metadata["pixel"] == {"row": 0, "col": 7}
    assert metadata["window"] == {"top": 0, "left": 6, "shape": [2, 2]}
    assert metadata["picture"] == {"scale": "paper", "vmax": pytest.approx(1 / 9), "gamma": 0.3}
    assert "dimensionless" in metadata["units"]["jacobian"]
    x1 = picture("deep/folder/j-x1.png")
    assert x1.shape == (*SHAPE, 3)
    assert x1[0, 7].tolist() == [253, 231, 37]
    assert x1[5, 5].tolist() == [68, 1, 84]
    with Image.open("deep/folder/j-x1.png") as image:
        assert json.loads(image.info["fusevis"]) == metadata


def test_jacobian_colours(files: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        options, "load_method", lambda id, device: fusion.Method.from_module(Blur(), "blur", "Blur")
    )
    run("jacobian", *files, "-p", "4,4", "-o", "j", "--scale", "signed", "--gamma", "1", "--vmax", "2")
    _, metadata = read("j.npz")
    assert metadata["picture"] == {"scale": "signed", "vmax": 2.0, "gamma": 1.0}
    red, _, blue = (int(value) for value in picture("j-x2.png")[4, 4])
    assert blue > red
    red, _, blue = (int(value) for value in picture("j-x1.png")[4, 4])
    assert red > blue


def test_guidance(files: list[str], empty_folder: Path) -> None:
    result = run("guidance", *files, "-m", "weighted_averaging_true", "-o", "g.npz")
    assert result.stdout.split() == ["g.npz", "g-x1.png", "g-x2.png", "g-fused.png", "g-rgb.png"]
    pair = fusion.load_pair(files[0], files[1])
    method = fusion.load_method("weighted_averaging_true")
    arrays, metadata = read("g.npz")
    values, fused = fusion.guidance(method, pair), fusion.fuse(method, pair)
    np.testing.assert_array_equal(arrays["guidance"], values)
    np.testing.assert_array_equal(arrays["fused"], fused)
    assert metadata["picture"] == {"scale": "paper", "vmax": pytest.approx(values.max()), "gamma": 0.5}
    np.testing.assert_array_equal(picture("g-rgb.png"), np.rint(fusion.guidance_rgb(values, fused) * 255))


def test_without_pictures(files: list[str], empty_folder: Path) -> None:
    for command in ("fuse", "guidance"):
        run(command, *files, "-m", "weighted_averaging", "--no-pictures", "-o", command)
    run("jacobian", *files, "-p", "1,2", "-m", "weighted_averaging", "--no-pictures", "-o", "jacobian")
    assert sorted(path.name for path in empty_folder.iterdir()) == [
        "fuse.npz",
        "guidance.npz",
        "jacobian.npz",
    ]


def test_a_sample_instead_of_files_and_its_pixel() -> None:
    result = run("jacobian", "--sample", "glioma-t2", "-m", "weighted_averaging", "--no-pictures")
    arrays, metadata = read(result.stdout.strip())
    assert metadata["pair"]["simulated"]
    assert metadata["pair"]["modalities"] == ["MRI T2", "PET"]
    row, col = metadata["pixel"]["row"], metadata["pixel"]["col"]
    assert arrays["jacobian"][:, row, col].sum() == pytest.approx(1)


def test_a_real_pair(atlas_pairs: list[tuple[Path, Path]]) -> None:
    mri, pet = atlas_pairs[0]
    run("guidance", str(mri), str(pet), "-m", "weighted_averaging", "-o", "real")
    arrays, _ = read("real.npz")
    # Weights held constant: both guidance images are shares that add up to 1.
    np.testing.assert_allclose(arrays["guidance"].sum(axis=0), 1, atol=1e-6)


def test_methods_names_all_and_why_one_cannot_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = fusion.load_method("weighted_averaging")

    def load(id: str, device: str) -> fusion.Method:
        if id == "masknet":
            raise WeightsError("the weights are broken")
        return loaded

    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(fusion, "load_method", load)
    output = run("methods").stdout
    for id in fusion.method_ids():
        assert id in output
    assert "9, 11" in output
    assert loaded.weights_id[:12] in output
    assert "the weights are broken" in output


def test_samples_are_listed() -> None:
    output = run("samples").stdout
    for slug in ("glioma-t2", "healthy-t1", "multi-focus"):
        assert slug in output
    assert "(simulated)" in output


def test_the_module_runs_and_explains_itself() -> None:
    root = Path(fusion.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-m", "fusion", "--help"], cwd=root, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    for command in ("fuse", "jacobian", "guidance", "compare", "methods", "samples", "train"):
        assert command in done.stdout
        assert "Usage" in run(command, "--help").stdout

"""The command line: images of two files, atlases, and mistakes that end with a plain message."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from typer.testing import CliRunner

import fusion
from fusion.cli import options
from fusion.cli.main import app
from fusion.errors import WeightsError
from fusion.saliency.atlas import Atlas, atlas_folder
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
    assert x1[5, 5].tolist() == [178, 182, 189], "out of reach"
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


@pytest.fixture
def atlas_files(tmp_path: Path, rng: np.random.Generator) -> list[str]:
    paths = [tmp_path / name for name in ("mri.npy", "pet.npy")]
    for path in paths:
        np.save(path, rng.random((10, 17)))
    return list(map(str, paths))


def run_atlas(*arguments: str, expect: int = 0) -> Any:
    result = CliRunner().invoke(app, ["atlas", *arguments, "--device", "cpu"])
    assert result.exit_code == expect, result.output
    assert "Traceback" not in result.output
    return result


def test_an_atlas_is_announced_made_and_found_again(tmp_path: Path, atlas_files: list[str]) -> None:
    output = tmp_path / "atlases"
    result = run_atlas(*atlas_files, "--method", "weighted_averaging", "-o", str(output))
    assert "1 tile, 0 of them there already; about" in result.stderr
    pair = fusion.load_pair(atlas_files[0], atlas_files[1])
    method = fusion.load_method("weighted_averaging", "cpu")
    folder = atlas_folder(output, method, pair)
    assert result.stdout.strip() == str(folder)
    atlas = Atlas(folder, method, pair)
    assert atlas.complete
    np.testing.assert_allclose(
        atlas.window(4, 5).values, fusion.jacobian(method, pair, (4, 5)).values, rtol=1e-3
    )
    assert (
        "1 of them there already"
        in run_atlas(*atlas_files, "-m", "weighted_averaging", "-o", str(output)).stderr
    )


def test_an_atlas_of_an_earlier_version_is_named(tmp_path: Path, atlas_files: list[str]) -> None:
    output = tmp_path / "atlases"
    pair, method = (
        fusion.load_pair(atlas_files[0], atlas_files[1]),
        fusion.load_method("weighted_averaging", "cpu"),
    )
    folder = atlas_folder(output, method, pair)
    earlier = folder.with_name(folder.name.removesuffix("-v3"))
    earlier.mkdir(parents=True)
    (earlier / "zarr.json").write_text("{}")
    result = run_atlas(*atlas_files, "--method", "weighted_averaging", "-o", str(output))
    assert f"{earlier}: this atlas was made by an earlier version" in result.stderr
    assert Atlas(folder, method, pair).complete


def test_a_full_disk_is_told_before_anything_is_computed(
    tmp_path: Path, atlas_files: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=100))
    result = run_atlas(*atlas_files, "-m", "weighted_averaging", "-o", str(tmp_path / "atlases"), expect=2)
    assert "MiB free" in result.stderr
    assert not (tmp_path / "atlases").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["fuse"], "--sample"),
        (["fuse", "MRI"], "--sample"),
        (["fuse", "MRI", "PET", "--sample", "glioma-t2"], "--sample"),
        (["fuse", "--sample", "nothing"], "There is no pair 'nothing'"),
        (["fuse", "MRI", "missing.png"], "missing.png: there is no such file"),
        (["fuse", "MRI", "."], "this is a folder"),
        (["fuse", "MRI", "PET", "-m", "nothing"], "There is no method 'nothing'"),
        (["fuse", "MRI", "PET", "-m", "weighted_averaging", "--device", "warp"], "Unknown device 'warp'"),
        (["fuse", "MRI", "PET", "--pixel-limit", "71"], "more than the limit of 71"),
        (["fuse", "MRI", "PET", "-m", "weighted_averaging", "-o", "x.png"], "ends in .npz"),
        (["fuse", "MRI", "PET", "-m", "weighted_averaging", "-o", "/proc/x/y"], "cannot be made"),
        (["fuse", "MRI", "PET", "-m", "weighted_averaging", "-o", "."], "--output: . is a folder"),
        (["guidance", "MRI", "PET", "-m", "weighted_averaging", "-o", ""], "--output FILE.npz"),
        (
            ["jacobian", "MRI", "PET", "-m", "weighted_averaging", "-p", "9,0", "-o", "new/x"],
            "outside the image",
        ),
        (["fuse", "MRI", "PET", "--dtype", "float16"], "float64"),
        (["jacobian", "MRI", "PET", "-m", "weighted_averaging"], "--pixel"),
        (["jacobian", "MRI", "PET", "-m", "weighted_averaging", "-p", "3"], "ROW,COL"),
        (["jacobian", "MRI", "PET", "-m", "weighted_averaging", "-p", "1.5,2"], "ROW,COL"),
        (["jacobian", "MRI", "PET", "-m", "weighted_averaging", "-p", "9,0"], "outside the image of 9×8"),
        (["jacobian", "MRI", "PET", "-m", "weighted_averaging", "--pixel=-1,0"], "outside the image"),
        (["jacobian", "MRI", "PET", "-p", "1,1", "--vmax", "0"], "greater than 0"),
        (["jacobian", "MRI", "PET", "-p", "1,1", "--vmax", "nan"], "greater than 0"),
        (["guidance", "MRI", "PET", "--gamma", "3"], "gamma"),
        (["guidance", "MRI", "PET", "--scale", "rainbow"], "rainbow"),
        (["dance"], "dance"),
    ],
)
def test_mistakes_end_with_a_plain_message_and_write_nothing(
    files: list[str], empty_folder: Path, arguments: list[str], words: str
) -> None:
    names = {"MRI": files[0], "PET": files[1]}
    result = run(*(names.get(argument, argument) for argument in arguments), expect=2)
    # Boxes drawn around messages break their lines.
    message = " ".join(result.stderr.replace("│", " ").split())
    assert words in message
    assert result.stdout == ""
    assert list(empty_folder.iterdir()) == []


def test_inputs_are_never_replaced(files: list[str], tmp_path: Path) -> None:
    original = tmp_path / "mri-fused.png"
    Path(files[0]).rename(original)
    before = original.read_bytes()
    arguments = (str(original), files[1], "-m", "weighted_averaging", "-o", str(tmp_path / "mri.npz"))
    assert "is an input" in run("fuse", *arguments, expect=2).stderr
    assert original.read_bytes() == before


def test_a_folder_in_the_way(files: list[str], empty_folder: Path) -> None:
    (empty_folder / "x.npz").mkdir()
    assert "is a folder" in run("fuse", *files, "-m", "weighted_averaging", "-o", "x", expect=2).stderr


def test_a_full_disk(files: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez_compressed", full)
    assert "No space left" in run("fuse", *files, "-m", "weighted_averaging", expect=2).stderr


@pytest.mark.parametrize("error", [MemoryError(), torch.OutOfMemoryError("CUDA out of memory")])
def test_too_little_memory(files: list[str], monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def too_large(*_: object) -> None:
        raise error

    monkeypatch.setattr(fusion, "fuse", too_large)
    assert "not enough memory" in run("fuse", *files, "-m", "weighted_averaging", expect=2).stderr


def test_defects_are_not_hidden(files: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(fusion, "fuse", broken)
    result = CliRunner().invoke(app, ["fuse", *files, "-m", "weighted_averaging"])
    assert isinstance(result.exception, ZeroDivisionError)

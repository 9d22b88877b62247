from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import fusion
from fusion.cli.main import app
from fusion.saliency.atlas import Atlas, atlas_folder


@pytest.fixture
def files(tmp_path: Path, rng: np.random.Generator) -> list[str]:
    paths = [tmp_path / name for name in ("mri.npy", "pet.npy")]
    for path in paths:
        np.save(path, rng.random((10, 17)))
    return list(map(str, paths))


def run(*arguments: str, expect: int = 0) -> Any:
    result = CliRunner().invoke(app, ["atlas", *arguments, "--device", "cpu"])
    assert result.exit_code == expect, result.output
    assert "Traceback" not in result.output
    return result


def test_an_atlas_is_announced_made_and_found_again(tmp_path: Path, files: list[str]) -> None:
    output = tmp_path / "atlases"
    result = run(*files, "--method", "weighted_averaging", "-o", str(output))
    assert "1 tile, 0 of them there already; about" in result.stderr
    pair = fusion.load_pair(files[0], files[1])
    method = fusion.load_method("weighted_averaging", "cpu")
    folder = atlas_folder(output, method, pair)
    assert result.stdout.strip() == str(folder)
    atlas = Atlas(folder, method, pair)
    assert atlas.complete
    np.testing.assert_allclose(
        atlas.window(4, 5).values, fusion.jacobian(method, pair, (4, 5)).values, rtol=1e-3
    )
    assert "1 of them there already" in run(*files, "-m", "weighted_averaging", "-o", str(output)).stderr


def test_an_atlas_of_an_earlier_version_is_named(tmp_path: Path, files: list[str]) -> None:
    output = tmp_path / "atlases"
    pair, method = fusion.load_pair(files[0], files[1]), fusion.load_method("weighted_averaging", "cpu")
    folder = atlas_folder(output, method, pair)
    earlier = folder.with_name(folder.name.removesuffix("-v3"))
    earlier.mkdir(parents=True)
    (earlier / "zarr.json").write_text("{}")
    result = run(*files, "--method", "weighted_averaging", "-o", str(output))
    assert f"{earlier}: this atlas was made by an earlier version" in result.stderr
    assert Atlas(folder, method, pair).complete


def test_a_full_disk_is_told_before_anything_is_computed(
    tmp_path: Path, files: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=100))
    result = run(*files, "-m", "weighted_averaging", "-o", str(tmp_path / "atlases"), expect=2)
    assert "MiB free" in result.stderr
    assert not (tmp_path / "atlases").exists()

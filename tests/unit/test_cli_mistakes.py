from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

import fusion
from fusion.cli.main import app
from tests.unit.command_line import run, write_pair


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    return write_pair(tmp_path)


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

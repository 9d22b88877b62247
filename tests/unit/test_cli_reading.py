"""The command line on images that need a word: colour, one value, windows, slices, and what is in a file."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest
from PIL import Image

from tests.unit.command_line import read, run

GRAY = np.arange(108, dtype=np.uint8).reshape(12, 9)
FUSE = ("fuse", "-m", "weighted_averaging", "--no-pictures", "-o", "o")


@pytest.fixture(autouse=True)
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Image.fromarray(GRAY).save("mri_1.png")
    return tmp_path


def test_what_was_done_to_images_is_said_and_kept() -> None:
    hot = np.zeros((12, 9, 3), np.uint8)
    hot[2:10, 2:8] = (255, 255, 0)
    Image.fromarray(hot).save("pet_1.png")
    result = run(*FUSE, "mri_1.png", "pet_1.png")
    (note,) = read("o.npz")[1]["pair"]["notes"]
    assert "pet_1.png: colour became gray, the luma" in note
    assert note in result.stderr
    assert result.stdout.split() == ["o.npz"]


def test_gray_images_stored_in_colour_need_no_word() -> None:
    Image.fromarray(np.stack([GRAY] * 3, axis=-1)).save("pet_1.png")
    assert run(*FUSE, "mri_1.png", "pet_1.png").stderr == ""
    assert read("o.npz")[1]["pair"]["notes"] == []


@pytest.mark.parametrize("command", ["fuse", "jacobian", "guidance"])
def test_an_image_of_one_value_is_named(command: str) -> None:
    ink = np.zeros((12, 9, 4), np.uint8)
    ink[..., 3] = GRAY
    Image.fromarray(ink).save("pet_1.png")
    pixel = ("--pixel", "3,4") if command == "jacobian" else ()
    stderr = run(command, *FUSE[1:], "mri_1.png", "pet_1.png", *pixel).stderr
    assert "pet_1.png: all pixels have the value 0" in stderr
    assert "mri_1.png" not in stderr


def test_one_hot_pixel_is_named_and_a_window_helps() -> None:
    image = GRAY.astype(np.float32)
    image[0, 0] = 1e6
    np.save("pet_1.npy", image)
    assert "pet_1.npy: 98 % of its values" in run(*FUSE, "mri_1.png", "pet_1.npy").stderr
    result = run(*FUSE, "mri_1.png", "pet_1.npy", "--window", "0:107", "--window", "7:107")
    assert "98 %" not in result.stderr
    metadata = read("o.npz")[1]
    assert [one["window"] for one in metadata["reading"]] == ["0:107", "7:107"]
    assert "pet_1.npy: intensities from 7 to 107 are scaled" in metadata["pair"]["notes"][1]
    run(*FUSE, "mri_1.png", "pet_1.npy", "--window", "0%:99%")
    assert read("o.npz")[1]["reading"][0]["window"] == "0%:99%"


@pytest.mark.parametrize("window", ["5", "5:1", "a:b", "1%:9", "0%:101%", "nan:1", "1:1"])
def test_windows_that_are_none(window: str) -> None:
    assert "--window" in run(*FUSE, "mri_1.png", "mri_1.png", "--window", window, expect=2).stderr


def test_modalities_of_names_and_as_given() -> None:
    for folder in ("ir", "vi"):
        Path(folder).mkdir()
        Image.fromarray(GRAY).save(f"{folder}/01.png")
    run(*FUSE, "ir/01.png", "vi/01.png")
    assert read("o.npz")[1]["pair"]["modalities"] == ["IR", "vi"]
    run(*FUSE, "vi/01.png", "ir/01.png", "--modalities", "Phase", "GFP")
    metadata = read("o.npz")[1]
    assert metadata["pair"]["modalities"] == ["Phase", "GFP"]
    assert metadata["pair"]["title"] == "Phase / GFP 01 (vi/01.png + ir/01.png)"
    assert (
        "different modalities"
        in run(*FUSE, "vi/01.png", "ir/01.png", "--modalities", "IR", "infrared", expect=2).stderr
    )
    assert "--sample" in run(*FUSE, "--sample", "glioma-t2", "--modalities", "IR", "VIS", expect=2).stderr


def test_slices_of_volumes() -> None:
    values = np.arange(9 * 12 * 5, dtype=np.int16).reshape(9, 12, 5)
    nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), "mri_1.nii.gz")
    nibabel.save(nibabel.Nifti1Image(values[..., ::-1], np.eye(4)), "pet_1.nii.gz")
    assert "--slice" in run(*FUSE, "mri_1.nii.gz", "pet_1.nii.gz", expect=2).stderr
    run(*FUSE, "mri_1.nii.gz", "pet_1.nii.gz", "--axis", "axial", "--slice", "1", "--slice", "3")
    arrays, metadata = read("o.npz")
    expected = values[:, ::-1, 1].T.astype(float)
    np.testing.assert_allclose(arrays["fused"], (expected - expected.min()) / np.ptp(expected), atol=1e-6)
    assert metadata["reading"] == [
        {"axis": "axial", "slice": 1, "frame": None, "window": None},
        {"axis": "axial", "slice": 3, "frame": None, "window": None},
    ]
    assert "0 to 4" in run(*FUSE, "mri_1.nii.gz", "pet_1.nii.gz", "--slice", "5", expect=2).stderr
    run("compare", "mri_1.nii.gz", "pet_1.nii.gz", "-m", "weighted_averaging", "--slice", "2", "-o", "c")


def test_what_is_in_a_file() -> None:
    values = np.arange(9 * 12 * 5, dtype=np.int16).reshape(9, 12, 5)
    nibabel.save(nibabel.Nifti1Image(values, np.diag([-1.0, 2, 3, 1])), "brain.nii.gz")
    result = run("inspect", "brain.nii.gz", expect=2)
    for words in ("NIfTI", "9×12×5", "LAS", "1×2×3", "9 sagittal, 12 coronal, 5 axial"):
        assert words in result.stdout
    assert "--slice" in result.stderr
    shown = run("inspect", "brain.nii.gz", "--slice", "2").stdout
    assert "12×9 pixels" in shown
    assert "12×9 pixels" in run("inspect", "mri_1.png").stdout
    assert "no such file" in run("inspect", "none.png", expect=2).stderr


def test_nan_is_no_data_where_an_option_says_so() -> None:
    values = GRAY.astype(np.float32)
    values[0, 0] = np.nan
    np.save("pet_1.npy", values)
    assert "--nan-is-no-data" in run(*FUSE, "mri_1.png", "pet_1.npy", expect=2).stderr
    result = run(*FUSE, "mri_1.png", "pet_1.npy", "--nan-is-no-data")
    assert "pet_1.npy: 1 of 108 pixels have no data" in result.stderr
    assert "1 of 108" in run("inspect", "pet_1.npy", "--nan-is-no-data").stdout

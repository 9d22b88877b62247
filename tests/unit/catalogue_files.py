"""Folders of image files for the tests of the catalogue."""

from __future__ import annotations

import itertools
import json
import os
from pathlib import Path

import numpy as np
from PIL import Image

from fusion.data.catalogue import Catalogue
from fusion.data.entries import PairEntry

SECONDS = itertools.count(1_000_000_000)


def write(path: Path, seed: int = 0, shape: tuple[int, int] = (6, 5)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    if path.suffix == ".npy":
        np.save(path, values)
    else:
        Image.fromarray(values).save(path)
    changed(path)
    return path


def changed(path: Path) -> None:
    """Give a file, and its folder (it may be new, or gone), a later time of change than all before."""
    seconds = next(SECONDS)
    for one in (path, path.parent):
        if one.exists():
            os.utime(one, (seconds, seconds))


def make_data_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    for seed, name in enumerate(
        ["mri_3.gif", "pet_3.gif", "PET_10.png", "MRI_10.png", "ct_2.npy", "spect_2.tif"]
    ):
        write(folder / name, seed)
    return folder


def make_samples_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "samples"
    write(folder / "glioma-t2" / "mri.png", 100)
    write(folder / "glioma-t2" / "pet.png", 101)
    core = np.zeros((6, 5), dtype=bool)
    core[2:4, 1:3] = True
    Image.fromarray(core).save(folder / "glioma-t2" / "core.png")
    card = {
        "title": "Glioma, T2",
        "modalities": ["MRI T2", "PET"],
        "files": ["mri.png", "pet.png"],
        "simulated": True,
        "default_pixel": [3, 2],
        "regions": {"core": "core.png"},
        "about": "A simulated tumour.",
    }
    (folder / "glioma-t2" / "sample.json").write_text(json.dumps(card))
    write(folder / "multi-focus" / "near.png", 102)
    write(folder / "multi-focus" / "far.png", 103)
    card = {
        "title": "Focus",
        "modalities": ["Near", "Far"],
        "files": ["near.png", "far.png"],
        "simulated": False,
    }
    (folder / "multi-focus" / "sample.json").write_text(json.dumps(card))
    return folder


def addresses(catalogue: Catalogue) -> list[str]:
    return [entry.address for entry in catalogue.entries()]


def files_of(entry: PairEntry) -> list[str]:
    return [file.name for file in entry.paths]

"""The command that computes many pairs beforehand: what is there stays, what fails is told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import fusion
from fusion.cli.precompute import chosen_methods
from fusion.data.catalogue import Catalogue
from fusion.saliency.atlas import Atlas, atlas_folder
from fusion.work.guidance_units import GuidanceUnits
from fusion.work.store import ChunkStore
from tests.unit.command_line import run

METHOD = "weighted_averaging"


@pytest.fixture
def data(tmp_path: Path, rng: np.random.Generator) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    for number in (1, 2):
        for modality in ("mri", "pet"):
            np.save(folder / f"{modality}_{number}.npy", rng.random((9, 12)))
    return folder


def test_pairs_are_computed_once(tmp_path: Path, data: Path) -> None:
    place = str(tmp_path / "store")
    options = ("precompute", "--store", place, "--data-dir", str(data), "-m", METHOD)
    first = run(*options, "--pairs", "1", "--no-atlas")
    assert first.stdout.strip() == place
    assert "1 results of 1 pairs are asked for; 1 units were computed" in first.stderr
    again = run(*options, "--pairs", "1", "--pairs", "2", "--pairs", "1")
    assert "4 results of 2 pairs are asked for; 3 units were computed" in again.stderr
    assert "0 units were computed" in run(*options, "--pairs", "1", "--pairs", "2").stderr

    method = fusion.load_method(METHOD, "cpu")
    catalogue = Catalogue(data_dir=data)
    for address in ("1", "2"):
        pair = catalogue.load(catalogue.find(address))
        units = GuidanceUnits(method, pair, ChunkStore(place))
        image = np.full((2, *pair.shape), np.nan, dtype=np.float32)
        values = units.kept(0)
        assert values is not None and units.missing() == []
        units.put(0, values, image)
        np.testing.assert_array_equal(image, fusion.guidance(method, pair))
        atlas = Atlas(atlas_folder(tmp_path / "store" / "atlas", method, pair), method, pair)
        assert atlas.complete


def test_a_pair_that_cannot_be_read_stops_no_others(tmp_path: Path, data: Path) -> None:
    (data / "mri_1.npy").write_bytes(b"no array")
    options = ("--store", str(tmp_path / "store"), "--data-dir", str(data), "-m", METHOD, "--no-atlas")
    result = run("precompute", "--pairs", "1", "--pairs", "2", *options, expect=1)
    assert "mri_1.npy" in result.stderr and "1 units were computed" in result.stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--no-guidance", "--no-atlas"), "nothing left to compute"),
        (("--scheduler", "tcp://10.1.2.3:8786"), "network is trusted"),
        (("--scheduler", "tls://10.1.2.3:8786"), "needs three files"),
        (("--pairs", "nobody"), "nobody"),
    ],
)
def test_what_is_refused(tmp_path: Path, options: tuple[str, ...], words: str) -> None:
    defaults = ("--store", str(tmp_path / "store"), "-m", METHOD)
    result = run("precompute", *defaults, *options, expect=2)
    assert words in " ".join(result.stderr.split())


def test_all_methods_are_those_that_there_are() -> None:
    assert chosen_methods(["all", METHOD]) == list(fusion.method_ids())
    assert chosen_methods([METHOD, "masknet", METHOD]) == [METHOD, "masknet"]

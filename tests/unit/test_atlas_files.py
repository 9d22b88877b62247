"""What an atlas has on disk: nothing half written counts, and an earlier layout is told and never read."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from numpy.typing import NDArray

import fusion
from cache.services.atlases import AtlasFolder
from fusion import Method, Pair
from fusion.errors import AtlasError, Cancelled
from fusion.saliency import atlas_files
from fusion.saliency.atlas import TILE, Atlas, atlas_bytes, atlas_folder
from fusion.saliency.atlas_layout import TILE_BYTES, outdated_atlas, tile_side, window_bytes

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def method() -> Method:
    return fusion.load_method("weighted_averaging", "cpu")


@pytest.fixture
def pair(rng: np.random.Generator) -> Pair:
    return Pair.from_arrays(rng.random((16, 24)), rng.random((16, 24)))


@pytest.fixture
def small_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fusion.saliency.atlas_layout.TILE_SIDES", (TILE,))


def differing(atlas: Atlas, method: Method, pair: Pair) -> list[tuple[int, int]]:
    """Return the pixels whose windows are there and wrong."""
    every = [(row, col) for row in range(pair.shape[0]) for col in range(pair.shape[1])]
    return [
        (one.row, one.col)
        for one in fusion.jacobians(method, pair, every)
        if atlas.has(one.row, one.col)
        and np.abs(atlas.window(one.row, one.col).values - one.values).max()
        > 2**-11 * np.abs(one.values).max()
    ]


def first_tiles(folder: Path, method: Method, pair: Pair, number: int) -> Atlas:
    def stop(done: int, total: int) -> None:
        if done == number:
            raise Cancelled("Enough.")

    atlas = Atlas(folder, method, pair)
    with pytest.raises(Cancelled):
        atlas.fill(method, pair, stop)
    return atlas


KILLED = """
import os, signal, sys
from pathlib import Path
import numpy as np
import fusion
from fusion import Pair
from fusion.saliency import atlas_layout
from fusion.saliency.atlas import Atlas

atlas_layout.TILE_SIDES = (8,)
right, calls = Path.replace, [0]
def replace(path, target):
    calls[0] += path.name.endswith(".part")
    if calls[0] == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
    return right(path, target)
Path.replace = replace
pair = Pair.from_arrays(*np.load(sys.argv[3]))
method = fusion.load_method("weighted_averaging", "cpu")
Atlas(Path(sys.argv[1]), method, pair).fill(method, pair)
"""


@pytest.mark.parametrize(("file", "done"), [(5, 2), (6, 2)], ids=["values", "scales"])
def test_a_killed_process_leaves_nothing_that_counts_and_is_not(
    tmp_path: Path, method: Method, pair: Pair, file: int, done: int
) -> None:
    np.save(tmp_path / "pair.npy", pair.images)
    folder = tmp_path / "atlas"
    killed = [sys.executable, "-c", KILLED, str(folder), str(file), str(tmp_path / "pair.npy")]
    assert subprocess.run(killed, cwd=ROOT, timeout=240).returncode < 0
    assert list(folder.glob("*/.*.part")), "it was killed while it wrote"
    atlas = Atlas(folder, method, pair)
    assert atlas.tiles_done == (done, 6)
    assert (atlas.has(0, 0), atlas.has(15, 23)) == (True, False)
    assert differing(atlas, method, pair) == []
    atlas.fill(method, pair)
    assert atlas.complete and differing(atlas, method, pair) == []
    assert not list(folder.glob("*/.*.part"))


@pytest.mark.parametrize("number", [1, 2], ids=["values", "scales"])
def test_a_full_disk_is_told_and_leaves_nothing(
    tmp_path: Path, method: Method, pair: Pair, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    right, calls = atlas_files._write, []

    def write(path: Path, content: NDArray[Any], to_disk: bool) -> None:
        calls.append(path)
        if len(calls) == number:
            raise OSError(28, "No space left on device")
        right(path, content, to_disk)

    monkeypatch.setattr(atlas_files, "_write", write)
    atlas = Atlas(tmp_path, method, pair)
    with pytest.raises(AtlasError, match=r"cannot be written.*No space left"):
        atlas.fill(method, pair)
    assert not atlas.has(0, 0)
    assert Atlas(tmp_path, method, pair).tiles_done == (0, 1)


def test_what_is_missing_or_cut_off_is_computed_anew(
    tmp_path: Path, method: Method, pair: Pair, small_tiles: None
) -> None:
    Atlas(tmp_path, method, pair).fill(method, pair)
    (tmp_path / "values/c.0.1.0.0.0").unlink()
    (tmp_path / "values/c.1.2.0.0.0").write_bytes(b"")
    (tmp_path / "scales/c.1.0").write_bytes(b"")
    atlas = Atlas(tmp_path, method, pair)
    seen: list[int] = []
    atlas.fill(method, pair, lambda done, total: seen.append(done))
    assert seen == [3, 4, 5, 6]
    assert atlas.complete and differing(atlas, method, pair) == []


def test_a_tile_costs_its_own_files_however_large_the_image_is(
    tmp_path: Path, method: Method, rng: np.random.Generator
) -> None:
    pair = Pair.from_arrays(*rng.random((2, 512, 512)))
    first_tiles(tmp_path, method, pair, 2)
    sizes = [file.stat().st_size for name in ("values", "scales") for file in (tmp_path / name).glob("c.*")]
    assert sorted(sizes) == [16384] * 4
    assert atlas_bytes(method, pair.shape) == 64 * 2 * 16384


@pytest.mark.parametrize(
    ("radius", "side"), [(0, 64), (2, 64), (8, 32), (9, 16), (12, 16), (17, 16), (18, 8), (60, 8)]
)
def test_tiles_are_as_large_as_is_reasonable(radius: int, side: int) -> None:
    assert tile_side(radius) == side
    assert side in (TILE, 64) or TILE_BYTES / 4 < side**2 * window_bytes(radius) <= TILE_BYTES


def write_first_schema(folder: Path, method: Method, pair: Pair) -> None:
    """Write a complete atlas as the first version did; as two of its processes did, who lost a scale."""
    height, width = pair.shape
    attributes: dict[str, Any] = {
        "schema": 1,
        "pair": pair.id,
        "method": method.id,
        "weights": method.weights_id,
        "shape": [height, width],
        "support_radius": 0,
        "units": "d fused intensity / d input intensity, dimensionless; values × scales",
    }
    group = zarr.open_group(folder, mode="w-", attributes=attributes)
    for name, shape, chunks, kind in (
        ("values", (height, width, 2, 1, 1), (8, 8, 2, 1, 1), "<f2"),
        ("scales", (height, width), (height, width), "<f4"),
        ("done", (height // 8, width // 8), (height // 8, width // 8), "u1"),
    ):
        array = group.create_array(name, shape=shape, chunks=chunks, dtype=kind, compressors=None)
        array[:] = 1
    scales: Any = group["scales"]
    scales[:8, :8] = 0


def test_an_atlas_of_an_earlier_version_is_told_and_not_read(
    tmp_path: Path, method: Method, pair: Pair, caplog: pytest.LogCaptureFixture
) -> None:
    folder = atlas_folder(tmp_path, method, pair)
    first = folder.with_name(folder.name.removesuffix("-v2"))
    assert first != folder and outdated_atlas(tmp_path, method, pair) is None
    write_first_schema(first, method, pair)
    assert str(first) in (outdated_atlas(tmp_path, method, pair) or "")
    with pytest.raises(AtlasError, match="another pair, method or version"):
        Atlas(first, method, pair)
    shelf = AtlasFolder(tmp_path)
    with caplog.at_level(logging.WARNING):
        assert shelf.window(method, pair, 0, 0) is None
        shelf.look_again(method, pair)
        assert shelf.window(method, pair, 12, 12) is None
    assert caplog.text.count("made by an earlier version") == 1
    Atlas(folder, method, pair).fill(method, pair)
    shelf.look_again(method, pair)
    found = shelf.window(method, pair, 0, 0)
    assert found is not None
    np.testing.assert_allclose(found.values, fusion.jacobian(method, pair, (0, 0)).values, rtol=1e-3)
    assert (first / "zarr.json").exists(), "nothing of the user's is removed"


def test_a_group_that_another_process_makes_meanwhile_is_taken(
    tmp_path: Path, method: Method, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = Path.rename

    def rename(path: Path, target: Path) -> Path:
        monkeypatch.setattr(Path, "rename", right)
        first_tiles(tmp_path / "atlas", method, pair, 0)
        return right(path, target)

    monkeypatch.setattr(Path, "rename", rename)
    assert Atlas(tmp_path / "atlas", method, pair).tiles_done == (0, 1)
    assert os.listdir(tmp_path) == ["atlas"]  # noqa: PTH208

"""An atlas on disk: nothing half written or damaged counts, and several processes make it without loss.

An earlier layout is told and never read.
"""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
import zarr

import fusion
from cache.services.atlases import AtlasFolder
from fusion import Method, Pair
from fusion.errors import AtlasError, Cancelled
from fusion.saliency.atlas import TILE, Atlas, AtlasProgress, atlas_bytes, atlas_folder
from fusion.saliency.atlas_store import TILE_BYTES, outdated_atlas, tile_side, window_bytes
from fusion.saliency.claims import Claims

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def method() -> Method:
    return fusion.load_method("weighted_averaging", "cpu")


@pytest.fixture
def pair(rng: np.random.Generator) -> Pair:
    return Pair.from_arrays(rng.random((16, 24)), rng.random((16, 24)))


@pytest.fixture
def small_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fusion.saliency.atlas_store.TILE_SIDES", (TILE,))


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
from fusion.saliency import atlas_store
from fusion.saliency.atlas import Atlas

atlas_store.TILE_SIDES = (8,)
right, calls = Path.replace, [0]
def replace(path, target):
    calls[0] += path.name.startswith("c.")
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
    assert list(folder.glob("*/c.*.partial")), "it was killed while it wrote"
    atlas = Atlas(folder, method, pair)
    assert atlas.tiles_done == (done, 6)
    assert (atlas.has(0, 0), atlas.has(15, 23)) == (True, False)
    assert differing(atlas, method, pair) == []
    atlas.fill(method, pair)
    assert atlas.complete and differing(atlas, method, pair) == []
    assert not list(folder.glob("*/c.*.partial"))


@pytest.mark.parametrize("number", [1, 2], ids=["values", "scales"])
def test_a_full_disk_is_told_and_leaves_nothing(
    tmp_path: Path, method: Method, pair: Pair, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    atlas, right, calls = Atlas(tmp_path, method, pair), Path.replace, []

    def replace(path: Path, target: Path) -> Path:
        calls.append(path)
        if len(calls) == number:
            raise OSError(28, "No space left on device")
        return right(path, target)

    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(AtlasError, match=r"cannot be written.*No space left"):
        atlas.fill(method, pair)
    assert not atlas.has(0, 0)
    assert Atlas(tmp_path, method, pair).tiles_done == (0, 1)
    assert not list(tmp_path.glob("*/*.partial"))


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
    assert sorted(sizes) == [16384 + 4] * 4
    assert atlas_bytes(method, pair.shape) == 64 * 2 * (16384 + 4)


@pytest.mark.parametrize(
    ("radius", "side"), [(0, 64), (2, 64), (8, 32), (9, 16), (12, 16), (17, 16), (18, 8), (60, 8)]
)
def test_tiles_are_as_large_as_is_reasonable(radius: int, side: int) -> None:
    assert tile_side(radius) == side
    assert side in (TILE, 64) or TILE_BYTES / 4 < side**2 * window_bytes(radius) <= TILE_BYTES


def write_earlier_schema(folder: Path, method: Method, pair: Pair, schema: int) -> None:
    """Write a complete atlas as an earlier version did: the first with a lost scale, the second without checksums."""
    height, width = pair.shape
    attributes: dict[str, Any] = {
        "schema": schema,
        "pair": pair.id,
        "method": method.id,
        "weights": method.weights_id,
        "shape": [height, width],
        "support_radius": 0,
        "units": "d fused intensity / d input intensity, dimensionless; values × scales",
    }
    group = zarr.open_group(folder, mode="w-", attributes=attributes)
    layouts: list[tuple[str, tuple[int, ...], tuple[int, ...], str]] = [
        ("values", (height, width, 2, 1, 1), (8, 8, 2, 1, 1), "<f2"),
        ("scales", (height, width), (height, width) if schema == 1 else (8, 8), "<f4"),
    ]
    if schema == 1:
        layouts.append(("done", (height // 8, width // 8), (height // 8, width // 8), "u1"))
    for name, shape, chunks, kind in layouts:
        array = group.create_array(name, shape=shape, chunks=chunks, dtype=kind, compressors=None)
        array[:] = 1
    scales: Any = group["scales"]
    scales[:8, :8] = 0


@pytest.mark.parametrize("schema", [1, 2])
def test_an_atlas_of_an_earlier_version_is_told_and_not_read(
    tmp_path: Path, method: Method, pair: Pair, schema: int, caplog: pytest.LogCaptureFixture
) -> None:
    folder = atlas_folder(tmp_path, method, pair)
    suffix = "" if schema == 1 else "-v2"
    earlier = folder.with_name(folder.name.removesuffix("-v3") + suffix)
    assert earlier != folder and outdated_atlas(tmp_path, method, pair) is None
    write_earlier_schema(earlier, method, pair, schema)
    assert str(earlier) in (outdated_atlas(tmp_path, method, pair) or "")
    with pytest.raises(AtlasError, match="another pair, method or version"):
        Atlas(earlier, method, pair)
    atlases = AtlasFolder(tmp_path)
    with caplog.at_level(logging.WARNING):
        assert atlases.window(method, pair, 0, 0) is None
        atlases.look_again(method, pair)
        assert atlases.window(method, pair, 12, 12) is None
    assert caplog.text.count("made by an earlier version") == 1
    Atlas(folder, method, pair).fill(method, pair)
    atlases.look_again(method, pair)
    found = atlases.window(method, pair, 0, 0)
    assert found is not None
    np.testing.assert_allclose(found.values, fusion.jacobian(method, pair, (0, 0)).values, rtol=1e-3)
    assert (earlier / "zarr.json").exists(), "nothing of the user's is removed"


FILES = {
    "zarr.json": 3,
    "values/zarr.json": 3,
    "scales/zarr.json": 3,
    "values/c.0.0.0.0.0": 1,
    "scales/c.0.0": 1,
}
"""The files of an atlas of one tile, and in steps of how many bytes each is damaged."""


@pytest.mark.parametrize("name", FILES)
def test_damage_is_an_error_and_never_a_number(
    tmp_path: Path, method: Method, rng: np.random.Generator, name: str, small_tiles: None
) -> None:
    pair = Pair.from_arrays(*rng.random((2, 7, 8)))
    Atlas(tmp_path, method, pair).fill(method, pair)
    every = [(row, col) for row in range(7) for col in range(8)]
    right = Atlas(tmp_path, method, pair).stored(every)
    good, refused = (tmp_path / name).read_bytes(), 0
    wrongs = [
        good[:place] + bytes([good[place] ^ (1, 0x80)[place % 2]]) + good[place + 1 :]
        for place in range(0, len(good), FILES[name])
    ]
    cut = [good[:size] for size in range(0, len(good), 20)]
    for wrong in (*wrongs, *cut, good + b"\0", bytes(4), bytes(len(good))):
        (tmp_path / name).write_bytes(wrong)
        try:
            atlas = Atlas(tmp_path, method, pair)
            atlas.window(6, 7)
        except AtlasError:
            refused += 1
            continue
        # What is described differently and means the same, such as another space, does no harm.
        assert "json" in name
        found = atlas.stored(every)
        np.testing.assert_array_equal(found.scales, right.scales)
        np.testing.assert_array_equal(found.values, right.values)
    assert refused == len(wrongs) + len(cut) + 3 or ("json" in name and refused > len(wrongs) / 3)
    (tmp_path / name).unlink()
    if "json" not in name:
        assert np.isnan(Atlas(tmp_path, method, pair).stored(every).scales).all()


def test_a_damaged_tile_is_computed_anew(
    tmp_path: Path, method: Method, pair: Pair, small_tiles: None
) -> None:
    Atlas(tmp_path, method, pair).fill(method, pair)
    for name in ("values/c.0.1.0.0.0", "scales/c.1.2"):
        content = bytearray((tmp_path / name).read_bytes())
        content[100] ^= 1
        (tmp_path / name).write_bytes(content)
    atlas = Atlas(tmp_path, method, pair)
    assert atlas.complete, "nothing is read before it is asked for"
    seen: list[int] = []
    atlas.fill(method, pair, lambda done, total: seen.append(done))
    assert seen == [4, 5, 6]
    assert differing(atlas, method, pair) == []


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


@pytest.fixture
def claims(tmp_path: Path) -> Iterator[tuple[Claims, Claims]]:
    with Claims(tmp_path / "claims") as one, Claims(tmp_path / "claims") as other:
        yield one, other


FILLING = """
import sys
from pathlib import Path
import numpy as np
import fusion
from fusion import Pair
from fusion.saliency import atlas, atlas_store

atlas_store.TILE_SIDES = (8,)
computed, right = [], atlas.computed_tile
def counted(method, pair, tile, *arguments):
    computed.append(tile)
    return right(method, pair, tile, *arguments)
atlas.computed_tile = counted
pair = Pair.from_arrays(*np.load(sys.argv[2]))
method = fusion.load_method("weighted_averaging", "cpu")
fusion.jacobian(method, pair, (0, 0))
mine = atlas.Atlas(Path(sys.argv[1]), method, pair)
print("ready", flush=True)
sys.stdin.readline()
mine.fill(method, pair)
print(len(computed))
"""


def test_two_processes_share_an_atlas_and_every_window_is_right(
    tmp_path: Path, method: Method, rng: np.random.Generator
) -> None:
    pair = Pair.from_arrays(*rng.random((2, 96, 96)))
    np.save(tmp_path / "pair.npy", pair.images)
    folder = tmp_path / "atlas"
    command = [sys.executable, "-c", FILLING, str(folder), str(tmp_path / "pair.npy")]
    processes = [
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    try:
        for process in processes:
            assert process.stdout is not None and process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        computed = [int(process.communicate(timeout=240)[0]) for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()
    assert [process.returncode for process in processes] == [0, 0]
    assert sum(computed) == 144, "none is computed twice"
    assert min(computed) > 0, "both took part"
    atlas = Atlas(folder, method, pair)
    assert atlas.complete
    every = [(row, col) for row in range(96) for col in range(96)]
    for expected in fusion.jacobians(method, pair, every):
        found = atlas.window(expected.row, expected.col).values
        assert np.abs(found - expected.values).max() <= 2**-11 * np.abs(expected.values).max()


def test_a_claim_is_one_holders_until_it_ends(claims: tuple[Claims, Claims]) -> None:
    one, other = claims
    with one.claimed(3) as mine:
        assert mine
        with other.claimed(3) as theirs, other.claimed(4) as another:
            assert (theirs, another) == (False, True)
            with one.claimed(4) as taken:
                assert not taken
        with other.claimed(3) as theirs:
            assert not theirs, "whoever did not get it cannot end it"
    with other.claimed(3) as theirs:
        assert theirs


@pytest.mark.usefixtures("small_tiles")
def test_what_another_is_at_is_waited_for_and_then_found(tmp_path: Path, method: Method, pair: Pair) -> None:
    atlas, other = Atlas(tmp_path, method, pair), Atlas(tmp_path, method, pair)
    ended, waiting = threading.Event(), threading.Event()
    reports: list[int] = []

    def progress(done: int, total: int) -> None:
        reports.append(done)
        if reports.count(5) >= 3:
            waiting.set()

    def fill() -> None:
        atlas.fill(method, pair, progress)
        ended.set()

    with atlas._store.claims() as held, held.claimed(2) as mine:
        assert mine
        threading.Thread(target=fill, daemon=True).start()
        assert waiting.wait(60)
        assert not ended.is_set()
        assert atlas.tiles_done == (5, 6)
        # Whoever waits can be stopped, too.
        with pytest.raises(Cancelled):
            other.fill(method, pair, stop_at_second(5))
    assert ended.wait(60)
    assert reports[-1] == 6 and Atlas(tmp_path, method, pair).complete


def stop_at_second(number: int) -> AtlasProgress:
    seen: list[int] = []

    def progress(done: int, total: int) -> None:
        seen.append(done)
        if seen.count(number) == 2:
            raise Cancelled("Enough.")

    return progress


@pytest.mark.usefixtures("small_tiles")
def test_windows_that_another_process_has_computed_are_found_at_once(
    tmp_path: Path, method: Method, pair: Pair
) -> None:
    reader = Atlas(tmp_path, method, pair)
    assert not reader.has(3, 4) and np.isnan(reader.stored([(3, 4)]).scales).all()
    Atlas(tmp_path, method, pair).fill(method, pair)
    assert reader.has(3, 4) and not np.isnan(reader.stored([(3, 4)]).scales).any()
    assert not reader.complete
    reader.refresh()
    assert reader.complete


@pytest.mark.usefixtures("small_tiles")
def test_where_nothing_can_be_locked_an_atlas_is_made_all_the_same(
    tmp_path: Path,
    method: Method,
    pair: Pair,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def refuse(*arguments: object) -> NoReturn:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "fcntl", refuse)
    monkeypatch.setattr(fcntl, "lockf", refuse)
    atlas = Atlas(tmp_path, method, pair)
    with caplog.at_level(logging.WARNING):
        atlas.fill(method, pair)
    assert atlas.complete
    assert caplog.text.count("only one process at a time") == 1


@pytest.mark.usefixtures("small_tiles")
def test_locks_of_a_process_do_where_there_are_none_of_a_file(
    tmp_path: Path, method: Method, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fusion.saliency.claims._OF_THE_FILE", None)
    atlas = Atlas(tmp_path, method, pair)
    atlas.fill(method, pair)
    assert atlas.complete


@pytest.mark.usefixtures("small_tiles")
def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path, method: Method, pair: Pair) -> None:
    atlas = Atlas(tmp_path, method, pair)
    (tmp_path / "values/.claims").mkdir()
    with pytest.raises(AtlasError, match="cannot be written"):
        atlas.fill(method, pair)

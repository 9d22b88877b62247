"""A store behind `s3://`, on a real server process: written and read back, mended, resumed, and its server gone.

It needs packages that nothing else does, and a process of its own: so it stands here and not beside the unit tests.
"""

from __future__ import annotations

import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pytest
from zarr.core.sync import sync

import fusion
from app.routes.binary import WINDOW_HEADER
from benchmarks.long_work import OtherPage
from benchmarks.server import free_port, server_in
from fusion.errors import FuseVisError
from fusion.saliency.window import PATHS
from fusion.work.guidance_units import GuidanceUnits
from fusion.work.store import ChunkStore, StoreError
from tests.faults.processes import WAIT_S, wait_for
from tests.running_server import ALONE, write_pair
from tests.unit.command_line import run

SHAPE = (19, 26)
METHOD = "deepfuse"


@contextmanager
def object_server(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], dict[str, str]]]:
    """Start a server of objects with an empty bucket; yields it, and the settings with which it is found."""
    port = free_port()
    settings = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "somebody",
        "AWS_SECRET_ACCESS_KEY": "anything",
        "AWS_DEFAULT_REGION": "us-east-1",
        # Soon tired, where the server is gone.
        "AWS_MAX_ATTEMPTS": "1",
    }
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with (
        (folder / "objects.log").open("wb") as log,
        subprocess.Popen(command, stdout=log, stderr=log) as process,
        pytest.MonkeyPatch.context() as patch,
    ):
        for name, value in settings.items():
            patch.setenv(name, value)
        forget_clients()
        try:
            wait_for(bucket_made, "the server of objects")
            yield process, settings
        finally:
            process.kill()
            forget_clients()


def forget_clients() -> None:
    """Let nobody go on with a client that knows another server."""
    kind = fsspec.get_filesystem_class("s3")
    for files in list(kind._cache.values()):
        # Those that Zarr uses are closed by nobody else, which a test would fail for.
        if files.asynchronous and files._s3 is not None:
            sync(files._s3.__aexit__(None, None, None))
    kind.clear_instance_cache()


def complete(page: OtherPage) -> None:
    page.begin_guidance()
    wait_for(lambda: not page.follow_guidance(), "guidance images")


def objects() -> Any:
    return fsspec.filesystem("s3", use_listings_cache=False)


def bucket_made() -> bool:
    try:
        objects().mkdir("bucket")
    # Before it listens, whatever the client makes of that.
    except Exception:  # noqa: BLE001
        return False
    return True


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with object_server(tmp_path_factory.mktemp("objects")) as (_, settings):
        yield settings


@pytest.fixture
def pair() -> fusion.Pair:
    return fusion.Pair.from_arrays(*np.random.default_rng().random((2, *SHAPE)))


@pytest.fixture(scope="module")
def method() -> fusion.Method:
    return fusion.load_method(METHOD, "cpu")


def image_of(units: GuidanceUnits) -> np.ndarray:
    image = np.full((2, *SHAPE), np.nan, dtype=np.float32)
    for number, values in units.all():
        units.put(number, values, image)
    return image


def chunks_below(place: str) -> list[str]:
    return sorted(name for name in objects().find(place) if name.rpartition("/")[2].startswith("c."))


@pytest.mark.usefixtures("bucket")
def test_what_is_written_is_read_back_and_what_is_lost_is_computed(
    pair: fusion.Pair, method: fusion.Method, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = "s3://bucket/own/results"
    ChunkStore(url).put_pair(pair)
    assert ChunkStore(url).pair(pair.id, SHAPE).id == pair.id
    right = image_of(GuidanceUnits(method, pair, ChunkStore(url)))
    np.testing.assert_array_equal(right, fusion.guidance(method, pair))

    damaged, lost = chunks_below("bucket/own/results/guidance")[:2]
    content = bytearray(objects().cat(damaged))
    content[len(content) // 2] ^= 1
    objects().pipe(damaged, bytes(content))
    objects().rm(lost)
    computed: list[int] = []
    real = GuidanceUnits.compute

    def noted(self: GuidanceUnits, number: int, *rest: Any) -> np.ndarray:
        computed.append(number)
        return real(self, number, *rest)

    monkeypatch.setattr(GuidanceUnits, "compute", noted)
    again = GuidanceUnits(method, pair, ChunkStore(url))
    np.testing.assert_array_equal(image_of(again), right)
    assert sorted(computed) == sorted(int(name.split("/c.")[1].split(".")[0]) for name in (damaged, lost))
    assert again.missing() == []
    again.remove()
    assert chunks_below("bucket/own/results/guidance") == []


@pytest.mark.usefixtures("bucket")
def test_many_pairs_are_computed_once_and_go_on_where_they_stopped(
    tmp_path: Path, pair: fusion.Pair, method: fusion.Method
) -> None:
    for modality, image in zip(("mri", "pet"), pair.images, strict=True):
        np.save(tmp_path / f"{modality}_1.npy", image)
    url = "s3://bucket/many"
    command = (
        "precompute",
        "--store",
        url,
        "--data-dir",
        str(tmp_path),
        "-p",
        "1",
        "-m",
        METHOD,
        "--no-atlas",
    )
    first = run(*command)
    units = GuidanceUnits(method, pair, ChunkStore(url))
    assert first.stdout.strip() == url and f"; {len(units)} units were computed" in first.stderr
    assert "0 units were computed" in run(*command).stderr
    for name in chunks_below("bucket/many/guidance")[:3]:
        objects().rm(name)
    assert "; 3 units were computed" in run(*command).stderr
    np.testing.assert_array_equal(image_of(units), fusion.guidance(method, pair))


def test_a_page_keeps_and_finds_guidance_images_there(tmp_path: Path, bucket: dict[str, str]) -> None:
    paths = write_pair(tmp_path)
    settings = ALONE | bucket | {"FUSEVIS_STORE": "s3://bucket/page"}
    for folder in (tmp_path / "first", tmp_path / "second"):
        folder.mkdir()
        with server_in(folder, paths, settings) as server:
            complete(OtherPage(server.url, "own", METHOD))
        assert "Traceback" not in (folder / "server.log").read_text()
        kept = chunks_below("bucket/page/guidance")
        written = {name: objects().info(name)["LastModified"] for name in kept}
        if folder.name == "first":
            before = written
    units = GuidanceUnits(
        fusion.load_method(METHOD, "cpu"), fusion.load_pair(*paths), ChunkStore("s3://bucket/page")
    )
    assert len(kept) == len(units) and written == before, "computed once, by the first server"


def hovered(url: str, pair: fusion.Pair, method: fusion.Method, row: int, col: int) -> tuple[str, np.ndarray]:
    """Return how a server has got the window of a pixel, and its numbers."""
    place = f"{url}jacobian/{pair.id}/{method.id}/{method.weights_id}/{row}/{col}"
    with urllib.request.urlopen(place, timeout=WAIT_S) as answer:
        content = answer.read()
    *_, height, width, _, path = WINDOW_HEADER.unpack_from(content)
    values = np.frombuffer(content, "<f4", offset=WINDOW_HEADER.size)
    return PATHS[path], values.reshape(2, height, width)


def test_a_page_reads_hovers_from_the_atlas_that_a_command_has_left(
    tmp_path: Path, bucket: dict[str, str], method: fusion.Method
) -> None:
    paths = write_pair(tmp_path)
    pair = fusion.load_pair(*paths)
    url = "s3://bucket/atlases"
    command = (
        "precompute",
        "--store",
        url,
        "--data-dir",
        str(tmp_path),
        "-p",
        "own",
        "-m",
        METHOD,
        "--no-guidance",
    )
    first = run(*command)
    chunks = chunks_below("bucket/atlases/atlas")
    assert f"; {len(chunks) // 2} units were computed" in first.stderr
    lost = next(name for name in chunks if name.endswith("/scales/c.0.0"))
    objects().rm(lost)
    assert "; 1 units were computed" in run(*command).stderr
    assert chunks_below("bucket/atlases/atlas") == chunks

    damaged = next(name for name in chunks if name.endswith("/values/c.0.0.0.0.0"))
    content = bytearray(objects().cat(damaged))
    content[len(content) // 2] ^= 1
    objects().pipe(damaged, bytes(content))
    last = pair.shape[0] - 1, pair.shape[1] - 1
    with server_in(tmp_path, paths, ALONE | bucket | {"FUSEVIS_STORE": url}) as server:
        # The first ones are computed: nobody waits until an atlas is found.
        wait_for(lambda: hovered(server.url, pair, method, *last)[0] == "atlas", "the atlas")
        for pixel, from_atlas in ((last, True), ((0, 0), False)):
            path, values = hovered(server.url, pair, method, *pixel)
            assert (path == "atlas") == from_atlas, "a damaged tile is computed"
            exact = fusion.jacobian(method, pair, pixel).values
            np.testing.assert_allclose(values, exact, atol=2**-10 * np.abs(exact).max())
    log = (tmp_path / "server.log").read_text()
    assert "computed instead" in log and "Traceback" not in log


def test_a_server_that_is_gone_is_told_and_takes_nothing_away(
    tmp_path: Path, pair: fusion.Pair, method: fusion.Method, caplog: pytest.LogCaptureFixture
) -> None:
    with object_server(tmp_path) as (process, _):
        store = ChunkStore("s3://bucket/gone")
        units = GuidanceUnits(method, pair, store)
        units.keep(0, units.compute(0))
        process.kill()
        process.wait()
        for use in (units.done, lambda: units.kept(0), lambda: units.keep(1, units.compute(1))):
            with pytest.raises(StoreError, match="cannot be used"):
                use()
        with pytest.raises(FuseVisError, match="cannot be used"):
            store.put_pair(pair)
        np.testing.assert_array_equal(image_of(units), fusion.guidance(method, pair))
    assert "is damaged" not in caplog.text and "is not kept" in caplog.text

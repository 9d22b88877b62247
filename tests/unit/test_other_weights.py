"""Results of other weights never meet: not in a cache that two servers share, not in a job, not in a batch.

Catches by hand-made faults: an address, a job's name or a batch's key without the weights id.
"""

from __future__ import annotations

import csv
import io
import itertools
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from flask.testing import FlaskClient
from numpy.typing import NDArray

import cache.services.windows
import fusion
from app.factory import create_server
from app.settings import Settings
from cache.services.loaded import LoadedMethods
from cache.services.services import services_of
from cache.services.windows import MicroBatches
from fusion import JacobianWindow, Method, Pair
from fusion.methods import registry
from fusion.weights import load_weights, save_weights
from tests.unit.page_services import WAIT_S, write_pair
from tests.unit.reference import random_pair
from tests.unit.small_services import Maker, Small, follow, wait_for

ID = "deepfuse"
REGION = "corner~1b9e4b~b0.0.4.5"
QUANTITIES = ("mean", "total")
"""Of guidance images, and of Jacobian images: each has an address of its own."""
VIEW = f"pair=3&methods={ID}&pixel=4,5&regions={REGION}"


@pytest.fixture(scope="module")
def other_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write weights of the method that are a quarter larger than those that ship."""
    folder = tmp_path_factory.mktemp("weights")
    network = fusion.load_method(ID, "cpu").network
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(1.25)
    save_weights(network, ID, {}, folder)
    return folder


@contextmanager
def server_with(weights: Path | None, folder: Path) -> Iterator[FlaskClient]:
    """Start the application, as a process would that finds these weights and the results of all before."""

    def loaded(network: torch.nn.Module, id: str, path: Path | None = None) -> str:
        assert path is not None
        return load_weights(network, id, path if weights is None else weights / path.name)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "load_weights", loaded)
        patch.setattr(LoadedMethods, "load_all", lambda self: None)
        settings = Settings(cache_dir=folder / "memo", atlas_dir=folder / "atlas", device="cpu")
        server = create_server(settings, [write_pair(folder)])
        yield server.test_client()
        services_of(server).close()


def fetched(client: FlaskClient, path: str) -> bytes:
    """Ask until all is computed, as a script would."""
    deadline = time.monotonic() + WAIT_S
    while (answer := client.get(path)).status_code == 409:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert answer.status_code == 200, answer.data
    return answer.data


def arrays_of(client: FlaskClient) -> dict[str, NDArray[np.float32]]:
    with np.load(io.BytesIO(fetched(client, f"/export/compare.npz?{VIEW}"))) as file:
        return {name: file[name] for name in ("fused", "guidance", "guidance_rgb", "jacobian_a")}


def numbers_of(client: FlaskClient) -> list[dict[str, str]]:
    text = fetched(client, f"/export/compare-complete.csv?{VIEW}").decode()
    return list(csv.DictReader(text.splitlines()))


def test_servers_that_share_a_cache_keep_their_weights_apart(tmp_path: Path, other_folder: Path) -> None:
    found, numbers = [], []
    # The first ones again at the end: theirs are in the cache, and nobody wrote over them.
    for weights in (None, other_folder, None):
        with server_with(weights, tmp_path) as client:
            found.append(arrays_of(client))
            numbers.append(numbers_of(client))
    pair = fusion.load_pair(*write_pair(tmp_path))
    for arrays, method in zip(
        found, (fusion.load_method(ID, "cpu"), fusion.load_method(ID, "cpu", other_folder)), strict=False
    ):
        fused, guidance = fusion.fuse(method, pair), fusion.guidance(method, pair)
        np.testing.assert_array_equal(arrays["fused"][0], fused)
        np.testing.assert_array_equal(arrays["guidance"][0], guidance)
        np.testing.assert_array_equal(arrays["guidance_rgb"][0], fusion.guidance_rgb(guidance, fused))
        np.testing.assert_array_equal(arrays["jacobian_a"][0], fusion.jacobian(method, pair, (4, 5)).dense())
    first, second, again = found
    for name in first:
        assert (first[name] != second[name]).any(), name
        np.testing.assert_array_equal(again[name], first[name])
    assert numbers[0] == numbers[2]
    told = [
        {(row["region"], row["quantity"], row["modality"]): row["value"] for row in rows if not row["row"]}
        for rows in numbers
    ]
    for key in itertools.product(("whole image", "corner"), QUANTITIES, ("x1", "x2")):
        assert told[0][key] != told[1][key], key


def test_jobs_of_other_weights_are_not_joined(make: Maker, small: Method) -> None:
    other = Method.from_module(Small(seed=6), "small", "Small network")
    made = [make(small), make(other)]
    made[1].guidance.jobs = made[0].guidance.jobs  # as if one process had both
    scenes = [services.scenes.open("1", "small") for services in made]
    for services, scene in zip(made, scenes, strict=True):
        services.guidance.state(scene, "ann")
    for services, scene, method in zip(made, scenes, (small, other), strict=True):
        values = follow(services, scene).values
        np.testing.assert_array_equal(values, fusion.guidance(method, services.scenes.pair(scene)))


def test_windows_of_other_weights_are_not_computed_together(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache.services.windows, "LONGEST_WAIT_S", WAIT_S)
    entered, opened = threading.Event(), threading.Event()
    together: list[list[tuple[int, int]]] = []

    def compute(method: Method, pair: Pair, pixels: list[tuple[int, int]]) -> list[JacobianWindow]:
        together.append(list(pixels))
        if len(together) == 1:
            entered.set()
            assert opened.wait(WAIT_S)
        return fusion.jacobians(method, pair, pixels)

    one, other = (Method.from_module(Small(seed), "small", "Small") for seed in (5, 6))
    pair, batches = random_pair(rng, (13, 17)), MicroBatches(1, compute)
    with ThreadPoolExecutor(3) as users:
        users.submit(batches.window, one, pair, (0, 0))
        assert entered.wait(WAIT_S)
        asked = [users.submit(batches.window, method, pair, (6, 7)) for method in (one, other)]
        wait_for(lambda: batches._inside == 3)
        opened.set()
        for future, method in zip(asked, (one, other), strict=True):
            expected = fusion.jacobian(method, pair, (6, 7)).values
            np.testing.assert_allclose(future.result().values, expected, rtol=1e-4, atol=1e-6)

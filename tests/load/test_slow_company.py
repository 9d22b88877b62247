"""Slow requests and slow clients, as many as there may be: hovers go on, and the server says at once that it lives."""

from __future__ import annotations

import socket
import statistics
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest

import fusion
from tests.running_server import running_server

COLD_PAIRS = 11
COLD_METHODS = ("funfusean", "masknet", "deepfuse", "deep_pedestrian")
LONGEST_HEALTH_S = 0.5
SLOW_CLIENTS = 40
IDLE_CLIENTS = 1000
SIDE = 256
LOOKS = 40
PATIENCE_S = 900
"""A machine that is busy with something else is slow, and not broken."""


def timed(address: str) -> float:
    started = time.monotonic()
    with urllib.request.urlopen(address, timeout=PATIENCE_S) as answer:
        answer.read()
    return time.monotonic() - started


@contextmanager
def watched(addresses: dict[str, str]) -> Iterator[dict[str, list[float]]]:
    """Ask for some addresses again and again meanwhile, each after the other, and note the seconds."""
    seconds: dict[str, list[float]] = {name: [] for name in addresses}
    ended = threading.Event()

    def watch(name: str) -> None:
        while not ended.is_set():
            seconds[name].append(timed(addresses[name]))
            time.sleep(0.05)

    with ThreadPoolExecutor(len(addresses)) as threads:
        watching = [threads.submit(watch, name) for name in addresses]
        try:
            yield seconds
        finally:
            ended.set()
    for one in watching:
        one.result()
    for name, found in seconds.items():
        print(
            f"{name}: {len(found)} times, median {statistics.median(found):.3f} s, longest {max(found):.3f} s"
        )


def fetched(address: str) -> int:
    """Ask until the server has room, as a page does; return how often that was."""
    for asked in range(1, 1000):
        try:
            timed(address)
            return asked
        except urllib.error.HTTPError as error:
            if error.code != 503:
                raise
            time.sleep(float(error.headers["Retry-After"]))
    raise AssertionError("it never has room")


def test_cold_images_let_hovers_and_health_pass(tmp_path: Path) -> None:
    generator = np.random.default_rng()
    data = tmp_path / "data"
    data.mkdir()
    pairs = []
    for number in range(COLD_PAIRS):
        paths = data / f"mri_{number}.npy", data / f"pet_{number}.npy"
        for path in paths:
            np.save(path, generator.random((SIDE, SIDE)))
        pairs.append(fusion.load_pair(*paths).id)
    weights = {id: fusion.load_method(id, "cpu").weights_id for id in (*COLD_METHODS, "weighted_averaging")}
    with running_server(tmp_path, {"FUSEVIS_DATA_DIR": str(data)}) as server:
        hover = f"{server.url}jacobian/{pairs[0]}/weighted_averaging/{weights['weighted_averaging']}"
        cold = [
            f"{server.url}images/{pair}/{id}/{weights[id]}/fused" for pair in pairs for id in COLD_METHODS
        ]
        with (
            watched({"health": f"{server.url}healthz", "hover": f"{hover}/3/4"}) as seconds,
            ThreadPoolExecutor(len(cold)) as threads,
        ):
            tries = list(threads.map(fetched, cold))
    print(f"{len(cold)} cold images, each asked for {statistics.mean(tries):.1f} times")
    assert max(seconds["health"]) <= LONGEST_HEALTH_S


def opened(url: str, request: bytes = b"") -> socket.socket:
    place = urlsplit(url)
    client = socket.create_connection((str(place.hostname), int(place.port or 0)), timeout=60)
    client.sendall(request)
    return client


@pytest.mark.parametrize("kind", ["writers", "readers", "idle"])
def test_slow_clients_let_hovers_pass(tmp_path: Path, kind: str) -> None:
    with running_server(tmp_path) as server, ExitStack() as stack:
        pair = fusion.load_pair(*server.pair_paths)
        method = fusion.load_method("weighted_averaging", "cpu")
        requests = {
            "writers": b"POST /_dash-update-component HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n{",
            "readers": b"GET /_dash-component-suites/plotly/package_data/plotly.min.js HTTP/1.1\r\nHost: a\r\n\r\n"
            * 4,
            "idle": b"",
        }
        for _ in range(IDLE_CLIENTS if kind == "idle" else SLOW_CLIENTS):
            stack.enter_context(opened(server.url, requests[kind]))
        hover = f"{server.url}jacobian/{pair.id}/{method.id}/{method.weights_id}"
        seconds = [timed(f"{hover}/{look}/{look}") for look in range(LOOKS)]
        print(f"{kind}: median {statistics.median(seconds):.3f} s, longest {max(seconds):.3f} s")
        assert timed(f"{server.url}healthz") <= LONGEST_HEALTH_S

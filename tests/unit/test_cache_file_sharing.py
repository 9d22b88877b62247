"""The file cache under threads, processes and flask-caching."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import flask
import flask_caching
import numpy as np

from cache.store.file_cache import BLOCK_BYTES, BoundedFileCache
from tests.unit.cache_entries import blocks_in, files_in, number_of, value

ROOT = Path(__file__).parents[2]


def test_threads_share_a_cache(tmp_path: Path) -> None:
    limit = 32 * BLOCK_BYTES
    store = BoundedFileCache(tmp_path, limit)
    barrier = threading.Barrier(8)

    def work(seed: int) -> int:
        random = np.random.default_rng(seed)
        barrier.wait()
        hits = 0
        for _ in range(150):
            number = int(random.integers(50))
            found = store.get(f"key {number}")
            if found is None:
                store.set(f"key {number}", value(number, int(random.integers(1, 1500))))
            else:
                assert (found["values"] == number).all()
                hits += 1
        return hits

    with ThreadPoolExecutor(8) as pool:
        hits = list(pool.map(work, range(8)))
    assert sum(hits) > 0
    store.prune()
    assert store.total_bytes == blocks_in(store) <= limit
    assert all(path.name.endswith(".entry") for path in files_in(store))


WRITER = """
import sys
import numpy as np
from cache.store.file_cache import BoundedFileCache
folder, limit, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
store = BoundedFileCache(folder, limit)
random = np.random.default_rng(seed)
print("ready", flush=True)
sys.stdin.readline()
hits = 0
for _ in range(400):
    number = int(random.integers(60))
    found = store.get(f"key {number}")
    if found is not None:
        assert (found["values"] == number).all()
        hits += 1
    if found is None or random.random() < 0.3:
        assert store.set(f"key {number}", {"values": np.full(int(random.integers(1, 1500)), float(number))})
assert store.problem is None
print(hits, flush=True)
"""


def test_processes_share_a_folder(tmp_path: Path) -> None:
    limit = 64 * BLOCK_BYTES
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), str(limit), str(seed)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        for seed in range(3)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    outcomes = []
    for process in processes:  # all have loaded everything: now they meet
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    for process in processes:
        outcomes.append(process.communicate(timeout=240))
    assert [
        (process.returncode, errors) for process, (_, errors) in zip(processes, outcomes, strict=True)
    ] == [(0, "")] * 3
    assert sum(int(output) for output, _ in outcomes) > 0
    store = BoundedFileCache(tmp_path, limit)
    assert store.total_bytes == blocks_in(store) <= limit
    assert all(path.name.endswith(".entry") for path in files_in(store))


def test_as_a_back_end_of_flask_caching(tmp_path: Path) -> None:
    server = flask.Flask("test")
    cache = flask_caching.Cache(
        server,
        with_jinja2_ext=False,
        config={
            "CACHE_TYPE": "cache.store.file_cache.BoundedFileCache",
            "CACHE_DIR": str(tmp_path / "memo"),
            "CACHE_DEFAULT_TIMEOUT": 77,
            "CACHE_OPTIONS": {"limit_bytes": 12345},
        },
    )
    assert isinstance(cache.cache, BoundedFileCache)
    assert (cache.cache.limit_bytes, cache.cache.default_timeout) == (12345, 77)
    assert cache.set("a", value(1))
    assert number_of(cache.get("a")) == 1
    assert cache.get_many("a", "b")[1] is None
    assert cache.delete_many("a", "b") == ["a", "b"]
    assert not cache.has("a")

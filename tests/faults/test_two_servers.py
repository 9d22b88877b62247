"""Two servers with one Redis, one dask cluster and one store: they answer alike, whatever of it is killed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page

import fusion
from app.routes.binary import WINDOW_HEADER
from benchmarks.browser import chromium
from benchmarks.long_work import OtherPage
from benchmarks.server import LOG, BenchmarkServer, free_port, server_in
from fusion.saliency.atlas import Atlas, atlas_folder
from fusion.work.guidance_units import GuidanceUnits
from fusion.work.store import ChunkStore
from tests.faults.processes import WAIT_S, kill, process, redis, scheduler, wait_for, worker
from tests.faults.test_servers import VIEW, again, answered, hover_of, worker_of
from tests.running_server import ALONE, SHAPE, write_pair

METHOD = "deepfuse"
EXPORT = f"export/compare.png?pair=own&methods={METHOD},masknet&columns=fused"
IDLE_CLIENTS = 1000
FEW_FILES = 200


@dataclass
class Group:
    """Two servers and what they share.

    Attributes
    ----------
    folder : Path
        Of everything.
    paths : tuple of Path
        Files of the pair.
    scheduler, redis_port
        Where they listen.
    servers : list of BenchmarkServer
        Both.
    stack : ExitStack
        Ends all of it.
    """

    folder: Path
    paths: tuple[Path, Path]
    scheduler: str
    redis_port: int
    stack: ExitStack
    servers: list[BenchmarkServer] = field(default_factory=list)

    @property
    def urls(self) -> list[str]:
        return [server.url for server in self.servers]

    def another_worker(self) -> subprocess.Popen[bytes]:
        return self.stack.enter_context(process(self.folder, *worker(self.folder, self.scheduler)))


@pytest.fixture(scope="module")
def group(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Group]:
    folder = tmp_path_factory.mktemp("group")
    paths = write_pair(folder)
    port = free_port()
    with ExitStack() as stack:
        made = Group(folder, paths, f"tcp://127.0.0.1:{port}", free_port(), stack)
        stack.enter_context(scheduler(folder, port))
        settings = {"FUSEVIS_DEVICE": "cpu", "FUSEVIS_DASK_SCHEDULER": made.scheduler}
        settings |= {"FUSEVIS_STORE": f"{folder}/store"}
        settings |= {"FUSEVIS_REDIS_URL": f"redis://127.0.0.1:{made.redis_port}/0"}
        settings |= {f"FUSEVIS_{name}_DIR": f"{folder}/{name}" for name in ("ATLAS", "VIEW", "REGION")}
        for name in ("one", "two"):
            (folder / name).mkdir()
            made.servers.append(stack.enter_context(server_in(folder / name, paths, settings)))
        yield made
    for name in ("one", "two"):
        log = (folder / name / LOG).read_text()
        assert "Traceback" not in log, log


def window(address: str) -> tuple[tuple[int, ...], bytes]:
    """Return where a window lies, and its values; how it was found, which may differ, is left out."""
    content = again(address)
    return WINDOW_HEADER.unpack(content[: WINDOW_HEADER.size])[:6], content[WINDOW_HEADER.size :]


def images(url: str, group: Group) -> np.ndarray:
    weights = fusion.load_method(METHOD, "cpu").weights_id
    content = answered(f"{url}images/{fusion.load_pair(*group.paths).id}/{METHOD}/{weights}/guidance")
    return np.frombuffer(content[32:], dtype="<f4").reshape(2, *SHAPE)


def test_what_is_killed_in_the_midst_costs_nothing(group: Group) -> None:
    pair, method = fusion.load_pair(*group.paths), fusion.load_method(METHOD, "cpu")
    units = GuidanceUnits(method, pair, ChunkStore(group.folder / "store"))
    with redis(group.folder, group.redis_port):
        doomed = group.another_worker()
        pages = [
            OtherPage(url, "own", METHOD, f"viewer{number}-page") for number, url in enumerate(group.urls)
        ]
        for page in pages:
            page.begin_guidance()

        def complete() -> bool:
            return True not in [page.follow_guidance() for page in pages]

        # What nobody follows is stopped.
        wait_for(lambda: complete() or len(units.done()) > 3, "some units")
        kill(doomed)
        doomed = group.another_worker()
        wait_for(complete, "guidance images")
        first, second = (images(url, group) for url in group.urls)
        np.testing.assert_array_equal(first, second)
        np.testing.assert_array_equal(first, fusion.guidance(method, pair))

        folder = atlas_folder(group.folder / "ATLAS", method, pair)
        pages[1].begin_atlas()
        wait_for(lambda: not pages[1].follow_atlas() or any(folder.glob("scales/c.*")), "a tile")
        kill(doomed)
        group.another_worker()
        wait_for(lambda: not pages[1].follow_atlas(), "the atlas")
        assert Atlas(folder, method, pair).complete
        hovers = [hover_of(url, group.paths, METHOD) for url in group.urls]
        for look in range(20):
            one, other = (window(f"{hover}/{look}/{look}") for hover in hovers)
            assert one == other


def test_both_answer_alike_without_redis_too(group: Group) -> None:
    hovers = [hover_of(url, group.paths, METHOD) for url in group.urls]
    fresh = iter([(row, col) for row in range(20, SHAPE[0]) for col in range(SHAPE[1])])

    def alike(times: int) -> bool:
        for row, col in (next(fresh) for _ in range(times)):
            one, other = (window(f"{hover}/{row}/{col}") for hover in hovers)
            assert one == other
        return True

    def problems() -> list[str]:
        alike(1)
        return [one for url in group.urls for one in json.loads(answered(f"{url}readyz"))["problems"]]

    with redis(group.folder, group.redis_port) as server:
        wait_for(lambda: not any("Redis" in one for one in problems()), "Redis")
        saved = json.loads(answered(f"{group.urls[0]}views", VIEW))
        assert json.loads(answered(f"{group.urls[1]}views")) == {"views": [saved]}
        with ThreadPoolExecutor(1) as thread:
            walking = thread.submit(alike, 60)
            kill(server)
            assert walking.result()
        wait_for(lambda: sum("Redis" in one for one in problems()) == 2, "both say so")
    with redis(group.folder, group.redis_port):
        wait_for(lambda: not any("Redis" in one for one in problems()), "Redis is back")


def test_an_export_in_the_midst_of_which_the_server_is_killed_is_made_again(group: Group) -> None:
    other, doomed = group.servers
    right = again(f"{other.url}{EXPORT}")
    assert right.startswith(b"\x89PNG")
    before = worker_of(doomed.process_id)
    with ThreadPoolExecutor(1) as thread:
        asked = thread.submit(again, f"{doomed.url}{EXPORT}")
        wait_for(lambda: asked.done() or exports_under_way(doomed.url), "the export")
        os.kill(before, signal.SIGKILL)
        found = asked.result()
    assert np.array_equal(np.frombuffer(found[:24], np.uint8), np.frombuffer(right[:24], np.uint8)), (
        "its size"
    )
    wait_for(lambda: answers(doomed.url), "the next worker")
    assert worker_of(doomed.process_id) != before


def exports_under_way(url: str) -> bool:
    lines = answered(f"{url}metrics").decode().splitlines()
    return any('queue="slow"' in line and float(line.split()[-1]) > 0 for line in lines)


def answers(url: str) -> bool:
    with contextlib.suppress(OSError):
        return b"true" in answered(f"{url}readyz")
    return False


def test_a_thousand_idle_connections_and_few_descriptors_stop_nobody(tmp_path: Path) -> None:
    paths = write_pair(tmp_path)
    command = ("sh", "-c", f'ulimit -n {FEW_FILES}; exec "$0" "$@"', sys.executable, "-m", "app")
    with server_in(tmp_path, paths, ALONE, command) as server, ExitStack() as stack:
        hover = hover_of(server.url, paths)
        worker_id = worker_of(server.process_id)
        right = answered(f"{hover}/7/8")
        address = ("127.0.0.1", int(server.url.rstrip("/").rsplit(":", 1)[1]))
        for number in range(IDLE_CLIENTS):
            stack.enter_context(socket.create_connection(address, timeout=WAIT_S))
            if number % 100 == 0:
                assert answered(f"{hover}/7/8") == right
        assert answered(f"{hover}/7/8") == right
        assert worker_of(server.process_id) == worker_id
    assert "Traceback" not in (tmp_path / LOG).read_text()


def walk(page: Page, start: float) -> None:
    """Move the pointer over the fused image, a little."""
    box = page.locator("#panel-fused .nsewdrag").first.bounding_box()
    assert box is not None
    for step in range(20):
        page.mouse.move(box["x"] + box["width"] * (start + step / 50), box["y"] + box["height"] * start)
        page.wait_for_timeout(30)


def test_a_page_goes_on_by_itself_when_its_server_was_killed(tmp_path: Path) -> None:
    paths = write_pair(tmp_path)
    with server_in(tmp_path, paths, ALONE) as server, chromium() as browser:
        page = browser.new_page()
        page.set_default_timeout(1000 * WAIT_S)
        page.goto(f"{server.url}?pair=own&method={METHOD}")
        page.wait_for_function(
            "() => document.querySelector('#guidance-status')?.textContent.includes('Guidance complete')"
        )
        page.evaluate("() => { window.opened = true; }")
        with page.expect_response("**/jacobian/**"):
            walk(page, 0.2)
        killed = threading.Thread(target=os.kill, args=(worker_of(server.process_id), signal.SIGKILL))
        killed.start()
        walk(page, 0.4)
        killed.join()
        answered_at: list[float] = []
        page.on(
            "response",
            lambda answer: answered_at.append(time.monotonic()) if "/jacobian/" in answer.url else None,
        )
        wait_for(lambda: answers(server.url), "the next worker")
        end = time.monotonic() + WAIT_S
        while not answered_at:
            assert time.monotonic() < end, "no hover is answered any more"
            walk(page, 0.1 + 0.5 * np.random.default_rng().random())
        assert page.evaluate("() => window.opened"), "the page was not loaded anew"

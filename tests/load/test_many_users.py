"""Many users at once: everybody gets the right answer, and nobody an error but where far too many ask at once."""

from __future__ import annotations

import random
import threading
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

import fusion
from app.routes.binary import WINDOW_HEADER as HEADER
from cache.services.windows import MOST_AT_ONCE
from tests.running_server import SHAPE, running_server

USERS = 20
MOVES = 10
METHODS = ("funfusean", "deepfuse", "weighted_averaging")
CROWD = MOST_AT_ONCE + 26


def answer(url: str, path: str) -> tuple[tuple[int, ...], np.ndarray]:
    """Ask for a window, and return its header and its values (2, h, w)."""
    with urllib.request.urlopen(url + path, timeout=60) as response:
        content = response.read()
    header = HEADER.unpack(content[: HEADER.size])
    return header, np.frombuffer(content[HEADER.size :], dtype="<f4").reshape(2, header[4], header[5])


def test_users_hover_at_the_same_time(tmp_path: Path) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    with running_server(tmp_path) as server:
        pair = fusion.load_pair(*server.pair_paths)
        methods = {id: fusion.load_method(id, "cpu") for id in METHODS}

        def hover(user: int) -> list[tuple[str, int, int, tuple[int, ...], np.ndarray]]:
            generator = random.Random(seed + user // 2)  # two users each go the same way
            seen = []
            for _ in range(MOVES):
                id = generator.choice(METHODS)
                row, col = generator.randrange(SHAPE[0]), generator.randrange(SHAPE[1])
                path = f"jacobian/{pair.id}/{id}/{methods[id].weights_id}/{row}/{col}"
                seen.append((id, row, col, *answer(server.url, path)))
            return seen

        with ThreadPoolExecutor(USERS) as users:
            everything = [move for moves in users.map(hover, range(USERS)) for move in moves]
    assert len(everything) == USERS * MOVES
    for id, row, col, header, values in everything:
        expected = fusion.jacobian(methods[id], pair, (row, col))
        assert header[:4] == (row, col, expected.top, expected.left)
        np.testing.assert_allclose(values, expected.values, rtol=1e-3, atol=1e-5)


def test_a_crowd_is_answered_or_told_to_come_again(tmp_path: Path) -> None:
    """As many threads as ask, so that all stand before the device and not before the server."""
    with running_server(tmp_path, {"FUSEVIS_SERVER_THREADS": str(CROWD)}) as server:
        pair = fusion.load_pair(*server.pair_paths)
        path = f"jacobian/{pair.id}/deep_pedestrian/{fusion.load_method('deep_pedestrian', 'cpu').weights_id}"
        start = threading.Barrier(CROWD)
        refusals: list[tuple[str | None, str]] = []

        def ask(user: int) -> int:
            row, col = divmod(user, SHAPE[1])
            start.wait()
            try:
                header, _ = answer(server.url, f"{path}/{row}/{col}")
            except urllib.error.HTTPError as error:
                with error:
                    refusals.append((error.headers["Retry-After"], error.read().decode()))
                return error.code
            assert header[:2] == (row, col)
            return 200

        with ThreadPoolExecutor(CROWD) as users:
            codes = list(users.map(ask, range(CROWD)))
        print(f"{codes.count(200)} of {CROWD} were served at once")
        assert codes.count(200) >= MOST_AT_ONCE, "who is let in is served"
        assert codes.count(200) + codes.count(503) == CROWD
        assert all(later == "1" and "ask again in a second" in reason for later, reason in refusals)
        assert answer(server.url, f"{path}/40/50")[0][:2] == (40, 50), "afterwards all is as before"

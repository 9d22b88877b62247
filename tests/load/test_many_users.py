"""Several users at once: everybody gets the right answer, and nobody an error."""

from __future__ import annotations

import random
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

import fusion
from app.routes import HEADER
from tests.running_server import SHAPE, running_server

USERS = 8
MOVES = 10
METHODS = ("funfusean", "deepfuse", "weighted_averaging")


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

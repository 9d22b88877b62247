"""The compare page's windows come from atlases where there are some, and are else computed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import fusion
from app.routes.binary import COUNT
from app.routes.binary import WINDOW_HEADER as HEADER
from cache.errors import UserError
from cache.services.services import Services
from fusion.saliency.atlas import Atlas, atlas_folder
from fusion.saliency.window import PATHS
from tests.unit.page_services import client_of, load, make_services, write_pair

WITH_ATLAS, WITHOUT = "small", "weighted_averaging"


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    made = make_services(tmp_path, [write_pair(tmp_path)])
    yield made
    made.close()


def test_each_window_says_that_it_is_from_an_atlas(services: Services, tmp_path: Path) -> None:
    scenes = [services.scenes.open("3", id) for id in (WITH_ATLAS, WITHOUT)]
    pair, method = services.scenes.pair(scenes[0]), load(WITH_ATLAS, "cpu")
    Atlas(atlas_folder(tmp_path / "atlas", method, pair), method, pair).fill(method, pair)
    chosen = ",".join(f"{scene.method_id}:{scene.weights_id}" for scene in scenes)
    answer = client_of(services).get(f"/jacobians/{pair.id}/4/6?methods={chosen}")
    assert answer.status_code == 200
    (count,), at = COUNT.unpack_from(answer.data), COUNT.size
    found = []
    for _ in range(count):
        *_, height, width, _, path = HEADER.unpack_from(answer.data, at)
        at += HEADER.size
        values = np.frombuffer(answer.data, "<f4", 2 * height * width, at)
        at += values.nbytes
        found.append((PATHS[path], values.reshape(2, height, width)))
    assert [path for path, _ in found] == ["atlas", "chain"]
    expected = fusion.jacobian(method, pair, (4, 6)).values
    assert np.abs(found[0][1] - expected).max() <= 2**-11 * np.abs(expected).max() * (1 + 1e-5)


def test_who_asks_too_much_at_once_is_told_to_come_again(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Later(UserError):
        retry_after_s = 1

    def refuse(*address: object) -> None:
        raise Later("Too many ask.")

    monkeypatch.setattr(services.windows, "at", refuse)
    answer = client_of(services).get("/jacobians/a/4/6?methods=small:b")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")

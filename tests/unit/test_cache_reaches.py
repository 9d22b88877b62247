"""Reaches of principal pixels as the page asks for them."""

from __future__ import annotations

import threading

import pytest

import fusion
from cache.errors import TooBusyError
from cache.jobs import threads as thread_module
from cache.services.scenes import Scene
from cache.services.services import Services
from fusion import Method, Reach
from fusion.errors import PixelOutsideImageError


def address(scene: Scene, row: int, col: int) -> tuple[str, str, str, int, int]:
    return scene.pair_id, scene.method_id, scene.weights_id, row, col


def test_a_reach_is_what_python_returns(services: Services, scene: Scene, small: Method) -> None:
    for row, col in ((0, 0), (11, 17)):
        expected = fusion.reach_of_linearity(small, services.scenes.pair(scene), (row, col))
        assert services.reaches.at(*address(scene, row, col)) == expected


def test_a_reach_is_computed_once(services: Services, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []

    def computed(method: Method, pair: fusion.Pair, pixel: tuple[int, int]) -> Reach:
        asked.append(pixel)
        return Reach((1, 2), (4, 8))

    monkeypatch.setattr(fusion, "reach_of_linearity", computed)
    for _ in range(2):
        assert services.reaches.at(*address(scene, 3, 4)) == Reach((1, 2), (4, 8))
    assert asked == [(3, 4)]
    with pytest.raises(PixelOutsideImageError):
        services.reaches.at(*address(scene, 3, 400))


def test_more_than_a_few_at_once_are_refused(
    services: Services, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Semaphore(0), threading.Event()

    def slow(method: Method, pair: fusion.Pair, pixel: tuple[int, int]) -> Reach:
        begun.release()
        go_on.wait(60)
        return Reach((0, 0), (0, 0))

    monkeypatch.setattr(fusion, "reach_of_linearity", slow)
    monkeypatch.setattr(thread_module, "LONGEST_WAIT_S", 0.01)
    threads = [
        threading.Thread(target=services.reaches.at, args=address(scene, 1, col))
        for col in range(thread_module.SHORT_AT_ONCE)
    ]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert begun.acquire(timeout=60)
    with pytest.raises(TooBusyError):
        services.reaches.at(*address(scene, 2, 2))
    go_on.set()
    for thread in threads:
        thread.join(60)
    assert services.reaches.at(*address(scene, 2, 2)) == Reach((0, 0), (0, 0))

"""What the C library is asked to keep of freed memory."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from fusion import device


def test_a_server_asks_for_few_arenas_and_for_large_blocks_of_their_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: dict[int, int] = {}
    monkeypatch.setattr(device, "_c_library", lambda: SimpleNamespace(mallopt=asked.__setitem__))
    device.keep_little()
    # As malloc.h of the GNU C library has them: M_ARENA_MAX and M_MMAP_THRESHOLD.
    assert asked == {-8: 2, -3: 2 * 2**20}


@pytest.mark.parametrize("library", [None, SimpleNamespace()])
def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch, library: object) -> None:
    monkeypatch.setattr(device, "_c_library", lambda: library)
    device.keep_little()

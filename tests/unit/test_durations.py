"""Durations in words, as the pages' scripts have them too (`tests/js/job-words.test.mjs`)."""

from __future__ import annotations

import pytest

from fusion.durations import spoken


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "1 s"),
        (89.4, "89 s"),
        (90, "2 min"),
        (5399, "90 min"),
        (5400, "2 h"),
        (104_400, "29 h"),
        (172_800, "2 days"),
    ],
)
def test_a_time_is_said_in_its_largest_unit(seconds: float, words: str) -> None:
    assert spoken(seconds) == words

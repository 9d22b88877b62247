"""A group leans on one server for ten minutes: nobody meets an error, and its memory stays within bounds."""

from __future__ import annotations

from pathlib import Path

from benchmarks import limits
from benchmarks.group import group_figures, growth_of, leaned_on


def test_a_group_meets_no_error_and_memory_stays(tmp_path: Path) -> None:
    diary, taken = leaned_on(tmp_path, limits.GROUP, limits.GROUP_MINUTES * 60, seed=0)
    for figure in group_figures(diary, taken, is_standard=True):
        print(f"{figure.name}: {figure.measured}")
    assert diary.errors == []
    assert taken[-1].resident / 1e6 <= limits.GROUP_MEMORY.bound
    assert growth_of(taken) <= limits.GROUP_GROWTH.bound
    assert taken[-1].descriptors <= 2 * taken[0].descriptors + limits.GROUP

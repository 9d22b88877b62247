"""All measurements together: each is run, and one summary tells what was missed or failed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from benchmarks import __main__ as together
from fusion.benchmark.figures import Figure, finish, recorded
from fusion.benchmark.limits import at_most

MAKEFILE = Path(__file__).parents[2] / "Makefile"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str, list[list[str]]]]:
    """Run the program; instead of each part, a figure of the given value is recorded and a code returned."""

    def program(*arguments: str, value: float = 1, code: int = 0) -> tuple[int, str, list[list[str]]]:
        started: list[list[str]] = []

        def instead(command: list[str], check: bool) -> Any:
            started.append(command[2:])
            record = Path(command[command.index("--record") + 1])
            finish(f"part {len(started)}", [Figure.beside("time", value, "s", at_most(2))], record=record)
            return SimpleNamespace(returncode=code)

        monkeypatch.setattr(together.subprocess, "run", instead)
        result = CliRunner().invoke(together.app, list(arguments))
        return result.exit_code, result.output, started

    return program


def test_each_part_is_run_and_summed_up(run: Any) -> None:
    code, output, started = run()
    assert code == 0
    assert [command[0] for command in started] == [part.module for part in together.PARTS]
    assert f"Limits: {len(together.PARTS)} of {len(together.PARTS)} figures keep to theirs." in output


def test_what_is_missed_is_named_and_fails_where_asked(run: Any) -> None:
    code, output, _ = run("--only", "users", value=3)
    assert code == 0
    assert "MISSED part 1: time: 3 s, must be ≤ 2 s" in output
    assert run("--only", "users", "--strict", value=3)[0] == 3


def test_a_part_that_fails_stops_no_other(run: Any) -> None:
    code, output, started = run("--only", "users", "--only", "growth", "--strict", value=3, code=1)
    assert code == 1
    assert len(started) == 2
    assert "FAILED: users, growth" in output


def test_other_options_go_to_the_numerics(run: Any) -> None:
    _, _, started = run("--pixels", "5", "--only", "numerics", "--only", "hover")
    assert "--pixels" in started[0] and "5" in started[0]
    assert "--pixels" not in started[1]


def test_figures_can_be_kept(run: Any, tmp_path: Path) -> None:
    record = tmp_path / "all.jsonl"
    run("--only", "users", "--only", "growth", "--record", str(record))
    run("--only", "users", "--record", str(record))
    assert [part for part, _ in recorded(record)] == ["part 1", "part 2", "part 1"]
    assert json.loads(record.read_text().splitlines()[0])["bound"] == 2


def test_an_unknown_part_is_refused(run: Any) -> None:
    code, output, started = run("--only", "nothing")
    assert (code, started) == (2, [])
    assert "There is no part nothing" in output


def test_every_part_has_a_make_target_with_the_same_command() -> None:
    rules = MAKEFILE.read_text(encoding="utf-8")
    for part in together.PARTS:
        command = " ".join(("-m", part.module, *part.arguments, "$(ARGS)"))
        assert f"\nbench-{part.name}: " in rules
        assert command in rules

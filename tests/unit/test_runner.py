"""How tests are run: parts that do not stop each other, one repeat in the browser, one closing line."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import typer

from tests import __main__ as runner
from tests.__main__ import ONE_REPEAT, Part, counted, node_part, parts, pytest_part, run, summary

# Tests that fail the first time, in each of two processes with two of them.
FLAKY = """
import pathlib, pytest

@pytest.mark.parametrize("number", range({flaky}))
def test_flaky(number):
    seen = pathlib.Path(__file__).with_name(f"seen {{number}}")
    first = not seen.exists()
    seen.touch()
    assert not first, "the first time it fails"

@pytest.mark.parametrize("number", range(4))
def test_sound(number):
    pass
"""
PLAIN = ("-c", "/dev/null", "--disable-plugin-autoload", "-p", "xdist", "-p", "rerunfailures")
"""Neither this project's settings nor plugins that take long to load."""
SCRIPT = """
import test from "node:test";
import assert from "node:assert";
test("equal", () => assert.equal(1, 1));
test("unequal", { skip: %s }, () => assert.equal(1, 2));
"""


def run_flaky(folder: Path, flaky: int) -> tuple[int, str, Counter[str]]:
    """Run tests of which some fail once, as browser tests are run; return exit code, output and counts."""
    (folder / "test_made_up.py").write_text(FLAKY.format(flaky=flaky), encoding="utf-8")
    report = folder / "report.xml"
    options = ["-n", "2", *ONE_REPEAT, f"--junitxml={report}", *PLAIN, f"--rootdir={folder}"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(folder)], cwd=folder, capture_output=True, text=True
    )
    return done.returncode, done.stdout, counted(report)


def test_one_repeat_is_named_and_forgiven(tmp_path: Path) -> None:
    code, output, counts = run_flaky(tmp_path, 1)
    assert code == 0, output
    assert counts == {"passed": 5}
    end = output[output.index("rerun test summary info") :]
    assert "RERUN test_made_up.py::test_flaky[0]" in end
    assert "the first time it fails" in end


def test_more_than_one_repeat_fails(tmp_path: Path) -> None:
    code, output, counts = run_flaky(tmp_path, 3)
    assert code == 1, output
    assert counts == {"passed": 5, "failed": 2}
    assert output.count("\nRERUN ") == 1
    assert output.count("\nFAILED ") >= 2


def test_a_part_that_fails_stops_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    results = tmp_path / "results"
    monkeypatch.setattr(runner, "ROOT", tmp_path)
    monkeypatch.setattr(runner, "RESULTS", results)
    made_up = tmp_path / "test_made_up.py"
    made_up.write_text("def test_good(): pass\ndef test_bad(): assert False\n", encoding="utf-8")
    chosen = [
        Part("lint", (sys.executable, "-c", "print('untidy'); raise SystemExit(1)")),
        pytest_part("unit", *PLAIN, str(made_up)),
        pytest_part("browser", *PLAIN, "-k", "good", str(made_up)),
    ]
    monkeypatch.setattr(runner, "parts", lambda arguments: chosen)
    with pytest.raises(typer.Exit) as ended:
        runner.main()
    assert ended.value.exit_code == 1
    said = capfd.readouterr().out
    assert said.endswith("Total: 2 passed, 2 failed, 0 skipped\n")
    assert (results / "lint.txt").read_text() == "untidy\n"
    assert "1 failed, 1 passed" in (results / "unit.txt").read_text()
    assert "1 passed" in (results / "browser.txt").read_text()


def test_tests_of_javascript_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "ROOT", tmp_path)
    monkeypatch.setattr(runner, "RESULTS", tmp_path)
    for skip, expected in (("false", {"passed": 1, "failed": 1}), ("true", {"passed": 1, "skipped": 1})):
        script = tmp_path / "made_up.test.mjs"
        script.write_text(SCRIPT % skip, encoding="utf-8")
        assert run(node_part("js", str(script))) == expected
        assert runner.alone(str(script), []) == ("failed" in expected)


def test_the_parts_are_all_tests_but_those_with_a_target_of_their_own() -> None:
    names = [part.name for part in parts([])]
    assert names[:2] == ["lint", "unit"] and names[-1] == "browser"
    assert not [part for part in parts([]) if "tests/load" in " ".join(part.command)]
    assert parts(["-k", "pair"])[1].command[-2:] == ("-k", "pair")


def test_the_closing_line() -> None:
    assert summary(Counter(passed=3, skipped=1)) == "Total: 3 passed, 0 failed, 1 skipped"

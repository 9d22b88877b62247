"""All tests in parts, or one file of them.

``python -m tests`` runs lint, the unit tests and those in the browser, each part whatever became of the one before,
keeps what it printed in ``test-results`` and closes with one line of all counts. ``python -m tests --alone FILE``
runs a single file.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from xml.etree import ElementTree

import typer

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "test-results"
NODE = Path(sys.executable).with_name("node")
"""A package of Python's brings it; it has a runner of tests of its own."""
PYTEST = (sys.executable, "-m", "pytest")
BY_FILE = ("-n", "2", "--dist", "loadfile")
"""Tests of a file run one after another, because they share pages."""
ONE_REPEAT = ("--reruns", "1", "--max-suite-reruns", "1", "--rerun-show-tracebacks")
"""A test that fails in the browser is repeated on the spot, beside the other browser. It is named at the end, and
one in a run is all: a second test that fails has failed."""


@dataclass(frozen=True)
class Part:
    """A command that runs tests.

    Attributes
    ----------
    name : str
        Of its files in ``test-results``.
    command : tuple of str
        Ends with 0 where all is well.
    """

    name: str
    command: tuple[str, ...]

    @property
    def report(self) -> Path:
        """Return the file with the outcome of each test (JUnit's XML); lint writes none."""
        return RESULTS / f"{self.name}.xml"


def pytest_part(name: str, *arguments: str) -> Part:
    """Return a part that pytest runs."""
    return Part(name, (*PYTEST, f"--junitxml={RESULTS / name}.xml", *arguments))


def node_part(name: str, *files: str) -> Part:
    """Return a part that Node runs."""
    outputs = {"spec": "stdout", "junit": f"{RESULTS / name}.xml"}
    reporters = [
        f"--test-reporter{option}={value}"
        for reporter, output in outputs.items()
        for option, value in (("", reporter), ("-destination", output))
    ]
    return Part(name, (str(NODE), "--test", *reporters, *files))


def parts(arguments: list[str]) -> list[Part]:
    """Return what is run: lint and pytest with these arguments, or all parts where there are none."""
    found = [Part("lint", ("make", "--no-print-directory", "-j2", "lint"))]
    if arguments:
        return [*found, pytest_part("chosen", *arguments)]
    found.append(pytest_part("unit", "-n", "auto", "--maxprocesses", "4", "tests/unit"))
    if scripts := sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("tests/js/*.test.mjs")):
        found.append(node_part("js", *scripts))
    return [*found, pytest_part("browser", *BY_FILE, *ONE_REPEAT, "tests/browser")]


def environment() -> dict[str, str]:
    """Return the environment of tests.

    One thread of torch, since in many small computations threads only wait; and byte code that is kept, as the house is
    imported by two hundred processes.
    """
    return os.environ | {"OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": ""}


def run(part: Part) -> Counter[str]:
    """Run a part, show and keep what it prints, and return how many tests passed, failed and were skipped."""
    started = time.monotonic()
    output = RESULTS / f"{part.name}.txt"
    with (
        output.open("wb") as kept,
        subprocess.Popen(
            part.command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        ) as process,
    ):
        assert process.stdout is not None
        while chunk := os.read(process.stdout.fileno(), 2**16):
            sys.stdout.buffer.write(chunk)
            sys.stdout.buffer.flush()
            kept.write(chunk)
    counts = counted(part.report) if part.report.exists() else Counter()
    if process.returncode and not counts["failed"]:
        counts["failed"] = 1
    ended = "has failed" if counts["failed"] else "is well"
    typer.echo(f"{part.name} {ended} after {time.monotonic() - started:.0f} s; {output.relative_to(ROOT)}\n")
    return counts


def counted(report: Path) -> Counter[str]:
    """Return how many tests of a report passed, failed and were skipped; of a repeated one, the last try counts."""
    outcomes = {}
    for case in ElementTree.parse(report).iter("testcase"):
        kinds = {child.tag for child in case}
        outcome = "failed" if kinds & {"failure", "error"} else "skipped" if "skipped" in kinds else "passed"
        outcomes[case.get("file"), case.get("classname"), case.get("name")] = outcome
    return Counter(outcomes.values())


def summary(counts: Counter[str]) -> str:
    """Return the closing line."""
    return f"Total: {counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped"


def alone(file: str, arguments: list[str]) -> int:
    """Run one file of tests, without lint; return the exit code."""
    runner = [str(NODE), "--test"] if file.endswith(".mjs") else [*PYTEST, "--quiet"]
    return subprocess.run([*runner, *arguments, file], cwd=ROOT, env=environment()).returncode


def main(
    arguments: Annotated[list[str] | None, typer.Argument(help="For pytest.")] = None,
    alone_file: Annotated[str | None, typer.Option("--alone", help="Run only this file, no lint.")] = None,
) -> None:
    """Run tests."""
    if alone_file is not None:
        raise typer.Exit(alone(alone_file, arguments or []))
    shutil.rmtree(RESULTS, ignore_errors=True)
    RESULTS.mkdir()
    counts: Counter[str] = Counter()
    for part in parts(arguments or []):
        counts += run(part)
    typer.echo(summary(counts))
    raise typer.Exit(int(counts["failed"] > 0))


if __name__ == "__main__":
    command = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    command.command(context_settings={"ignore_unknown_options": True})(main)
    command()

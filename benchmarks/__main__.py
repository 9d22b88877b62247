"""All measurements one after another, with one summary at the end: ``make bench`` or ``python -m benchmarks``."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from fusion.benchmark.figures import (
    MISSED_EXIT,
    Figure,
    RecordOption,
    StrictOption,
    console,
    figures_table,
    recorded,
    summary,
)


@dataclass(frozen=True)
class Part:
    """One measurement, run in a process of its own.

    Attributes
    ----------
    name : str
        Its make target is this after ``bench-``.
    module : str
        What Python runs.
    arguments : tuple of str
        With what.
    """

    name: str
    module: str
    arguments: tuple[str, ...] = ()


PARTS = (
    Part("numerics", "benchmarks.jacobian_guidance"),
    Part("users", "benchmarks.users"),
    Part("group", "benchmarks.group"),
    Part("large", "benchmarks.large"),
    Part("hover", "benchmarks.hovering"),
    Part("atlas", "benchmarks.hovering", ("--atlas",)),
    Part("compare", "benchmarks.comparing"),
    Part("compare-atlas", "benchmarks.comparing", ("--atlas",)),
    Part("brush", "benchmarks.painting"),
    Part("page", "benchmarks.first_view"),
    Part("background", "benchmarks.background"),
    Part("memory", "benchmarks.memory"),
    Part("growth", "benchmarks.growth"),
    Part("sizes", "benchmarks.atlas_sizes"),
)
NUMERICS = PARTS[0].name

app = typer.Typer(add_completion=False)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def main(
    context: typer.Context,
    only: Annotated[
        list[str] | None, typer.Option(help=f"One of {', '.join(part.name for part in PARTS)}; repeatable.")
    ] = None,
    strict: StrictOption = False,
    record: RecordOption = None,
) -> None:
    """Measure everything, one to two hours on two CPU cores, and sum up what missed its limit.

    Exit code 1 if a part failed or found a wrong result; the others are run all the same. Options that are not listed
    here go to the part numerics (see make bench-numerics ARGS=--help).
    """
    chosen = [part for part in PARTS if only is None or part.name in only]
    unknown = sorted(set(only or ()) - {part.name for part in chosen})
    if unknown:
        raise typer.BadParameter(
            f"There is no part {', '.join(unknown)}. There are: {', '.join(part.name for part in PARTS)}."
        )
    with tempfile.TemporaryDirectory(prefix="fusevis_benchmark_") as folder:
        file = Path(folder) / "figures.jsonl"
        failed = [part.name for part in chosen if run(part, file, context.args) != 0]
        if record is not None and file.exists():
            with record.open("a", encoding="utf-8") as kept:
                kept.write(file.read_text(encoding="utf-8"))
        figures = [named(part, one) for part, one in recorded(file)]
    missed = [one for one in figures if not one.reached]
    console.rule("Summary")
    console.print(figures_table("All figures", figures))
    console.print(summary(figures), style="bold red" if missed else None)
    if failed:
        console.print(f"FAILED: {', '.join(failed)}", style="bold red")
        raise typer.Exit(1)
    if strict and missed:
        raise typer.Exit(MISSED_EXIT)


def run(part: Part, record: Path, more: list[str]) -> int:
    """Run a part, its figures into a file; return its exit code."""
    console.rule(part.name)
    arguments = [*part.arguments, *(more if part.name == NUMERICS else ()), "--record", str(record)]
    return subprocess.run([sys.executable, "-m", part.module, *arguments], check=False).returncode


def named(part: str, figure: Figure) -> Figure:
    """Return a figure with its part before its name."""
    return replace(figure, name=f"{part}: {figure.name}")


if __name__ == "__main__":
    app(prog_name="python -m benchmarks")

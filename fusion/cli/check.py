"""The command that tests a network by its saliency, for whoever builds one and whatever runs their tests."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from fusion.checking.checks import Check, run_checks, store_golden
from fusion.checking.report import checks_page, junit_xml, write_text
from fusion.checking.rules import Rules, read_rules
from fusion.cli.options import DeviceOption, console, name_files, progress_bar
from fusion.cli.validate import FoldersOption
from fusion.data.catalogue import Catalogue
from fusion.methods.registry import load_method
from fusion.pair import Pair, load_pair
from fusion.training.folders import match_files

FAILED = 1

MethodArgument = Annotated[
    str,
    typer.Argument(metavar="METHOD", help="The id of a method, or a folder with one.", show_default=False),
]
RulesOption = Annotated[
    Path | None, typer.Option("--rules", metavar="FILE.toml", help="What is asked.", show_default=False)
]
GoldenOption = Annotated[
    Path | None,
    typer.Option(metavar="FOLDER", help="Guidance stored before, a file a pair.", show_default=False),
]
WriteOption = Annotated[
    bool, typer.Option("--write-golden", help="Store the guidance that is computed now in --golden.")
]
JunitOption = Annotated[
    Path | None, typer.Option(metavar="FILE.xml", help="Write the outcome as JUnit XML.", show_default=False)
]
ReportOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE.html", help="Write a page with pictures, for people.", show_default=False),
]
SamplesOption = Annotated[
    list[str] | None,
    typer.Option("--sample", "-s", metavar="SLUG", help="A pair that ships; repeatable.", show_default=False),
]


def check_command(
    method: MethodArgument,
    folders: FoldersOption = None,
    sample: SamplesOption = None,
    rules: RulesOption = None,
    golden: GoldenOption = None,
    write_golden: WriteOption = False,
    junit: JunitOption = None,
    report: ReportOption = None,
    device: DeviceOption = "auto",
) -> None:
    """Hold a network against rules on pairs of images: support, air, AND gate, linearity, regions, stored guidance.

    Ends with 0 where all rules are kept, with 1 where one is not, and with 2 where the check could not be made.
    docs/bring-your-own.md has a file of rules and a workflow of GitHub's.
    """
    if (folders is None) == (not sample):
        raise typer.BadParameter("Give either --pairs FOLDER_A FOLDER_B or --sample SLUG.")
    if write_golden and golden is None:
        raise typer.BadParameter("Say where it is to be stored: --golden FOLDER.")
    if rules is None and not write_golden:
        raise typer.BadParameter("Say what is asked: --rules FILE.toml.")
    asked = Rules() if rules is None else read_rules(rules)
    pairs = _pairs(sample or [], folders)
    loaded = load_method(method, device)
    with progress_bar(loaded.title) as show:
        checks, pictures = run_checks(loaded, pairs, Rules() if write_golden else asked, golden, show)
    if write_golden and golden is not None:
        name_files(store_golden(golden, pictures))
        return
    if junit is not None:
        write_text(junit, junit_xml(loaded, checks))
    if report is not None:
        write_text(report, checks_page(loaded, checks, pictures))
    _tell(checks)
    name_files(path for path in (junit, report) if path is not None)
    if not all(check.passed for check in checks):
        raise typer.Exit(FAILED)


def _pairs(samples: list[str], folders: tuple[Path, Path] | None) -> dict[str, Pair]:
    if folders is not None:
        return {files.first.stem: load_pair(files.first, files.second) for files in match_files(*folders)}
    catalogue = Catalogue()
    return {slug: catalogue.load(catalogue.find(slug)) for slug in samples}


def _tell(checks: list[Check]) -> None:
    table = Table("rule", "pair", "kept", "figure; rule")
    for check in checks:
        table.add_row(check.name, check.pair, "yes" if check.passed else "[red]no[/red]", check.said)
    console.print(table)

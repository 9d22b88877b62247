"""The paper's requirements as tables that the command `compare` prints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.table import Table
from rich.text import Text

from fusion.cli.table_layout import new_table, numbers, whole_words, words
from fusion.statistics.comparison import MethodComparison
from fusion.statistics.verdicts import Verdict
from fusion.statistics.wording import measured

SENTENCE_WIDTH = 24
"""Sentences are broken into lines of so many signs at least."""

_COLOURS = {Verdict.PASS: "green", Verdict.FAIL: "red", Verdict.UNDECIDABLE: "yellow"}


def checklist_tables(comparisons: Sequence[MethodComparison]) -> Iterator[Table]:
    """Make a table for each requirement, with a line for each method."""
    for number, requirement in enumerate(comparisons[0].requirements):
        table = new_table(
            f"The paper's requirement {requirement.number}: {requirement.title}",
            f"Rule: {requirement.rule}.",
            words("method", longest_name(comparisons)),
            numbers("number"),
            whole_words("verdict"),
            words("in words", SENTENCE_WIDTH),
        )
        for comparison in comparisons:
            judged = comparison.requirements[number]
            table.add_row(
                comparison.method_id,
                "\n".join(measured(part) for part in judged.measures),
                Text(judged.verdict.value, style=_COLOURS[judged.verdict]),
                judged.sentence,
            )
        yield table


def longest_name(comparisons: Sequence[MethodComparison]) -> int:
    """Return the length of the longest name of a method, which no table breaks."""
    return max(len(comparison.method_id) for comparison in comparisons)

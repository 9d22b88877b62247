"""The numbers of a view for files that leave the page: what is known, and in words what is not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cache.services.export_view import FOLLOWER, ExportView, NotReady
from cache.services.number_tables import number_tables, numbers_csv
from cache.services.statistics import Statistics
from fusion.statistics.regions import Region


@dataclass(frozen=True)
class ExportNumbers:
    """The numbers of a view.

    Attributes
    ----------
    tables : dict
        As `cache.services.number_tables.number_tables` returns them.
    csv : str
        The same as a CSV file, with all digits.
    missing : tuple of str
        Methods with the regions whose influence is not known.
    errors : tuple of str
        Why some of it cannot be computed.
    """

    tables: dict[str, Any]
    csv: str
    missing: tuple[str, ...]
    errors: tuple[str, ...]


class NumbersSource:
    """Collects the numbers of a view, those that the page shows below its table.

    Parameters
    ----------
    statistics : Statistics
        What has the numbers.
    """

    def __init__(self, statistics: Statistics) -> None:
        self._statistics = statistics

    def numbers(self, view: ExportView, own: Sequence[str], complete: bool) -> ExportNumbers:
        """Return the numbers.

        Parameters
        ----------
        view : ExportView
            Methods, pixels and regions.
        own : sequence of str
            The names of those regions that the link brought.
        complete : bool
            Whether to compute what is not known yet; else it is named.

        Raises
        ------
        NotReady
            If something is being computed for a file that shall be complete.
        """
        scenes = [one.scene for one in view.methods]
        regions = self._statistics.regions(scenes[0], [Region(name, view.regions[name]) for name in own])
        # Errors of earlier tries are told even where nothing is started.
        progress = self._statistics.influence.follow(scenes, regions, FOLLOWER, start=complete)
        numbers = [self._statistics.numbers(scene, regions, list(view.pixels.values())) for scene in scenes]
        missing = {}
        for one in numbers:
            known = {found.region for found in one.comparison.region_influence}
            names = [region.name for region in regions if region.name not in known]
            if names:
                missing[one.scene.method_title] = names
        if complete and sum(map(len, missing.values())) > len(progress.errors):
            raise NotReady(
                f"The influence on regions is being computed ({100 * progress.fraction:.0f} %). Ask again in a moment."
            )
        pins = [(name.upper(), pixel) for name, pixel in view.pixels.items()]
        return ExportNumbers(
            number_tables(numbers, pins),
            numbers_csv(numbers),
            tuple(f"{title} ({', '.join(names)})" for title, names in missing.items()),
            progress.errors,
        )

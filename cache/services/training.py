"""Content of the training page, as plain values: the report of `fusion.report` and memoized fused images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cache.services.services import Services
from fusion.data.entries import PairEntry, PairSource
from fusion.pair import load_pair
from fusion.report.document import CURVES_CAPTION, PANELS, network_colours, upper_ends
from fusion.report.fused import picture_address
from fusion.report.table import CAPTION, COLUMNS, lines, shown
from fusion.report.training import (
    BRIGHTNESS_CAPTION,
    BRIGHTNESS_COLUMNS,
    NetworkReport,
    fused_ids,
    training_report,
    without_curve,
)
from fusion.weights import FOLDER

Lines = tuple[str, tuple[tuple[str, tuple[str, ...]], ...]]
"""A network's title, and its lines of a table: what each is, and its cells."""


@dataclass(frozen=True)
class Table:
    """A table as text.

    Attributes
    ----------
    caption : str
        What it shows.
    columns : tuple of str
        Heads of the columns of numbers.
    groups : tuple
        A group of lines for each network, see `Lines`.
    """

    caption: str
    columns: tuple[str, ...]
    groups: tuple[Lines, ...]


@dataclass(frozen=True)
class Curve:
    """A network's loss curve.

    Attributes
    ----------
    title, colour : str
        Of the network.
    sets : mapping
        ``training`` and ``validation``, each with equally long columns: ``percent`` (finished share of the
        run), ``step`` and the losses by name, dimensionless.
    """

    title: str
    colour: str
    sets: Mapping[str, Mapping[str, tuple[float, ...]]]


@dataclass(frozen=True)
class Curves:
    """Loss curves and how to draw them.

    Attributes
    ----------
    curves : tuple of Curve
        Those that were kept.
    panels : tuple of (str, str)
        Name and title of each loss that is drawn.
    ends : mapping
        Where the axis of each loss ends.
    caption, missing : str
        How to read them, and whose curve was not kept.
    """

    curves: tuple[Curve, ...]
    panels: tuple[tuple[str, str], ...]
    ends: Mapping[str, float]
    caption: str
    missing: str


@dataclass(frozen=True)
class Card:
    """A model card: the network, one line of summary, remarks, and all that it says as (name, value)."""

    title: str
    summary: str
    note: str
    remarks: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class TrainingContent:
    """All that the page shows at once."""

    losses: Table
    brightness: Table
    curves: Curves
    cards: tuple[Card, ...]


@dataclass(frozen=True)
class Sample:
    """A pair that ships: its address and title, and what x1 and x2 are."""

    address: str
    title: str
    modalities: tuple[str, str]


def training_content(folder: Path = FOLDER) -> TrainingContent:
    """Read what the trainings in a folder left behind; quick, and always as the files are now."""
    report = training_report(folder)
    networks = report.networks
    losses = tuple((network.title, _lines(network)) for network in networks)
    brightness = tuple((network.title, (("", network.brightness.shown()),)) for network in networks)
    ends = upper_ends(networks)
    curves = Curves(
        curves=_curves(networks),
        panels=PANELS,
        ends={name: ends[name.partition("_")[0]] for name, _ in PANELS},
        caption=CURVES_CAPTION,
        missing=without_curve(report),
    )
    return TrainingContent(
        losses=Table(CAPTION, tuple(column.title for column in COLUMNS), losses),
        brightness=Table(BRIGHTNESS_CAPTION, BRIGHTNESS_COLUMNS, brightness),
        curves=curves,
        cards=tuple(
            Card(network.title, network.summary, network.note, network.remarks, network.facts)
            for network in networks
        ),
    )


def gallery_samples(services: Services) -> tuple[Sample, ...]:
    """Return the samples that ship; simulated ones say so in their titles."""
    return tuple(Sample(entry.address, _title(entry), entry.modalities) for entry in _samples(services))


def gallery_methods(services: Services) -> tuple[tuple[str, str], ...]:
    """Return (id, title) of the methods whose fused images are shown."""
    return tuple((id, title) for id, title in services.scenes.methods() if id in fused_ids())


def input_pictures(services: Services) -> tuple[tuple[str, str], ...]:
    """Return both inputs of every sample as ``data:`` addresses of gray PNG pictures."""
    pairs = (load_pair(*entry.paths) for entry in _samples(services))
    return tuple((picture_address(pair.images[0]), picture_address(pair.images[1])) for pair in pairs)


def fused_pictures(services: Services, method_id: str) -> tuple[str, ...]:
    """Return every sample fused by a method as ``data:`` addresses of gray PNG pictures.

    Fused images come from the store, or are computed and kept there.

    Raises
    ------
    UserError
        If the method has no weights that can be used, or cannot be run.
    """
    return tuple(
        picture_address(services.scenes.fused(services.scenes.open(entry.address, method_id)))
        for entry in _samples(services)
    )


def _samples(services: Services) -> list[PairEntry]:
    return [entry for entry in services.scenes.entries() if entry.source == PairSource.SAMPLE]


def _title(entry: PairEntry) -> str:
    said = not entry.simulated or "simulated" in entry.title.lower()
    return entry.title if said else f"{entry.title} (simulated)"


def _lines(network: NetworkReport) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple((kind, shown(kind, numbers)) for kind, numbers in lines(network.row, network.paper))


def _curves(networks: Sequence[NetworkReport]) -> tuple[Curve, ...]:
    colours = network_colours([network.method_id for network in networks])
    return tuple(
        Curve(
            network.title,
            colours[network.method_id],
            {kind: _columns(network, kind) for kind in ("training", "validation")},
        )
        for network in networks
        if network.curve
    )


def _columns(network: NetworkReport, kind: str) -> dict[str, tuple[float, ...]]:
    points = [point for point in network.curve if point.set == kind]
    return {
        "percent": tuple(100 * point.fraction for point in points),
        "step": tuple(float(point.step) for point in points),
        **{name: tuple(point.losses[name] for point in points) for name, _ in PANELS},
    }

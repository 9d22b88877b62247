"""Options that commands have in common, and how these become a method, a pair and files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from fusion.cli.reading import ReadingOptions
from fusion.colours import Scale
from fusion.data.catalogue import Catalogue
from fusion.data.entries import PairEntry, user_entry
from fusion.data.modalities import SAME_MODALITY, same_modality
from fusion.methods.base import Method
from fusion.methods.registry import load_method
from fusion.output_files import OutputFiles, describe
from fusion.pair import Pair, load_pair

# Everything but results goes to the error stream, so that these can be piped on.
console = Console(stderr=True)


def say(words: str, *, warning: bool = False) -> None:
    """Print a sentence to the error stream, in yellow where it is a warning.

    Lines are left to the terminal to break: a path broken by us could not be searched for or copied. Nothing in the
    words is taken as markup, as folders may be named ``[it]``.
    """
    style = "yellow" if warning else None
    console.print(words, style=style, highlight=False, markup=False, emoji=False, soft_wrap=True)


class Precision(StrEnum):
    """The two precisions of a computation."""

    FLOAT32 = "float32"
    FLOAT64 = "float64"


MriOption = Annotated[Path | None, typer.Argument(metavar="MRI_FILE", help="Image x1.", show_default=False)]
PetOption = Annotated[
    Path | None, typer.Argument(metavar="PET_FILE", help="Image x2, of the same size.", show_default=False)
]
SampleOption = Annotated[
    str | None,
    typer.Option(
        "--sample",
        "-s",
        metavar="SLUG",
        help="One of the pairs that ship, instead of two files; `samples` lists them.",
        show_default=False,
    ),
]
MethodOption = Annotated[
    str, typer.Option("--method", "-m", metavar="ID", help="The fusion method; `methods` lists them.")
]
ModalitiesOption = Annotated[
    tuple[str, str] | None,
    typer.Option(
        "--modalities",
        metavar="X1 X2",
        help="What the two files show, as IR VIS; without this option, their names or folders say so.",
        show_default=False,
    ),
]
OutputOption = Annotated[
    str | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE.npz",
        help="Where the arrays go; pictures are put beside them. Files that exist are replaced. "
        "Without this option, a file in the current folder that is named after pair, method and command.",
        show_default=False,
    ),
]
AirOption = Annotated[
    bool,
    typer.Option(
        "--air",
        help="Count the air too, which is left out of scales, pictures and numbers else: what is outside of the head, "
        "or where both inputs are 0.",
    ),
]
PicturesOption = Annotated[
    bool, typer.Option("--pictures/--no-pictures", help="Whether to write PNG pictures.")
]
PrecisionOption = Annotated[
    Precision, typer.Option("--dtype", help="Precision of the whole computation.", case_sensitive=False)
]
DeviceOption = Annotated[
    str,
    typer.Option("--device", "-d", metavar="NAME", help="auto (a GPU if there is one), cpu, cuda or cuda:n."),
]
ScaleOption = Annotated[
    Scale,
    typer.Option(
        "--scale",
        help="Colours of gradients: paper, from 0 to the maximum, negative ones dark as 0; signed, blue "
        "below and red above 0; robust, from 0 to the 99th percentile of magnitudes.",
        case_sensitive=False,
    ),
]
GammaOption = Annotated[
    float,
    typer.Option(
        "--gamma", min=0.1, max=2.0, help="Exponent of the colours; below 1 brightens small gradients."
    ),
]
EndOption = Annotated[
    float | None,
    typer.Option(
        "--vmax",
        metavar="V",
        help="Where the colours end, as the same for several pictures; by default as --scale says.",
        show_default=False,
    ),
]


@dataclass(frozen=True)
class Inputs:
    """Method and pair that a command works on."""

    method: Method
    pair: Pair
    entry: PairEntry

    def described(self, dtype: Precision, reading: ReadingOptions) -> dict[str, Any]:
        """Return what every result says of itself, and of how its images were read."""
        said = describe(self.method, self.pair, self.entry, dtype.value)
        return said | {"reading": reading.metadata()}


def choose_pair(
    mri: Path | None, pet: Path | None, sample: str | None, modalities: tuple[str, str] | None = None
) -> PairEntry:
    """Return the pair of two files, or the sample.

    Parameters
    ----------
    mri, pet : Path or None
        The files of x1 and x2, in this order.
    sample : str or None
        The sample's slug.
    modalities : tuple of str or None
        What the files show; their names say so unless given.

    Raises
    ------
    typer.BadParameter
        If not exactly one of both is given, or both modalities are the same.
    UnknownPairError
        If there is no such sample.
    """
    if sample is not None and mri is None and modalities is None:
        return Catalogue().find(sample)
    if sample is not None or mri is None or pet is None:
        raise typer.BadParameter("Give either two files, MRI_FILE and PET_FILE, or --sample SLUG.")
    if modalities is not None and same_modality(*modalities):
        raise typer.BadParameter(SAME_MODALITY, param_hint="--modalities")
    return user_entry(mri, pet, modalities)


def load_inputs(entry: PairEntry, method_id: str, device: str, reading: ReadingOptions) -> Inputs:
    """Load the images and the method, and say what should be known of the images."""
    pair = load_images(entry, reading)
    return Inputs(load_method(method_id, device), pair, entry)


def load_images(entry: PairEntry, reading: ReadingOptions) -> Pair:
    """Load the images of a pair, and say what should be known of them."""
    pair = load_pair(
        *entry.paths,
        reading.pixel_limit,
        reading.selections,
        reading.windows,
        reading.resample,
        colour_maps=reading.colour_maps,
        nan_is_no_data=reading.nan_is_no_data,
    )
    for note in pair.notes:
        say(f"Note: {note}", warning=True)
    return pair


def choose_files(
    output: str | None, default_name: str, pictures: tuple[str, ...], entry: PairEntry
) -> OutputFiles:
    """Return where results go, after a check that they can be written there.

    Raises
    ------
    typer.BadParameter
        If the output is a folder, or has another extension than ``.npz``.
    OutputError
        If nothing can be written there.
    """
    base = Path(default_name) if output is None else named_file(output, ".npz").with_suffix("")
    files = OutputFiles(base, pictures)
    files.prepare(entry.paths)
    return files


def checked_end(vmax: float | None) -> float | None:
    """Return the end of a colour scale, if one was given.

    Raises
    ------
    typer.BadParameter
        If it is no number greater than 0.
    """
    if vmax is not None and not 0 < vmax < float("inf"):
        raise typer.BadParameter("--vmax must be a number greater than 0.")
    return vmax


def parse_pixel(text: str) -> tuple[int, int]:
    """Return (row, col) of ``ROW,COL``.

    Raises
    ------
    typer.BadParameter
        If it is written in another way.
    """
    try:
        row, column = (int(part) for part in text.split(","))
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is not ROW,COL, two whole numbers such as 120,98.", param_hint="--pixel"
        ) from None
    return row, column


@contextmanager
def progress_bar(title: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar while the block runs; call what it gives with the steps done and their total.

    Only on a terminal: elsewhere nobody watches it grow.
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(title, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def name_files(written: Iterable[Path]) -> None:
    """Name the files that were written, one a line."""
    for path in written:
        typer.echo(path)


OPTION = "--output"


def named_file(text: str, extension: str) -> Path:
    """Return the file that ``--output`` names, its extension added where it has none.

    Parameters
    ----------
    text : str
        As it was given: a path would have lost the slash at its end.
    extension : str
        As ``.csv``.

    Raises
    ------
    typer.BadParameter
        If it names no file, a folder, or a file of another extension.
    """
    form = f"FILE{extension}"
    path = Path(text)
    if not text.strip():
        raise _refused(f"there is no name. Give that of a file: {OPTION} {form}")
    separators = tuple(sign for sign in (os.sep, os.altsep) if sign)
    if text.endswith(separators) or path.name in ("", "..") or (path.suffix == "" and path.is_dir()):
        raise _refused(f"{text} is a folder. Give the name of a file in it: {OPTION} {path / form}")
    if path.suffix not in ("", extension):
        raise _refused(f"{text}: the name ends in {extension}, as {OPTION} {path.stem}{extension}")
    return path if path.suffix else path.with_name(f"{path.name}{extension}")


def _refused(words: str) -> typer.BadParameter:
    return typer.BadParameter(words, param_hint=OPTION)

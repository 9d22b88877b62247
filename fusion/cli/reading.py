"""Options that say how image files are read, for all commands that take two, and the command that looks into a file."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from fusion.archives import open_file, series_place
from fusion.colour_maps import ColourMap
from fusion.decoders import Axis, Selection
from fusion.errors import UnreadableImageError
from fusion.formats import HEAD_BYTES, is_archive, is_dicom, is_nifti
from fusion.intensity import IntensityWindow
from fusion.pair import Windows
from fusion.reading import DEFAULT_PIXEL_LIMIT, read_picture, require_file

WINDOW_HELP = (
    "What is scaled to [0, 1], LOW:HIGH in the image's own numbers (-160:240) or in percentiles (1%:99%); by default "
    "all. The first is for x1, a second for x2."
)

PixelLimitOption = Annotated[
    int, typer.Option("--pixel-limit", min=1, metavar="N", help="Most pixels that an image may have.")
]
AxisOption = Annotated[
    Axis, typer.Option("--axis", help="The direction in which volumes are cut.", case_sensitive=False)
]


def _number_option(name: str, help: str) -> Any:
    """Make an option that counts from 0 and may be given twice."""
    return typer.Option(name, min=0, metavar="N", help=f"{help} A second is for x2.", show_default=False)


SliceOption = Annotated[
    list[int] | None,
    _number_option(
        "--slice", "The slice of volumes, counted from 0 in RAS: from the left, the back or below."
    ),
]
FrameOption = Annotated[
    list[int] | None,
    _number_option("--frame", "The frame of a series or of a DICOM file, counted from 0."),
]
WindowOption = Annotated[
    list[str] | None,
    typer.Option("--window", metavar="LOW:HIGH", help=WINDOW_HELP, show_default=False),
]

ResampleOption = Annotated[
    bool,
    typer.Option(
        "--resample",
        help="Bring x2 onto the pixels of x1: volumes by their positions in the patient, other images by stretching.",
    ),
]

ColourMapOption = Annotated[
    list[ColourMap] | None,
    typer.Option(
        "--colour-map",
        case_sensitive=False,
        help="How pictures in colour become gray: their luma (the default), or the numbers that their colours stand "
        "for, by a named map, by the picture's own curve (learnt), or by what fits, if anything does (auto). A second "
        "is for x2.",
        show_default=False,
    ),
]

NanOption = Annotated[
    bool,
    typer.Option(
        "--nan-is-no-data",
        help="Give pixels that are NaN the smallest value of the others, instead of refusing the image.",
    ),
]

OPTIONS: dict[str, tuple[Any, Any]] = {
    "axis": (AxisOption, Axis.AXIAL),
    "slice": (SliceOption, None),
    "frame": (FrameOption, None),
    "window": (WindowOption, None),
    "resample": (ResampleOption, False),
    "colour_map": (ColourMapOption, None),
    "nan_is_no_data": (NanOption, False),
    "pixel_limit": (PixelLimitOption, DEFAULT_PIXEL_LIMIT),
}


@dataclass(frozen=True)
class ReadingOptions:
    """Choices by which the two files of a command are read; see `fusion.pair.load_pair`."""

    selections: tuple[Selection, Selection]
    windows: Windows
    pixel_limit: int = DEFAULT_PIXEL_LIMIT
    resample: bool = False
    colour_maps: tuple[ColourMap, ColourMap] = (ColourMap.LUMA, ColourMap.LUMA)
    nan_is_no_data: bool = False

    @classmethod
    def of(
        cls,
        axis: Axis,
        slice: list[int] | None,
        frame: list[int] | None,
        window: list[str] | None,
        pixel_limit: int,
        resample: bool = False,
        colour_map: list[ColourMap] | None = None,
        nan_is_no_data: bool = False,
    ) -> ReadingOptions:
        """Return what options say.

        Raises
        ------
        typer.BadParameter
            If there are more than two of one, or a window is none.
        """
        slices, frames, windows = (
            _two(given, name) for given, name in ((slice, "slice"), (frame, "frame"), (window, "window"))
        )
        one, two = (Selection(axis, *chosen) for chosen in zip(_both(slices), _both(frames), strict=True))
        first, second = _both(_two(colour_map or [ColourMap.LUMA], "colour-map"))
        both = (_window(windows[0]), _window(windows[1]))
        return cls((one, two), both, pixel_limit, resample, (first, second), nan_is_no_data)

    def metadata(self) -> list[dict[str, Any]]:
        """Return for x1 and x2 what results say of how they were read."""
        chosen = [
            {
                "axis": selection.axis.value,
                "slice": selection.slice,
                "frame": selection.frame,
                "window": None if window is None else str(window),
                **({} if colour_map is ColourMap.LUMA else {"colour_map": colour_map.value}),
            }
            for selection, window, colour_map in zip(
                self.selections, self.windows, self.colour_maps, strict=True
            )
        ]
        if self.resample:
            chosen[1]["resampled"] = True
        if self.nan_is_no_data:
            chosen = [{**one, "nan_is_no_data": True} for one in chosen]
        return chosen


def reading_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of reading to a command, whose parameter ``reading`` gets what they say."""

    def with_options(**given: Any) -> None:
        chosen = {name: given.pop(name) for name in OPTIONS}
        command(**given, reading=ReadingOptions.of(**chosen))

    own = inspect.signature(command, eval_str=True)
    added = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=kind, default=default)
        for name, (kind, default) in OPTIONS.items()
    ]
    kept = [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for name, parameter in own.parameters.items()
        if name != "reading"
    ]
    parameters = [*kept, *added]
    with_options.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
    with_options.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    with_options.__doc__, with_options.__name__ = command.__doc__, command.__name__
    return with_options


def inspect_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An image file.", show_default=False)],
    axis: AxisOption = Axis.AXIAL,
    slice: SliceOption = None,
    frame: FrameOption = None,
    pixel_limit: PixelLimitOption = DEFAULT_PIXEL_LIMIT,
    nan_is_no_data: NanOption = False,
) -> None:
    """Say what is in an image file, and how it would be read.

    Nothing about a patient is shown.
    """
    if series_place(file) is None:
        require_file(file)
    for label, value in _header(file):
        typer.echo(f"{label}: {value}")
    selection = ReadingOptions.of(axis, slice, frame, None, pixel_limit).selections[0]
    picture = read_picture(file, pixel_limit, selection, nan_is_no_data=nan_is_no_data)
    height, width = picture.values.shape
    typer.echo(f"read as: {height}×{width} pixels (height × width), {picture.values.dtype}")
    typer.echo(f"values: {picture.values.min():g} to {picture.values.max():g}")
    for note in picture.notes:
        typer.echo(f"note: {note}")


def _header(file: Path) -> tuple[tuple[str, str], ...]:
    head = b""
    if series_place(file) is None:
        with open_file(file) as stream:
            head = stream.read(HEAD_BYTES)
    # Packages here and not above: other commands should not wait for them.
    if series_place(file) is not None or is_archive(head):
        from fusion.dicom import series_facts

        return series_facts(file)
    if is_dicom(head):
        from fusion.dicom import dicom_facts as facts
    elif is_nifti(head):
        from fusion.volumes import nifti_facts as facts
    else:
        return ()
    try:
        with open_file(file) as stream:
            return facts(stream)
    except Exception as error:
        raise UnreadableImageError(
            file, f"the header is damaged ({type(error).__name__}). Export it again."
        ) from error


def _two(given: list[Any] | None, name: str) -> tuple[Any, Any]:
    if given and len(given) > 2:
        raise typer.BadParameter("give it once for x1, and once more for x2.", param_hint=f"--{name}")
    first, second, *_ = [*(given or []), None, None]
    return first, second


def _both(given: tuple[Any, Any]) -> tuple[Any, Any]:
    """Return the first for x2, too, where there is no second: volumes on one grid have the same slices."""
    return given[0], given[0] if given[1] is None else given[1]


def _window(text: str | None) -> IntensityWindow | None:
    try:
        return None if text is None else IntensityWindow.parse(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r}: {error}.", param_hint="--window") from None

"""The command that packs a user's network into a folder, and the options that say what it takes and returns."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fusion.cli.options import console, name_files, say
from fusion.methods.adapting import Adaptation, Output, as_network
from fusion.methods.packed.bringing import from_file, load_state
from fusion.methods.packed.packing import Packed, Wanted, pack

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""Mean and standard deviation of the channels, for images in [0, 1]."""

NetworkArgument = Annotated[
    str,
    typer.Argument(
        metavar="FILE.py:NAME",
        help="A function without arguments that makes the network, the network, or a function of two images.",
    ),
]
WeightsArgument = Annotated[
    Path | None,
    typer.Argument(
        metavar="WEIGHTS",
        help="Its state_dict, .pth or .safetensors; without, the network is taken as it is made.",
        show_default=False,
    ),
]
FolderOption = Annotated[
    Path, typer.Option("--folder", "-o", metavar="FOLDER", help="Its name becomes the method's id.")
]
ChannelsOption = Annotated[int, typer.Option(min=1, help="As many times each gray image is given to it.")]
RangeOption = Annotated[
    tuple[float, float],
    typer.Option("--range", metavar="BLACK WHITE", help="What it takes for black and white, and returns."),
]
OutputRangeOption = Annotated[
    tuple[float, float] | None,
    typer.Option(
        metavar="BLACK WHITE", help="What it returns for them, where that differs.", show_default=False
    ),
]
NormalizeOption = Annotated[
    str | None,
    typer.Option(
        help="imagenet, or means and standard deviations of images in [0, 1], as 0.5/0.5 or 0.4,0.5,0.6/0.2,0.2,0.2.",
        show_default=False,
    ),
]
ResultOption = Annotated[
    str | None,
    typer.Option(
        "--output",
        metavar="PLACE",
        help="Which of several results is the fused image: 0 for the first, or a name; 0.mask goes down.",
        show_default=False,
    ),
]
ChannelOption = Annotated[
    str, typer.Option(help="Which of several channels is the fused image: mean, luma, or a number from 0.")
]
MultipleOption = Annotated[
    int | None,
    typer.Option(min=1, help="Sides are padded to a multiple of it, by reflection.", show_default=False),
]
FixedOption = Annotated[
    tuple[int, int] | None,
    typer.Option(metavar="HEIGHT WIDTH", help="The only size that it takes.", show_default=False),
]
MinimumOption = Annotated[int, typer.Option(min=1, help="Pixels along each side of the smallest image.")]
OrderOption = Annotated[
    tuple[str, str], typer.Option(metavar="FIRST SECOND", help="x2 x1 where it takes x2 first.")
]
ListOption = Annotated[bool, typer.Option("--list-input", help="It takes both images in one list.")]
TitleOption = Annotated[str, typer.Option(help="Its name on the page; by default the folder's.")]
NoteOption = Annotated[str, typer.Option(help="One sentence that stands beside its results.")]
NamesOption = Annotated[
    tuple[str, str] | None, typer.Option(metavar="X1 X2", help="What the images are.", show_default=False)
]


def pack_command(
    network: NetworkArgument,
    weights: WeightsArgument = None,
    *,
    folder: FolderOption,
    channels: ChannelsOption = 1,
    value_range: RangeOption = (0.0, 1.0),
    output_range: OutputRangeOption = None,
    normalize: NormalizeOption = None,
    output: ResultOption = None,
    channel: ChannelOption = "mean",
    multiple: MultipleOption = None,
    fixed: FixedOption = None,
    minimum: MinimumOption = 1,
    order: OrderOption = ("x1", "x2"),
    list_input: ListOption = False,
    title: TitleOption = "",
    note: NoteOption = "",
    names: NamesOption = None,
) -> None:
    """Pack a network of your own into a folder that is a method, for the page and all commands.

    It is made by your own Python, exported, read again without running anything of yours, and compared with the
    original in float64 at several sizes: output and gradients. docs/bring-your-own.md says more.
    """
    if sorted(order) != ["x1", "x2"]:
        raise typer.BadParameter("Say x1 x2 or x2 x1.", param_hint="--order")
    if multiple is not None and fixed is not None:
        raise typer.BadParameter("Give --multiple or --fixed, not both.")
    mean, std = _normalization(normalize)
    try:
        adaptation = Adaptation(
            channels=channels,
            value_range=value_range,
            output=_place(output),
            sizes=fixed or multiple,
            mean=mean,
            std=std,
            output_range=output_range,
            swapped=order[0] == "x2",
            channel=int(channel) if channel.isdecimal() else _known_channel(channel),
            least=minimum,
        )
    except ValueError as error:
        raise typer.BadParameter(f"{error}.") from error
    with console.status("Packing"):
        brought = as_network(from_file(network))
        if weights is not None:
            load_state(brought, weights)
        named = title or folder.absolute().name
        result = pack(brought, folder, Wanted(adaptation, list_input, named, note, names or ()))
    _tell(result)
    name_files(sorted(file for file in folder.iterdir() if file.stem == folder.absolute().name))


def _tell(result: Packed) -> None:
    found = result.measured
    say(
        f"Equal to the original within {found['difference']:.1g} of the largest value, outputs and gradients. Radius "
        f"{found['radius']}, computed by {found['path']}, {found['jacobian_ms']} ms a Jacobian of "
        f"{found['measured_at'][0]}×{found['measured_at'][1]} pixels on this machine."
    )
    for remark in result.remarks:
        say(remark, warning=True)


def _normalization(text: str | None) -> tuple[tuple[float, ...], tuple[float, ...]]:
    if text is None:
        return (), ()
    if text == "imagenet":
        return IMAGENET
    try:
        mean, std = (tuple(float(number) for number in part.split(",")) for part in text.split("/"))
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not imagenet or MEAN/STD.", param_hint="--normalize") from None
    return mean, std


def _place(text: str | None) -> Output:
    if text is None:
        return None
    places = tuple(int(part) if part.isdecimal() else part for part in text.split("."))
    return places if len(places) > 1 else places[0]


def _known_channel(text: str) -> str:
    if text not in ("mean", "luma"):
        raise typer.BadParameter(f"{text!r} is not mean, luma or a number.", param_hint="--channel")
    return text

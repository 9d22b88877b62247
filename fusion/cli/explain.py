"""The commands that explain a region, and that say of every pixel how far derivatives reach and what acts on it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import fusion
from fusion.cli.compare import choose_regions, parse_region
from fusion.cli.images import DEFAULT_METHOD
from fusion.cli.options import (
    DeviceOption,
    EndOption,
    GammaOption,
    MethodOption,
    ModalitiesOption,
    MriOption,
    OutputOption,
    PetOption,
    PicturesOption,
    Precision,
    PrecisionOption,
    SampleOption,
    ScaleOption,
    checked_end,
    choose_files,
    choose_pair,
    console,
    load_inputs,
    name_files,
    progress_bar,
)
from fusion.cli.reading import ReadingOptions, reading_options
from fusion.colours import Limits, Scale, gradient_colours, grays
from fusion.data.entries import PairEntry
from fusion.output_files import GRADIENT_UNITS
from fusion.pair import Pair
from fusion.saliency.explained_regions import NUMBERS
from fusion.saliency.reach import STEPS, reach_places
from fusion.statistics.regions import Region

INPUTS = ("x1", "x2")

RegionOption = Annotated[
    str,
    typer.Option(
        "--region",
        "-r",
        metavar="REGION",
        help="The region: the name of one that there is (head; core, rim and healthy of samples with a lesion), "
        "FILE.png, a mask that is brighter than 127 inside, or NAME=TOP,LEFT,BOTTOM,RIGHT, a box without its last row "
        "and column.",
        show_default=False,
    ),
]
NumberOption = Annotated[
    str,
    typer.Option(
        "--of",
        metavar="NUMBER",
        help="What of the region is explained: its mean, its contrast (its mean minus that of another region) or its "
        "ssim (local similarity to an input).",
    ),
]
AgainstOption = Annotated[
    str | None,
    typer.Option(
        "--against",
        "-a",
        metavar="REGION or x1, x2",
        help="The other region of a contrast, or the input of a similarity.",
        show_default=False,
    ),
]


@reading_options
def explain_command(
    region: RegionOption,
    mri: MriOption = None,
    pet: PetOption = None,
    sample: SampleOption = None,
    modalities: ModalitiesOption = None,
    of: NumberOption = "mean",
    against: AgainstOption = None,
    method: MethodOption = DEFAULT_METHOD,
    output: OutputOption = None,
    pictures: PicturesOption = True,
    scale: ScaleOption = Scale.SIGNED,
    gamma: GammaOption = 0.3,
    vmax: EndOption = None,
    dtype: PrecisionOption = Precision.FLOAT32,
    device: DeviceOption = "auto",
    *,
    reading: ReadingOptions,
) -> None:
    """Differentiate a number of a region with respect to every input pixel.

    Writes both images (array `jacobian`, 2×H×W) and a picture of each, with the same colours for both.
    """
    end = checked_end(vmax)
    _check_against(of, against)
    entry = choose_pair(mri, pet, sample, modalities)
    with console.status("Differentiating"):
        inputs = load_inputs(entry, method, device, reading)
        inside = chosen_region(region, entry, inputs.pair)
        other = None if of != "contrast" or against is None else chosen_region(against, entry, inputs.pair)
        files = choose_files(
            output, f"{entry.address}_{inputs.method.id}_{of}", INPUTS if pictures else (), entry
        )
        held = other.mask if other is not None else INPUTS.index(against) if against in INPUTS else None
        found = fusion.region_jacobian(inputs.method, inputs.pair, inside.mask, of, held, dtype.value)
    end = end if end is not None else Limits.of(found).end(scale)
    metadata = inputs.described(dtype, reading) | {
        "units": {"jacobian": GRADIENT_UNITS},
        "region": {
            "name": inside.name,
            "pixels": inside.size,
            "of": of,
            "against": other.name if other else against,
        },
        "picture": {"scale": scale, "vmax": end, "gamma": gamma},
    }
    x1, x2 = (gradient_colours(image, scale, end, gamma) for image in found)
    name_files(files.write({"jacobian": found}, metadata, {"x1": x1, "x2": x2}))


@reading_options
def reach_command(
    mri: MriOption = None,
    pet: PetOption = None,
    sample: SampleOption = None,
    modalities: ModalitiesOption = None,
    method: MethodOption = DEFAULT_METHOD,
    output: OutputOption = None,
    pictures: PicturesOption = True,
    dtype: PrecisionOption = Precision.FLOAT32,
    device: DeviceOption = "auto",
    *,
    reading: ReadingOptions,
) -> None:
    """Find for every fused pixel how far its derivative reaches, and how it answers when an input brightens.

    Writes the reach (array `reach`, 2×H×W, gray levels of 255: 0 to 64), the response (`response`, 2×H×W: change of y
    by change of a whole input, negative where contrast is reversed) and pictures: the brighter, the farther; red where
    the fused pixel brightens, blue where it darkens.
    """
    entry = choose_pair(mri, pet, sample, modalities)
    names = ("reach-x1", "reach-x2", "response-x1", "response-x2") if pictures else ()
    with console.status("Loading"):
        inputs = load_inputs(entry, method, device, reading)
        files = choose_files(output, f"{entry.address}_{inputs.method.id}_reach", names, entry)
    with progress_bar("Response") as show:
        answers = fusion.response_map(inputs.method, inputs.pair, show, dtype.value)
    with progress_bar("Reach") as show:
        reach = fusion.reach_map(inputs.method, inputs.pair, show, dtype.value)
    end = Limits.of(answers).end(Scale.SIGNED)
    metadata = inputs.described(dtype, reading) | {
        "units": {"reach": "gray levels: 1/255 of the min-max scaled input", "response": GRADIENT_UNITS},
        "picture": {"scale": Scale.SIGNED, "vmax": end, "gamma": 1.0},
    }
    drawn = {}
    for index, name in enumerate(INPUTS):
        places = reach_places(reach[index])
        drawn[f"reach-{name}"] = grays(places, 0, len(STEPS))
        drawn[f"response-{name}"] = gradient_colours(answers[index], Scale.SIGNED, end, 1.0)
    name_files(files.write({"reach": reach, "response": answers}, metadata, drawn))


@reading_options
def influence_command(
    mri: MriOption = None,
    pet: PetOption = None,
    sample: SampleOption = None,
    modalities: ModalitiesOption = None,
    method: MethodOption = DEFAULT_METHOD,
    output: OutputOption = None,
    pictures: PicturesOption = True,
    gamma: GammaOption = 0.5,
    dtype: PrecisionOption = Precision.FLOAT32,
    device: DeviceOption = "auto",
    *,
    reading: ReadingOptions,
) -> None:
    """Add up both Jacobian images of every fused pixel: all influence of each input, whatever its place.

    Writes Σ|J| (array `total`, 2×H×W), ΣJ (`signed`, the response to a whole input) and a picture of each Σ|J|, with
    the same colours for both. It takes about as long as an atlas.
    """
    entry = choose_pair(mri, pet, sample, modalities)
    with console.status("Loading"):
        inputs = load_inputs(entry, method, device, reading)
        files = choose_files(
            output, f"{entry.address}_{inputs.method.id}_influence", INPUTS if pictures else (), entry
        )
    with progress_bar("Influence") as show:
        found = fusion.influence_images(inputs.method, inputs.pair, show, dtype.value)
    end = Limits.of(found.total).end(Scale.PAPER)
    metadata = inputs.described(dtype, reading) | {
        "units": {"total": f"sum of magnitudes: {GRADIENT_UNITS}", "signed": f"sum: {GRADIENT_UNITS}"},
        "picture": {"scale": Scale.PAPER, "vmax": end, "gamma": gamma},
    }
    x1, x2 = (gradient_colours(image, Scale.PAPER, end, gamma) for image in found.total)
    name_files(files.write({"total": found.total, "signed": found.signed}, metadata, {"x1": x1, "x2": x2}))


def _check_against(of: str, against: str | None) -> None:
    if of not in NUMBERS:
        raise typer.BadParameter(f"{of!r} is none of {', '.join(NUMBERS)}.", param_hint="--of")
    needs = {"mean": "nothing", "contrast": "a region", "ssim": "x1 or x2"}[of]
    fits = {"mean": against is None, "contrast": against is not None, "ssim": against in INPUTS}[of]
    if not fits:
        raise typer.BadParameter(f"--of {of} goes with {needs} here.", param_hint="--against")


def chosen_region(text: str, entry: PairEntry, pair: Pair) -> Region:
    """Return a region that is there under a name, or that is described.

    Raises
    ------
    RegionError, ImageFileError
        If it cannot be used.
    """
    ready, _ = choose_regions((), entry, pair)
    masks: list[Path] = []
    return next((one for one in ready if one.name == text), None) or parse_region(text, pair.shape, masks)

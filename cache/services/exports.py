"""Files that leave the page: all arrays of a view, its numbers, and the description that goes with them."""

from __future__ import annotations

import io
import json
import math
import platform
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import metadata
from typing import Any

import numpy as np

from cache.services.explanations import Explained
from cache.services.export_readings import REACH_UNITS, Explanation, described_reach, reaches_of
from cache.services.number_tables import number_tables, numbers_csv
from cache.services.scenes import Scene
from cache.services.services import Services
from fusion import Reach, Response, guidance_rgb
from fusion.chroma import Colours, coloured
from fusion.errors import FuseVisError
from fusion.output_files import COLOUR_UNITS, GRADIENT_UNITS, INTENSITY_UNITS, described_colour
from fusion.saliency.maps import UNITS, MapKind
from fusion.saliency.window import Box, JacobianWindow
from fusion.statistics.region_code import decode_mask
from fusion.statistics.regions import Region, described_air
from fusion.work.addresses import numerics_id

MOST_PIXELS = 4_194_304
"""Most pixels times methods in one file: about 200 MiB of arrays."""
RESPONSES = ("true", "linear", "path")
"""Images of a `fusion.Response`."""
FOLLOWER = f"export-{secrets.token_hex(16)}"
"""The viewer for whom guidance images are computed that an export asks for; nobody else can cancel for it."""


class ExportError(FuseVisError):
    """A view that cannot be exported."""


class NotReady(FuseVisError):
    """Guidance images are not complete yet; the same request succeeds later."""


@dataclass(frozen=True, eq=False)
class MethodArrays:
    """Arrays of one method in an export.

    Attributes
    ----------
    scene : Scene
        Which pair, method and weights.
    fused : ndarray of float32, shape (H, W)
        The fused image, nominally 0 to 1.
    guidance : ndarray of float32, shape (2, H, W)
        dy(i)/dx1(i) and dy(i)/dx2(i), dimensionless.
    rgb : ndarray of float32, shape (H, W, 3)
        Guidance RGB, 0 to 1.
    jacobians : dict of str to ndarray of float32, shape (2, H, W)
        By the name of the principal pixel, ``a`` or ``b``; exactly 0 outside the support.
    windows : dict of str to Box
        By the same names, the pixels inside the support.
    maps : dict of MapKind to ndarray of float32, shape (bands, H, W)
        Those of the view that are computed, the same of all methods, see `fusion.saliency.maps.BANDS`.
    colour : ndarray of float32, shape (3, H, W), or None
        The fused image in colour, 0 to 1, see `fusion.chroma.coloured`; ``None`` where both inputs are gray.
    reaches : dict of str to (Reach or None)
        How far the Jacobian images hold, by the names of `jacobians`; empty for a file without numbers.
    poles : ndarray of float32, shape (H, W), or None
        `fusion.near_pole`; ``None`` of a method whose fusion rule has no pole.
    """

    scene: Scene
    fused: np.ndarray
    guidance: np.ndarray
    rgb: np.ndarray
    jacobians: Mapping[str, np.ndarray]
    windows: Mapping[str, Box]
    maps: Mapping[MapKind, np.ndarray] = field(default_factory=dict)
    colour: np.ndarray | None = None
    reaches: Mapping[str, Reach | None] = field(default_factory=dict)
    poles: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class ExportArrays:
    """A comparison with all its arrays.

    Attributes
    ----------
    inputs : ndarray of float32, shape (2, H, W)
        x1 and x2, 0 to 1.
    methods : tuple of MethodArrays
        At least one, in the order of the rows.
    pixels : dict of str to (row, col)
        The principal pixels ``a`` and, where there is one, ``b``, 0-based.
    regions : dict of str to ndarray of bool, shape (H, W)
        The known regions of the pair, none for most, and those of the link.
    replaced : tuple of str
        Those of the link in the place of one of the pair of that name with other pixels.
    lettered : bool
        Whether the view's page calls its principal pixels A and B, as the compare page does.
    change : ndarray of float64, shape (2, H, W), or None
        The painted change of the inputs, where the view has one.
    responses : tuple of Response
        What each method makes of it, in their order; empty without one.
    colours : tuple of (ndarray or None)
        The pictures whose lumas the inputs are, as `fusion.Pair.colours`.
    explanation : Explanation or None
        The region that the view explains.
    air, without : ndarray of bool, shape (H, W), or None
        Where the pair has air, see `fusion.air_mask`, and what of it the view leaves out; ``None`` for nothing.
    """

    inputs: np.ndarray
    methods: tuple[MethodArrays, ...]
    pixels: Mapping[str, tuple[int, int]]
    regions: Mapping[str, np.ndarray]
    replaced: tuple[str, ...] = ()
    lettered: bool = True
    change: np.ndarray | None = None
    responses: tuple[Response, ...] = ()
    colours: tuple[Colours | None, Colours | None] = (None, None)
    explanation: Explanation | None = None
    air: np.ndarray | None = None
    without: np.ndarray | None = None

    def letter(self, name: str, before: str = "") -> str:
        """Return what people call a pixel of `pixels`, behind some words; nothing where it has no letter."""
        return before + name.upper() if self.lettered else ""


def export_arrays(
    services: Services,
    pair: str | None,
    methods: Sequence[str],
    weights: Sequence[str],
    pixel: tuple[int, int] | None,
    pin: tuple[int, int] | None,
    regions: Sequence[tuple[str, str]] = (),
    change: str | None = None,
    maps: Sequence[MapKind] = (),
    explained: Explained | None = None,
    with_reach: bool = False,
    air: bool = True,
) -> ExportArrays:
    """Collect all arrays of a view.

    Parameters
    ----------
    services : Services
        What has them.
    pair : str or None
        A pair's address; ``None``: that of a first visit.
    methods, weights : sequence of str
        Ids, and the first digits of the weights that they must have; empty or missing: any.
    pixel, pin : tuple of int or None
        Principal pixels A and B, (row, col), 0-based; A is the pair's own, or the middle, unless given.
    regions : sequence of (name, code)
        Regions of interest of the link, in the place of the pair's own of the same name.
    change : str, optional
        Code of the painted change, see `fusion.saliency.strokes`.
    maps : sequence of MapKind
        Those that the view shows. A kind that is not computed of all methods is left out: an export begins none.
    explained : Explained, optional
        The number of a region that the view explains.
    with_reach : bool
        True to find how far the Jacobian images hold.
    air : bool
        True where the view shows and counts the air too.

    Raises
    ------
    NotReady
        If guidance images are not complete; they are being computed from now on, for a short time at least.
    UserError
        If something does not exist, has other weights, or is too large for one file.
    """
    if not methods:
        raise ExportError("The view has no method; choose at least one.")
    address = services.scenes.find_pair(pair) if pair is not None else services.scenes.default_pair()
    scenes = [services.scenes.open(address, method) for method in methods]
    _require_weights(scenes, weights)
    _require_room(scenes)
    first = scenes[0]
    shown = _complete_maps(services, scenes, maps)
    chosen = {"a": pixel or first.default_pixel or (first.height // 2, first.width // 2)}
    if pin is not None:
        chosen["b"] = pin
    # Not from an atlas, whose numbers are rounded; and an export is no moving pointer, for which other work rests.
    # Pixels outside the image are refused before anything long is started.
    windows = [
        {name: services.windows.of(scene, *at, exact=True) for name, at in chosen.items()} for scene in scenes
    ]
    arrays = []
    pair_of, there = services.scenes.pair(first), services.statistics.air(first)
    guidances = _guidance(services, scenes)
    for scene, found, guidance, of_scene in zip(scenes, windows, guidances, shown, strict=True):
        reaches = reaches_of(services, scene, chosen) if with_reach else {}
        arrays.append(
            replace(_method_arrays(services, scene, found, guidance), maps=of_scene, reaches=reaches)
        )
    known = services.regions.of_pair(first.pair_address)
    shape = (first.height, first.width)
    own = {name: decode_mask(services.regions.resolve(code, shape), shape) for name, code in regions}
    replaced = (name for name in own if name in known and not np.array_equal(known[name], own[name]))
    painted = [services.changes.of(scene, change) for scene in scenes] if change else []
    return ExportArrays(
        pair_of.images,
        tuple(arrays),
        chosen,
        known | own,
        tuple(replaced),
        change=painted[0][0] if painted else None,
        responses=tuple(found for _, found in painted),
        colours=pair_of.colours,
        explanation=Explanation.of(services, scenes, explained) if explained else None,
        air=there if there.any() else None,
        without=there if there.any() and not air else None,
    )


def _method_arrays(
    services: Services, scene: Scene, windows: Mapping[str, JacobianWindow], guidance: np.ndarray
) -> MethodArrays:
    pair, fused = services.scenes.pair(scene), services.scenes.fused(scene)
    return MethodArrays(
        scene,
        fused,
        guidance,
        guidance_rgb(guidance, fused),
        {name: window.dense() for name, window in windows.items()},
        {name: window.box for name, window in windows.items()},
        colour=coloured(fused, pair.colours) if any(pair.in_colour) else None,
        poles=services.shifts.near_pole(scene)[0] if scene.pole else None,
    )


def _require_weights(scenes: Sequence[Scene], weights: Sequence[str]) -> None:
    for scene, named in zip(scenes, weights, strict=False):
        if not scene.weights_id.startswith(named):
            raise ExportError(
                f"The link was made with other weights of {scene.method_title} ({named[:8]}) than this server "
                f"has ({scene.weights_id[:8]}). Take weights=… out of the link to export what this server has."
            )


def _require_room(scenes: Sequence[Scene]) -> None:
    if sum(scene.height * scene.width for scene in scenes) > MOST_PIXELS:
        raise ExportError(
            f"The view is too large for one file: methods times pixels are at most {MOST_PIXELS:,}. "
            "Choose fewer methods."
        )


def _guidance(services: Services, scenes: Sequence[Scene]) -> list[np.ndarray]:
    """Return the finished guidance images of all scenes; start those that are missing."""
    states = [services.guidance.state(scene, FOLLOWER) for scene in scenes]
    for state in states:
        if state.error is not None:
            raise ExportError(state.error)
        if state.note is not None and not (state.running or state.complete):
            raise ExportError(f"There are no guidance images: {state.note}.")
    missing = [
        f"{scene.method_title} {100 * state.fraction:.0f} %"
        for scene, state in zip(scenes, states, strict=True)
        if not state.complete
    ]
    if missing:
        raise NotReady(f"Guidance images are being computed ({', '.join(missing)}). Ask again in a moment.")
    return [state.values for state in states if state.values is not None]


def _complete_maps(
    services: Services, scenes: Sequence[Scene], kinds: Sequence[MapKind]
) -> list[dict[MapKind, np.ndarray]]:
    """Return those maps of some kinds that are computed of all scenes, by scene; none is begun."""
    found: list[dict[MapKind, np.ndarray]] = [{} for _ in scenes]
    for kind in kinds:
        states = [services.maps.state(scene, kind, FOLLOWER) for scene in scenes]
        values = [state.values for state in states if state.complete and state.values is not None]
        if len(values) == len(scenes):
            for maps, of_scene in zip(found, values, strict=True):
                maps[kind] = of_scene
    return found


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


def export_numbers(
    services: Services, arrays: ExportArrays, own: Sequence[str], complete: bool
) -> ExportNumbers:
    """Return the numbers of a view, those that the page shows below its table.

    Parameters
    ----------
    services : Services
        What has the numbers.
    arrays : ExportArrays
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
    statistics = services.statistics
    scenes = [one.scene for one in arrays.methods]
    drawn = [Region(name, arrays.regions[name]) for name in own]
    regions = statistics.regions(scenes[0], drawn, air=arrays.without is None)
    # Errors of earlier tries are told even where nothing is started.
    progress = statistics.influence.follow(scenes, regions, FOLLOWER, start=complete)
    numbers = [statistics.numbers(scene, regions, list(arrays.pixels.values())) for scene in scenes]
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
    pins = [(arrays.letter(name), pixel) for name, pixel in arrays.pixels.items()]
    return ExportNumbers(
        number_tables(numbers, pins),
        numbers_csv(numbers),
        tuple(f"{title} ({', '.join(names)})" for title, names in missing.items()),
        progress.errors,
    )


def arrays_file(exported: ExportArrays, link: str) -> bytes:
    """Return a view as a ``.npz`` file, to be read with ``numpy.load(file, allow_pickle=False)``.

    Parameters
    ----------
    exported : ExportArrays
        What to write.
    link : str
        The link that reopens it.

    Returns
    -------
    bytes
        Arrays ``inputs`` (2, H, W), ``methods`` (M,), ``fused`` (M, H, W), ``guidance`` (M, 2, H, W), ``guidance_rgb``
        (M, H, W, 3), of pairs with colours ``fused_colour`` (M, 3, H, W), ``jacobian_a`` and perhaps ``jacobian_b``
        (M, 2, H, W), perhaps ``regions`` (R, H, W), where there is air
        ``air`` (H, W), True there, perhaps ``change`` (2, H, W) and ``change_true``,
        ``change_linear``, ``change_path`` (M, H, W), perhaps ``explanation`` (M, 2, H, W),
        the maps that the view shows, ``response`` and ``reach``
        (M, 2, H, W) and ``influence`` (M, 4, H, W), and ``metadata``, a text of JSON with units, pixels, ids, versions
        and the link.
    """
    methods = exported.methods
    arrays: dict[str, np.ndarray] = {
        "inputs": exported.inputs,
        "methods": np.array([one.scene.method_id for one in methods]),
        "fused": np.stack([one.fused for one in methods]),
        "guidance": np.stack([one.guidance for one in methods]),
        "guidance_rgb": np.stack([one.rgb for one in methods]),
    }
    colours = [one.colour for one in methods if one.colour is not None]
    if colours:
        arrays["fused_colour"] = np.stack(colours)
    for name in exported.pixels:
        arrays[f"jacobian_{name}"] = np.stack([one.jacobians[name] for one in methods])
    for kind in methods[0].maps:
        arrays[kind.value] = np.stack([one.maps[kind] for one in methods])
    if exported.regions:
        arrays["regions"] = np.stack(list(exported.regions.values()))
    if exported.air is not None:
        arrays["air"] = exported.air
    if exported.change is not None:
        arrays["change"] = exported.change
        for name in RESPONSES:
            arrays[f"change_{name}"] = np.stack([getattr(one, name) for one in exported.responses])
    if exported.explanation is not None and exported.explanation.jacobians:
        arrays["explanation"] = np.stack(exported.explanation.jacobians)
    arrays["metadata"] = np.array(json.dumps(described(exported, link), ensure_ascii=False, indent=2))
    stream = io.BytesIO()
    np.savez_compressed(stream, allow_pickle=False, **arrays)
    return stream.getvalue()


_CHANGE_UNITS = {
    "change": "dimensionless: added to the scaled inputs, not clipped",
    **{f"change_{name}": "dimensionless: change of the fused intensity" for name in RESPONSES},
}


def _described_change(exported: ExportArrays) -> dict[str, object]:
    """Return how well the derivative predicts the change, by method: NaN, which JSON lacks, is null."""
    errors = {
        one.scene.method_id: {
            "linear_error": None if math.isnan(found.linear_error) else found.linear_error,
            "path_error": None if math.isnan(found.path_error) else found.path_error,
        }
        for one, found in zip(exported.methods, exported.responses, strict=True)
    }
    return {"errors": errors}


def _described_explanation(exported: ExportArrays) -> dict[str, object]:
    if exported.explanation is None:
        return {}
    return {"explanation": exported.explanation.described([one.scene.method_id for one in exported.methods])}


def described(exported: ExportArrays, link: str) -> dict[str, object]:
    """Return what an exported file says of itself, as JSON can hold it."""
    first = exported.methods[0].scene
    return {
        "format": "fusevis view",
        "version": 1,
        "link": link,
        "pair": {
            "id": first.pair_id,
            "address": first.pair_address,
            "title": first.pair_title,
            "modalities": list(first.modalities),
            "simulated": first.simulated,
            "shape": [first.height, first.width],
            "notes": list(first.notes),
            "reading": first.reading.described(),
            "spacing_mm": None if first.spacing is None else list(first.spacing),
            **described_colour(first.in_colour),
        },
        "methods": [
            {
                "id": one.scene.method_id,
                "title": one.scene.method_title,
                "weights_sha256": one.scene.weights_id,
                "support_radius": one.scene.support_radius,
                "device": one.scene.device,
                "note": one.scene.method_note,
                **({"reach": described_reach(one.reaches)} if one.reaches else {}),
            }
            for one in exported.methods
        ],
        "pixels": {name: list(at) for name, at in exported.pixels.items()},
        "regions": list(exported.regions),
        "regions_replaced": list(exported.replaced),
        **described_air(exported.air, exported.inputs.shape[1:], exported.without is None),
        **({"change": _described_change(exported)} if exported.change is not None else {}),
        **_described_explanation(exported),
        **({"reach_units": REACH_UNITS} if exported.methods[0].reaches else {}),
        "units": {
            "inputs": "dimensionless: intensity min-max scaled to [0, 1]",
            "fused": INTENSITY_UNITS,
            **({"fused_colour": COLOUR_UNITS} if any(first.in_colour) else {}),
            "guidance": GRADIENT_UNITS,
            "guidance_rgb": "dimensionless: 0 to 1, each band min-max scaled by itself",
            **{f"jacobian_{name}": GRADIENT_UNITS for name in exported.pixels},
            **{kind.value: UNITS[kind] for kind in exported.methods[0].maps},
            **({"air": "true in the air"} if exported.air is not None else {}),
            **(_CHANGE_UNITS if exported.change is not None else {}),
            **(
                {"explanation": GRADIENT_UNITS}
                if exported.explanation and exported.explanation.jacobians
                else {}
            ),
        },
        "versions": {
            "python": platform.python_version(),
            **{name: metadata.version(name) for name in ("numpy", "torch")},
            "numerics": numerics_id(),
        },
    }

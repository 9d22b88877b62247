"""All arrays of a comparison at once, for files that leave the page; nothing here that is not final."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cache.services.regions import RegionSource
from cache.services.services import Scene, Services
from fusion.errors import FuseVisError
from fusion.statistics.region_code import decode_mask

MOST_PIXELS = 4_194_304
"""Most pixels times methods in one file: about 200 MiB of arrays."""
FOLLOWER = "export"
"""The viewer for whom guidance images are computed that an export asks for."""


class ExportError(FuseVisError):
    """A view that cannot be exported."""


class NotReady(FuseVisError):
    """Guidance images are not complete yet; the same request succeeds later."""


@dataclass(frozen=True, eq=False)
class MethodArrays:
    """What is exported of one method.

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
    """

    scene: Scene
    fused: np.ndarray
    guidance: np.ndarray
    rgb: np.ndarray
    jacobians: Mapping[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class ExportView:
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
    """

    inputs: np.ndarray
    methods: tuple[MethodArrays, ...]
    pixels: Mapping[str, tuple[int, int]]
    regions: Mapping[str, np.ndarray]
    replaced: tuple[str, ...] = ()


class ExportSource:
    """Collects what is exported.

    Parameters
    ----------
    services : Services
        What has the arrays.
    regions : RegionSource
        What reads the regions of a link.
    """

    def __init__(self, services: Services, regions: RegionSource) -> None:
        self._services = services
        self._regions = regions

    def view(
        self,
        pair: str | None,
        methods: Sequence[str],
        weights: Sequence[str],
        pixel: tuple[int, int] | None,
        pin: tuple[int, int] | None,
        regions: Sequence[tuple[str, str]] = (),
    ) -> ExportView:
        """Collect a view.

        Parameters
        ----------
        pair : str or None
            A pair's address; ``None``: that of a first visit.
        methods, weights : sequence of str
            Ids, and the first digits of the weights that they must have; empty or missing: any.
        pixel, pin : tuple of int or None
            Principal pixels A and B, (row, col), 0-based; A is the pair's own, or the middle, unless given.
        regions : sequence of (name, code)
            Regions of interest of the link, in the place of the pair's own of the same name.

        Raises
        ------
        NotReady
            If guidance images are not complete; they are being computed from now on, for a short time at least.
        UserError
            If something does not exist, has other weights, or is too large for one file.
        """
        services = self._services
        if not methods:
            raise ExportError("The view has no method; choose at least one.")
        address = services.find_pair(pair) if pair is not None else services.default_pair()
        scenes = [services.scene(address, method) for method in methods]
        self._check(scenes, weights)
        first = scenes[0]
        chosen = {"a": pixel or first.default_pixel or (first.height // 2, first.width // 2)}
        if pin is not None:
            chosen["b"] = pin
        # Not from an atlas, whose numbers are rounded; and an export is no moving pointer, for which other work rests.
        # Pixels outside the image are refused before anything long is started.
        windows = [
            {name: services.jacobian(scene, *at, exact=True).dense() for name, at in chosen.items()}
            for scene in scenes
        ]
        guidance = self._guidance(scenes)
        arrays = []
        for scene, jacobians, images in zip(scenes, windows, guidance, strict=True):
            fused = services.fused(scene)
            arrays.append(
                MethodArrays(
                    scene,
                    fused,
                    images,
                    services.guidance_rgb(images, fused),
                    jacobians,
                )
            )
        shape = (first.height, first.width)
        known = services.regions(first)
        own = {name: decode_mask(self._regions.resolve(code, shape), shape) for name, code in regions}
        replaced = (name for name in own if name in known and not np.array_equal(known[name], own[name]))
        return ExportView(services.pair(first).images, tuple(arrays), chosen, known | own, tuple(replaced))

    def _check(self, scenes: Sequence[Scene], weights: Sequence[str]) -> None:
        for scene, named in zip(scenes, weights, strict=False):
            if not scene.weights_id.startswith(named):
                raise ExportError(
                    f"The link was made with other weights of {scene.method_title} ({named[:8]}) than this server "
                    f"has ({scene.weights_id[:8]}). Take weights=… out of the link to export what this server has."
                )
        if sum(scene.height * scene.width for scene in scenes) > MOST_PIXELS:
            raise ExportError(
                f"The view is too large for one file: methods times pixels are at most {MOST_PIXELS:,}. "
                "Choose fewer methods."
            )

    def _guidance(self, scenes: Sequence[Scene]) -> list[np.ndarray]:
        states = [self._services.guidance_state(scene, FOLLOWER) for scene in scenes]
        for state in states:
            if state.error is not None:
                raise ExportError(state.error)
        missing = [
            f"{scene.method_title} {100 * state.fraction:.0f} %"
            for scene, state in zip(scenes, states, strict=True)
            if not state.complete
        ]
        if missing:
            raise NotReady(
                f"Guidance images are being computed ({', '.join(missing)}). Ask again in a moment."
            )
        return [state.values for state in states if state.values is not None]

"""The images of a scene by kind, for pages that fetch them one by one instead of through a figure."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from cache.services.services import Services


@dataclass(frozen=True)
class Pictures:
    """Images of one kind.

    Attributes
    ----------
    values : ndarray of float32, shape (bands, H, W)
        NaN where nothing is known yet.
    fraction : float
        How much of the computation is done, 0 to 1.
    complete : bool
        Whether these are final.
    """

    values: np.ndarray
    fraction: float
    complete: bool


class PictureSource:
    """Finds images by the same address as `Services.jacobian_at` finds windows.

    Parameters
    ----------
    services : Services
        What has them.
    """

    def __init__(self, services: Services) -> None:
        self._services = services

    def pictures_at(self, pair: str, method: str, weights: str, kind: str, viewer: str) -> Pictures:
        """Return images; starts no computation of guidance images.

        Parameters
        ----------
        pair, weights : str
            Content id of the pair and sha256 of the weights, 64 hexadecimal digits each.
        method : str
            Id of the method.
        kind : str
            ``inputs`` (x1, x2), ``fused``, ``guidance`` (of x1 and x2, as far as they are known; filled up for
            the eye while they grow), ``known`` (the same, NaN between the known pixels) or ``rgb`` (guidance RGB).
        viewer : str
            Who asks: one open page, which keeps a computation of guidance images alive.

        Raises
        ------
        UserError
            If any of them does not exist, or not any more.
        """
        services = self._services
        # With the weights that the address names, so that the services refuse those that are gone.
        scene = replace(services.scene(pair, method), weights_id=weights)
        if kind == "inputs":
            return _final(services.pair(scene).images)
        if kind == "fused":
            return _final(services.fused(scene)[None])
        state = services.guidance_state(scene, viewer, start=False)
        if state.values is None:
            nothing = np.full((2, scene.height, scene.width), np.nan, dtype=np.float32)
            return Pictures(nothing, state.fraction, complete=False)
        values = state.values if state.complete or kind == "known" else services.filled(state.values)
        if kind == "rgb":
            values = np.moveaxis(services.guidance_rgb(values, services.fused(scene)), -1, 0)
        return Pictures(values, state.fraction, state.complete)


def _final(values: np.ndarray) -> Pictures:
    return Pictures(values, 1.0, complete=True)

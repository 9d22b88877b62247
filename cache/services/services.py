"""The one door from callbacks to the numerical core."""

from __future__ import annotations

import flask
import numpy as np

import fusion
from cache.jobs.manager import JobManager
from cache.services.answers import GuidanceState, Readiness, Scene
from cache.services.guidance_states import finished, followed
from cache.services.health import device_problems
from cache.services.methods import MethodShelf
from cache.services.pairs import PairShelf
from cache.services.results import Results
from fusion import JacobianWindow, Method, Pair
from fusion.data.catalogue import Catalogue
from fusion.data.entries import PairEntry
from fusion.errors import WeightsError
from fusion.saliency.guidance import filled

EXTENSION = "fusevis"

__all__ = ["GuidanceState", "Readiness", "Scene", "Services", "services_of"]


def services_of(server: flask.Flask) -> Services:
    """Return the services of a server that `cache.services.building.build_services` has set up."""
    services = server.extensions[EXTENSION]
    if not isinstance(services, Services):
        raise TypeError(f"The server's extension {EXTENSION} is another one")
    return services


class Services:
    """Everything that a page can ask for, safe to use from several threads; `pairs` are those that it holds.

    All errors that a user can cause are `cache.errors.UserError`.

    Parameters
    ----------
    catalogue : Catalogue
        The pairs.
    methods : MethodShelf
        The methods.
    results : Results
        What they give.
    jobs : JobManager
        With the lanes of `cache.jobs.guidance_work`.
    device : str
        ``auto``, ``cpu``, ``cuda`` or ``cuda:n``.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        methods: MethodShelf,
        results: Results,
        jobs: JobManager[np.ndarray],
        device: str,
    ) -> None:
        self._catalogue = catalogue
        self.pairs = PairShelf(catalogue)
        self._methods = methods
        self._results = results
        self._jobs = jobs
        self._device = device

    def entries(self) -> tuple[PairEntry, ...]:
        """Return all pairs that can be chosen."""
        return self._catalogue.entries()

    def methods(self) -> tuple[tuple[str, str], ...]:
        """Return (id, title) of all methods that can be chosen."""
        return self._methods.titles

    def default_pair(self) -> str:
        """Return the address of the pair of a first visit."""
        return self._catalogue.default().address

    def find_pair(self, address: str) -> str:
        """Return the address in `entries` of what an address, perhaps part of a content id, leads to.

        Raises
        ------
        UserError
            If it leads nowhere.
        """
        return self._catalogue.find(address).address

    def pair_shape(self, address: str) -> tuple[int, int]:
        """Return (H, W) of a pair, pixels.

        Raises
        ------
        UserError
            If there is no such pair, or its files cannot be used.
        """
        return self.pairs.by_address(address)[1].shape

    def scene(self, pair_address: str, method_id: str) -> Scene:
        """Return what is known of a pair and a method, both loaded if need be.

        Raises
        ------
        UserError
            If either does not exist, or its files cannot be used.
        """
        entry, pair = self.pairs.by_address(pair_address)
        method = self._methods.get(method_id)
        self._results.prepare(method, pair)
        return Scene(
            pair_id=pair.id,
            pair_address=entry.address,
            pair_title=entry.title,
            modalities=entry.modalities,
            simulated=entry.simulated,
            about=entry.about,
            default_pixel=entry.default_pixel,
            method_id=method.id,
            method_title=method.title,
            method_note=method.note,
            weights_id=method.weights_id,
            height=pair.shape[0],
            width=pair.shape[1],
            support_radius=method.locality_at(pair.shape).support_radius,
            device=str(method.device),
        )

    def pair(self, scene: Scene) -> Pair:
        """Return the images of a scene.

        Raises
        ------
        UserError
            If their files were changed or removed since the scene was made, and memory holds them no more.
        """
        return self.pairs.by_content(scene.pair_id, scene.pair_address)

    def regions(self, scene: Scene) -> dict[str, np.ndarray]:
        """Return the known regions of a scene's pair, bool (H, W) each, by name; none for most pairs."""
        return dict(self._catalogue.regions(self._catalogue.find(scene.pair_address)))

    def fused(self, scene: Scene) -> np.ndarray:
        """Return the fused image, float32 (H, W), nominally 0 to 1, read-only.

        Raises
        ------
        UserError
            If the method cannot be run on these images.
        """
        return self._results.fused(self._method_of(scene), scene.pair_id, lambda: self.pair(scene))

    def jacobian(self, scene: Scene, row: int, col: int, exact: bool = False) -> JacobianWindow:
        """Return the Jacobian window of a principal pixel, 0-based; its values are read-only. `exact`: for files.

        Raises
        ------
        UserError
            If the pixel is outside the image, or the method cannot be run on it.
        """
        window = self._results.exact_window if exact else self._results.window
        return window(self._method_of(scene), self.pair(scene), row, col)

    def jacobian_at(self, pair: str, method: str, weights: str, row: int, col: int) -> JacobianWindow:
        """Return the Jacobian window at an address, without the catalogue as long as memory has the pair.

        Parameters
        ----------
        pair, weights : str
            Content id of the pair and sha256 of the weights, 64 hexadecimal digits each.
        method : str
            Id of the method.
        row, col : int
            The principal pixel, 0-based.

        Raises
        ------
        UserError
            If any of them does not exist, or not any more.
        """
        return self._results.window(self._current(method, weights), self.pairs.by_content(pair), row, col)

    def known_guidance(self, scene: Scene) -> np.ndarray | None:
        """Return finished guidance images, float32 (2, H, W), read-only, or ``None``; starts nothing."""
        kept = self._results.guidance(self._method_of(scene), scene.pair_id)
        return None if kept is None else kept[0]

    def guidance_rgb(self, guidance: np.ndarray, fused: np.ndarray) -> np.ndarray:
        """Return guidance RGB, see `fusion.guidance_rgb`."""
        return fusion.guidance_rgb(guidance, fused)

    def filled(self, guidance: np.ndarray) -> np.ndarray:
        """Return growing guidance images without gaps, for display, see `fusion.saliency.guidance.filled`."""
        return filled(guidance)

    def guidance_state(self, scene: Scene, viewer: str, start: bool = True) -> GuidanceState:
        """Return how far the guidance images are, and keep their computation alive for this viewer.

        Parameters
        ----------
        scene : Scene
            What to compute.
        viewer : str
            Who asks: one open page.
        start : bool
            Whether to start the computation, again if it was cancelled or failed, or to join that of others.
            A viewer that follows a computation, or has cancelled it, asks with ``False``.

        Raises
        ------
        UserError
            If the images are not to be had any more.
        """
        method = self._method_of(scene)
        kept = self._results.guidance(method, scene.pair_id)
        if kept is not None:
            return finished(*kept)
        name = self._results.guidance_name(method, scene.pair_id)
        if not start:
            return followed(self._jobs.poll(name, viewer))
        pair = self.pair(scene)
        return followed(self._jobs.submit(name, lambda: self._results.guidance_stages(method, pair), viewer))

    def cancel_guidance(self, scene: Scene, viewer: str) -> None:
        """Take this viewer's interest back; the computation stops unless others follow it."""
        self._jobs.cancel(self._results.guidance_name(self._method_of(scene), scene.pair_id), viewer)

    def ready(self) -> Readiness:
        """Tell whether the device computes and all weights are loaded. A store that fails is only told."""
        problems = (*device_problems(self._device), *self._methods.problems())
        store = self._results.problem
        return Readiness(not problems, problems if store is None else (*problems, store))

    def close(self) -> None:
        """Stop all jobs."""
        self._jobs.close()
        self._results.close()

    def _method_of(self, scene: Scene) -> Method:
        return self._current(scene.method_id, scene.weights_id)

    def _current(self, method_id: str, weights: str) -> Method:
        """Return a method, but not with other weights than those that somebody refers to."""
        method = self._methods.get(method_id)
        if method.weights_id != weights:
            raise WeightsError(
                f"{method.title} has other weights now than when this was shown. Reload the page."
            )
        return method

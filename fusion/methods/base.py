"""Fusion methods: networks y = f(x1, x2) with all that is needed to differentiate them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fusion.device import full_precision
from fusion.errors import NetworkError, PrecisionError, SupportRadiusError
from fusion.methods.adapting import Adaptation, Adapted, Output, Sizes, as_network
from fusion.methods.identity import network_digest, weights_digest
from fusion.network import NetworkState
from fusion.network_copies import SINGLE_TOLERANCE, InSingle, converted, copied
from fusion.pair import Pair
from fusion.saliency.crops import Locality
from fusion.saliency.numbers import Numbers, find_numbers
from fusion.saliency.support import declared_locality, locality_at, probe_locality
from fusion.saliency.window import JacobianWindow, Pixel

FIRST_VARIANT = 100
"""`MethodSpecification.order` from which on a method is a variant of another."""

SupportRadius = tuple[int, int] | None
"""The distance (Chebyshev, pixels) that each input reaches; ``None`` where it is the whole image."""


@dataclass(frozen=True)
class MethodSpecification:
    """The declaration of a method by the file of this folder that holds it.

    Parameters
    ----------
    id : str
        The name used in addresses, links and on the command line.
    title : str
        The name shown to people.
    build : callable
        Makes the network, y = f(x1, x2) on (B, 1, H, W) tensors, with fresh parameters.
    support_radius : tuple of int or None
        The declared radius for x1 and x2, in pixels. It is checked by NaN probing at load.
    order : int
        Where the method stands in lists: the five of the paper have 0 to 4, baselines 50 to 99, variants 100 and on.
    trained : bool
        Whether the network has weights, in ``fusion/weights/<id>.safetensors``.
    note : str
        One sentence that users should read beside the method's results.
    """

    id: str
    title: str
    build: Callable[[], nn.Module]
    support_radius: SupportRadius
    order: int
    trained: bool = True
    note: str = ""


class Elsewhere(Protocol):
    """Place where a method is computed that must not run in this process, asked what the functions of `fusion` are."""

    def fuse(self, pair: Pair, dtype: str) -> NDArray[np.floating]:
        """See `fusion.fuse`."""

    def jacobians(
        self, pair: Pair, pixels: list[Pixel], dtype: str, batch_size: int, ahead: bool
    ) -> list[JacobianWindow]:
        """See `fusion.jacobians`."""

    def guidance(
        self, pair: Pair, progress: Callable[[int, int, NDArray[np.floating]], None] | None, dtype: str
    ) -> NDArray[np.floating]:
        """See `fusion.guidance`."""

    def estimated_guidance(
        self,
        pair: Pair,
        rounds: int,
        spacing: int,
        seed: int,
        progress: Callable[[int, int], None] | None,
        dtype: str,
    ) -> tuple[NDArray[np.floating], NDArray[np.floating], int, int]:
        """See `fusion.estimated_guidance`; returns what a `GuidanceEstimate` is made of."""

    def prepare(self, pair: Pair, dtype: str, progress: Callable[[float], None] | None) -> None:
        """See `fusion.prepare`."""


class Method:
    """A fusion operator y = f(x1, x2), ready to be differentiated.

    Attributes
    ----------
    id, title, note : str
        See `MethodSpecification`.
    network : torch.nn.Module
        In evaluation mode, float32, on `device`, its parameters frozen.
    support_radius : tuple of int or None
        (r1, r2) in pixels for x1 and x2; ``None`` for a method whose support is the whole image.
    weights_id : str
        sha256 (64 hexadecimal digits) of the weights: of the file where there is one, else of the id
        and all parameters and buffers; of a wrapped network its program and attributes too.
    locality : Locality
        Which crops of an image give the whole image's derivatives exactly; see `locality_at` too.
    elsewhere : Elsewhere or None
        Where it is computed, if not in this process.
    checks : tuple of str
        What else than its derivatives was compared, and how far that was apart.
    """

    elsewhere: Elsewhere | None = None
    checks: tuple[str, ...] = ()

    def __init__(
        self,
        id: str,
        title: str,
        network: nn.Module,
        locality: Locality,
        weights_id: str,
        device: torch.device,
        note: str = "",
    ) -> None:
        self.id = id
        self.title = title
        self.note = note
        self.network = converted(network, torch.float32, device)
        self.locality = locality
        self.weights_id = weights_id
        self.device = device
        full_precision(device)
        self._double: tuple[NetworkState, nn.Module] | None = None
        self._localities: dict[tuple[int, int], Locality | NetworkError] = {}
        self._numbers: list[Numbers | None] = []
        self._checking = threading.Lock()

    def __repr__(self) -> str:
        return f"Method({self.id!r}, support_radius={self.support_radius}, weights_id={self.weights_id[:12]})"

    @property
    def support_radius(self) -> SupportRadius:
        """(r1, r2) in pixels, or ``None`` where the support is the whole image."""
        return self.locality.support_radius

    @property
    def numbers(self) -> Numbers | None:
        """The numbers through which it sees the whole image, found when first asked for; ``None`` where it does not.

        With them held for a pair, derivatives are those of a local network and a few products (`fusion.saliency.held`).
        """
        if self.locality.radius is not None or self.elsewhere is not None:
            return None
        with self._checking:
            if not self._numbers:
                self._numbers.append(find_numbers(self.network))
        return self._numbers[0]

    def locality_at(self, shape: tuple[int, int]) -> Locality:
        """Return which crops of images of a shape (H, W) are exact.

        That is `locality` where it follows from the network's program. Of other networks crops are held against the
        whole image at the first image of a shape, which takes as long as a few whole-image derivatives.

        Raises
        ------
        NetworkError
            If the network cannot be run on images of this shape.
        """
        if self.locality.holds_for(shape):
            return self.locality
        if shape not in self._localities:
            with self._checking:
                if shape not in self._localities:
                    self._localities[shape] = self._found_at(shape)
        found = self._localities[shape]
        if isinstance(found, NetworkError):
            raise type(found)(*found.args)
        return found

    def _found_at(self, shape: tuple[int, int]) -> Locality | NetworkError:
        try:
            return locality_at(self.network, self.locality, shape)
        except NetworkError as error:
            return error.with_traceback(None)

    @classmethod
    def from_module(
        cls,
        network: nn.Module | Callable[..., Any],
        id: str,
        title: str,
        device: torch.device | str = "cpu",
        *,
        channels: int = 1,
        value_range: tuple[float, float] = (0.0, 1.0),
        output: Output = None,
        sizes: Sizes = None,
    ) -> Method:
        """Wrap any network y = f(x1, x2) of (B, 1, H, W) tensors; its support radius is probed.

        The network is copied: the caller's module is not changed.

        Parameters
        ----------
        network : torch.nn.Module or callable
            Takes two (B, 1, H, W) tensors and returns one of the same shape. A module, a program of TorchScript or
            `torch.export`, or a plain function.
        id, title : str
            The names used in addresses and shown to people.
        device : torch.device or str
            Where to run it.
        channels : int
            As many times each gray image is given to it, (B, channels, H, W); of as many channels that it returns the
            mean is taken.
        value_range : tuple of float
            What it takes and returns for black and for white, as (0, 255).
        output : int, str or tuple of these, optional
            Which of its results is the fused image, where it returns several.
        sizes : int or tuple of int, optional
            An int: images are padded to a multiple of it at the bottom and right, by reflection, and the fused image
            is cut. Two: the only height and width that it takes, which need not be said where it can be found out.

        Returns
        -------
        Method
            A network that runs in float32 only is taken, and its note says so: its derivatives agree with those of the
            whole image within `fusion.network_copies.SINGLE_TOLERANCE` of the largest.

        Raises
        ------
        NetworkError
            If the network cannot be run, or its output has another shape than its inputs.
        NoDerivativeError
            If the fused image depends on an image and no gradient comes back to it, or it is random.
        """
        adaptation = Adaptation(channels, value_range, output, sizes)
        own = copied(as_network(network))
        if adaptation != Adaptation():
            own = Adapted(own, adaptation)
        return cls.from_own(own, id, title, torch.device(device), network_digest(id, own), adaptation.fixed)

    @classmethod
    def from_own(
        cls,
        own: nn.Module,
        id: str,
        title: str,
        device: torch.device,
        weights_id: str,
        fixed: tuple[int, int] | None,
        note: str = "",
    ) -> Method:
        """Make a method of a network that nobody else uses; its support radius is probed.

        Parameters
        ----------
        own : torch.nn.Module
            y = f(x1, x2) of (B, 1, H, W) tensors. It is changed.
        id, title, note : str
            See `MethodSpecification`.
        device : torch.device
            Where to run it.
        weights_id : str
            See `Method`.
        fixed : tuple of int, optional
            The only height and width that it takes.

        Raises
        ------
        NetworkError
            See `from_module`.
        """
        try:
            locality = probe_locality(own, fixed)
        except PrecisionError as error:
            if _mixes_precisions(own, fixed or MIXED_SHAPE):
                raise
            try:
                own = InSingle(own)
                locality = probe_locality(own, fixed)
            except NetworkError:
                raise error from None
            single = (
                "This network runs in float32 only: derivatives agree with those of the whole image within "
                f"{SINGLE_TOLERANCE:g} of the largest, in both precisions."
            )
            note = f"{note} {single}".strip()
        return cls(id, title, own, locality, weights_id, device, note)

    @classmethod
    def from_specification(
        cls,
        specification: MethodSpecification,
        network: nn.Module,
        weights_id: str | None,
        device: torch.device,
    ) -> Method:
        """Make a registered method of its network; the declared support is checked by NaN probing.

        Raises
        ------
        SupportRadiusError
            If the probe finds another radius than the specification declares.
        """
        network = network.eval().requires_grad_(False)
        try:
            locality = declared_locality(network, specification.support_radius)
        except SupportRadiusError as error:
            raise SupportRadiusError(f"Method {specification.id}: {error}") from error
        digest = weights_id or weights_digest(specification.id, network)
        return cls(
            specification.id, specification.title, network, locality, digest, device, specification.note
        )

    def network_as(self, dtype: torch.dtype) -> nn.Module:
        """Return the network with parameters of `dtype` (float32 or float64), made once for the same weights."""
        if dtype == torch.float32:
            return self.network
        if dtype != torch.float64:
            raise ValueError(f"dtype is float32 or float64, not {dtype}")
        if self._double is None or not self._double[0].is_current():
            double = converted(copied(self.network), torch.float64, self.device)
            self._double = NetworkState(self.network), double
        return self._double[1]


MIXED_SHAPE = (64, 64)
"""Height and width of images that a network is tried on to see whether it keeps any of float64's digits."""


@torch.no_grad()
def _mixes_precisions(network: nn.Module, shape: tuple[int, int]) -> bool:
    """Tell whether a network with weights in float32 makes a float64 image of float64 images.

    It does where it casts some values itself and others not. It could then run in float64 if it cast none.
    """
    images = [torch.rand(1, 1, *shape, dtype=torch.float64) for _ in range(2)]
    try:
        result = converted(copied(network), torch.float32, "cpu")(*images)
    except Exception:  # noqa: BLE001 - whatever a user's network may raise
        return False
    return isinstance(result, Tensor) and result.dtype == torch.float64

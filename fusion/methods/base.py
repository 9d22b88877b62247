"""Fusion methods: networks y = f(x1, x2) with all that is needed to differentiate them."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from fusion.device import full_precision
from fusion.errors import SupportRadiusError
from fusion.network import NetworkState
from fusion.saliency.support import Locality, declared_locality, locality_at, probe_locality

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
        Where the method stands in lists: the five of the paper have 0 to 4, variants 100 and on.
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
        and all parameters and buffers.
    locality : Locality
        Which crops of an image give the whole image's derivatives exactly; see `locality_at` too.
    """

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
        self.network = network.to(device=device, dtype=torch.float32).eval().requires_grad_(False)
        self.locality = locality
        self.weights_id = weights_id
        self.device = device
        full_precision(device)
        self._double: tuple[NetworkState, nn.Module] | None = None
        self._localities: dict[tuple[int, int], Locality] = {}

    def __repr__(self) -> str:
        return f"Method({self.id!r}, support_radius={self.support_radius}, weights_id={self.weights_id[:12]})"

    @property
    def support_radius(self) -> SupportRadius:
        """(r1, r2) in pixels, or ``None`` where the support is the whole image."""
        return self.locality.support_radius

    def locality_at(self, shape: tuple[int, int]) -> Locality:
        """Return which crops of images of a shape (H, W) are exact.

        That is `locality`, or the whole image where the network strides and treats these sides in a way of its
        own, which is found out at the first such image.
        """
        if self.locality.alignment == 1:
            return self.locality
        if shape not in self._localities:
            self._localities[shape] = locality_at(self.network, self.locality, shape)
        return self._localities[shape]

    @classmethod
    def from_module(
        cls, network: nn.Module, id: str, title: str, device: torch.device | str = "cpu"
    ) -> Method:
        """Wrap any network y = f(x1, x2) of (B, 1, H, W) tensors; its support radius is probed.

        The network is copied: the caller's module is not changed.

        Parameters
        ----------
        network : torch.nn.Module
            Takes two (B, 1, H, W) tensors and returns one of the same shape.
        id, title : str
            The names used in addresses and shown to people.
        device : torch.device or str
            Where to run it.

        Returns
        -------
        Method

        Raises
        ------
        NetworkError
            If the network cannot be run, or its output has another shape than its inputs.
        """
        own = copy.deepcopy(network).eval().requires_grad_(False)
        locality = probe_locality(own)
        return cls(id, title, own, locality, weights_digest(id, own), torch.device(device))

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
            self._double = NetworkState(self.network), copy.deepcopy(self.network).double()
        return self._double[1]


def weights_digest(id: str, network: nn.Module) -> str:
    """Return the sha256 of a method's id and all parameters and buffers of its network, in name order."""
    digest = hashlib.sha256(f"{id}\n{network}\n".encode())
    for name, tensor in sorted(network.state_dict().items()):
        array = tensor.detach().cpu().contiguous()
        digest.update(f"{name}:{array.dtype}:{tuple(array.shape)}\n".encode())
        digest.update(array.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()

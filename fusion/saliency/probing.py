"""Probing a network: how far a change of one pixel spreads, and whether it is the same everywhere and for all values.

A NaN in one input pixel spreads through the forward pass to exactly those fused pixels that the input pixel
can reach, dead rectifiers or not. (Backward it does not: rectifiers and maxima turn a NaN cotangent into 0.)
What replaces NaNs, or selects other values, is made to let them through. What else hides them may be noticed by a
very large number, though where it is depends on the values.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from fusion.errors import NoDerivativeError
from fusion.network import USUAL_CAUSES, apply_network
from fusion.network_copies import TOLERANCE, converted, copied, tolerance_of
from fusion.saliency.window import gradient

HUGE = 1e30
DARK = 1e-6
"""Brightness of a background. Not 0: where all is equal, which of two is the larger one is a matter of rounding."""

SHIFTS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
"""Pixels, by which images are moved to see whether the fused image moves with them."""

_aten = torch.ops.aten
_DECIDING = {_aten._local_scalar_dense, _aten.equal, _aten.is_nonzero, _aten.nonzero, _aten.masked_select}
"""Operations whose result, or its size, leaves the world of tensors."""
_SELECTING = {_aten.where, _aten.fmax, _aten.fmin}
"""Operations in whose result a NaN of any argument may be missing."""
_REPLACING = {
    _aten.nan_to_num, _aten.nan_to_num_, _aten.masked_fill, _aten.masked_fill_, _aten.index_put, _aten.index_put_,
    _aten.masked_scatter, _aten.masked_scatter_,
}  # fmt: skip
"""Operations in whose result a NaN of the first argument may be missing."""


def double_copy(network: nn.Module) -> nn.Module:
    """Copy a network to the CPU in float64, frozen."""
    return converted(copied(network), torch.float64, "cpu")


def sample(shape: tuple[int, int], seed: int) -> Tensor:
    """Make a pair of images to probe with: noise, dark and bright parts as slices have them.

    Noise alone would leave branches asleep that a black background wakes.

    Parameters
    ----------
    shape : tuple of int
        (H, W), pixels.
    seed : int
        Of the noise.

    Returns
    -------
    torch.Tensor
        (1, 2, H, W) float64 in [0, 1].
    """
    height, width = shape
    generator = torch.Generator().manual_seed(seed)
    noise = torch.rand(1, 2, height, width, dtype=torch.float64, generator=generator)
    upper, left = height // 3, width // 3
    noise[:, :, :upper, :left] *= DARK
    noise[:, :, upper : 2 * upper, :left] *= 0.05
    noise[:, 0, :upper, -left:] *= DARK
    noise[:, 1, -upper:, :left] *= DARK
    noise[:, :, -upper:, -left:] = 1 - DARK * noise[:, :, -upper:, -left:]
    return noise


def nan_reaches(network: nn.Module, side: int) -> tuple[int, int]:
    """Return how far a NaN in the middle pixel of each input of side × side pixels spreads."""
    inputs = sample((side, side), seed=0)
    first, second = (_reach(network, inputs, index, torch.nan, None) for index in (0, 1))
    return first, second


@torch.no_grad()
def reaches_of_pixel(network: nn.Module, side: int) -> tuple[int, int]:
    """Return how far any value in the middle pixel, or in a corner, of each input of side × side pixels spreads.

    That is as far as a NaN does, and half the side where other values spread farther: such a network hides NaNs. How
    far other values spread depends on what they meet, so that no radius is certain. From a corner of what is padded
    in circles, a NaN comes to the other side.
    """
    inputs = sample((side, side), seed=0)
    fused = apply_network(network, inputs)[0]
    found = list(nan_reaches(network, side))
    for index in (0, 1):
        for corner in ((0, 0), (side - 1, side - 1)):
            spread = touched(network, inputs, pixel_of(inputs, index, *corner), torch.nan)
            found[index] = max(found[index], farthest(spread, corner))
        if any(_reach(network, inputs, index, value, fused) > found[index] for value in (HUGE, -HUGE)):
            found[index] = side // 2
    return found[0], found[1]


def _reach(network: nn.Module, inputs: Tensor, index: int, value: float, fused: Tensor | None) -> int:
    middle = inputs.shape[2] // 2
    changed = pixel_of(inputs, index, middle, middle)
    return farthest(touched(network, inputs, changed, value, fused), (middle, middle))


@torch.no_grad()
def reach_of_phases(network: nn.Module, index: int, side: int, alignment: int) -> int:
    """Return how far NaNs spread over all phases of a strided network.

    A whole row (column) of NaNs at once stands for all column (row) phases, so that 2·alignment passes do.
    """
    reach = 0
    for phase in range(alignment):
        line = side // 2 - alignment // 2 + phase
        inputs = sample((side, side), seed=phase)
        for axis in (0, 1):
            found = touched(network, inputs, line_of(inputs, index, axis, line), torch.nan)
            lines = found.any(dim=1 - axis).nonzero()[:, 0]
            reach = max(reach, int((lines - line).abs().max()) if len(lines) else 0)
    return reach


def equivariant_shift(
    network: nn.Module, side: int, reach: int, shifts: Sequence[int] = SHIFTS
) -> int | None:
    """Return the smallest of some shifts under which the fused image, and what it sees, move with its inputs."""
    for shift in shifts:
        # Strided networks reach further in some phases than in the probed one.
        margin = reach + 2 * shift
        if 2 * margin + shift >= side:
            return None
        if _moves(network, side, shift, margin) and follows(network, side, shift, reach):
            return shift
    return None


@torch.no_grad()
def _moves(network: nn.Module, side: int, shift: int, margin: int) -> bool:
    """Return whether the fused image moves with its inputs, away from the border."""
    inputs = sample((side, side), seed=1)
    fused = apply_network(network, inputs)[0]
    inner = slice(margin, side - margin)
    moved = slice(margin + shift, side - margin + shift)
    tolerance = tolerance_of(network)
    return all(
        close(
            apply_network(network, inputs.roll(shift, dims=axis + 2))[0][place],
            fused[inner, inner],
            tolerance,
        )
        for axis, place in ((0, (moved, inner)), (1, (inner, moved)))
    )


@torch.no_grad()
def follows(network: nn.Module, side: int, shift: int, reach: int) -> bool:
    """Return whether a NaN one shift further spreads to what lies one shift further, whatever the values are.

    Values alone would not tell of a branch that strides but is asleep in the probe images.

    Parameters
    ----------
    network : torch.nn.Module
        In evaluation mode, float64, on the CPU.
    side : int
        Of the probe images, pixels.
    shift : int
        Pixels, by which the NaN is moved along both axes.
    reach : int
        Pixels, as far as NaNs are known to spread.
    """
    inputs = sample((side, side), seed=1)
    middle = side // 2
    for index in (0, 1):
        first, second = (
            touched(network, inputs, pixel_of(inputs, index, at, at), torch.nan)
            for at in (middle, middle + shift)
        )
        width = min(reach + shift, middle, side - 1 - middle - shift)
        around, moved = (slice(at - width, at + width + 1) for at in (middle, middle + shift))
        if not torch.equal(first[around, around], second[moved, moved]):
            return False
    return True


@torch.no_grad()
def decides_by_values(network: nn.Module, inputs: Tensor) -> bool:
    """Return whether anything computed from the images becomes a number or a size of the program.

    A network that says ``if (x1 > 0).all()`` does one thing with the whole image and another with a part of it: no
    crop is safe, however many agree.

    Parameters
    ----------
    network : torch.nn.Module
        y = f(x1, x2), in evaluation mode.
    inputs : torch.Tensor
        (1, 2, H, W), any images that it runs on.

    Raises
    ------
    NetworkError
        If it cannot be run on them.
    """
    with _Watch(inputs) as watch:
        apply_network(network, inputs)
    return watch.decided


class _Mode(TorchDispatchMode):
    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        # Torch would load its compiler to keep it off what is below: 1.5 s and 80 MB.
        return False


class _Watch(_Mode):
    """Follows what is computed from a tensor, by the memory that it lies in."""

    def __init__(self, origin: Tensor) -> None:
        super().__init__()
        self.decided = False
        self._followed = {_memory(origin)}
        self._alive: list[Any] = [origin]  # so that no memory is given to something else meanwhile

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """See `TorchDispatchMode`."""
        kwargs = kwargs or {}
        tensors = [value for value in tree_leaves((args, kwargs)) if isinstance(value, Tensor)]
        followed = [tensor for tensor in tensors if _memory(tensor) in self._followed]
        result = func(*args, **kwargs)
        if not followed:
            return result
        packet = getattr(func, "overloadpacket", None)
        masked = packet is _aten.index and any(tensor.dtype == torch.bool for tensor in tensors)
        self.decided = self.decided or packet in _DECIDING or masked
        changed = tensors[:1] if func._schema.is_mutable else []  # type: ignore[attr-defined]
        for value in (*tree_leaves(result), *changed):
            if isinstance(value, Tensor):
                self._followed.add(_memory(value))
                self._alive.append(value)
        return result


class _LettingThrough(_Mode):
    """Lets NaNs through operations that hide them, though derivatives pass there: those that replace or select."""

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """See `TorchDispatchMode`."""
        kwargs = kwargs or {}
        packet = getattr(func, "overloadpacket", None)
        if packet not in _SELECTING | _REPLACING:
            return func(*args, **kwargs)
        looked_at = args if packet in _SELECTING else args[:1]
        holes = [value.isnan() for value in looked_at if isinstance(value, Tensor)]
        result = func(*args, **kwargs)
        for hole in holes:
            result.masked_fill_(hole, torch.nan)
        return result


def _memory(tensor: Tensor) -> int:
    return tensor.untyped_storage().data_ptr()


@torch.no_grad()
def touched(
    network: nn.Module, inputs: Tensor, change: Tensor, value: float, fused: Tensor | None = None
) -> Tensor:
    """Return which fused pixels notice another value in some input pixels.

    Parameters
    ----------
    network : torch.nn.Module
        In evaluation mode, float64, on the CPU.
    inputs : torch.Tensor
        (1, 2, H, W); not changed.
    change : torch.Tensor
        (1, 2, H, W) bool, the input pixels that get the value.
    value : float
        NaN, or any other.
    fused : torch.Tensor, optional
        (H, W), the fused image of `inputs`, for values other than NaN.

    Returns
    -------
    torch.Tensor
        (H, W) bool.
    """
    changed = inputs.masked_fill(change, value)
    if fused is None or math.isnan(value):
        with _LettingThrough():
            return apply_network(network, changed)[0].isnan()
    return apply_network(network, changed)[0] != fused


def pixel_of(inputs: Tensor, index: int, row: int, column: int) -> Tensor:
    """Return a mask of `inputs`' shape with one pixel of one image."""
    mask = torch.zeros_like(inputs, dtype=torch.bool)
    mask[0, index, row, column] = True
    return mask


def line_of(inputs: Tensor, index: int, axis: int, line: int) -> Tensor:
    """Return a mask with one row (axis 0) or column (axis 1) of one image."""
    mask = torch.zeros_like(inputs, dtype=torch.bool)
    mask[0, index].select(axis, line).fill_(True)
    return mask


def farthest(found: Tensor, start: tuple[int, int]) -> int:
    """Return the Chebyshev distance of the farthest pixel of a (H, W) mask from a pixel; 0 where there is none."""
    places = found.nonzero()
    return int((places - torch.tensor(start)).abs().max()) if len(places) else 0


def close(found: Tensor, expected: Tensor, tolerance: float = TOLERANCE) -> bool:
    """Return whether two tensors are equal but for rounding.

    Parameters
    ----------
    found, expected : torch.Tensor
        float64, of one shape.
    tolerance : float
        See `fusion.network_copies.tolerance_of`.

    Returns
    -------
    bool
        Whether they differ by `tolerance` of the largest magnitude of `expected` at most.
    """
    if not expected.numel():
        return True
    scale = max(float(expected.abs().max()), torch.finfo(torch.float64).tiny)
    return bool((found - expected).abs().max() <= tolerance * scale)


NOISE = 0.05
"""By which images are changed, up and down, to see how many fused pixels notice."""
MOST = 0.5
"""The share of fused pixels that change with an image which is rounded; of one that is only compared, few do."""


def _fused_with_gradient(
    network: nn.Module, inputs: Tensor, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Return the fused image, and the gradient of a random sum of its pixels by both images, (2, H, W)."""
    leaf = inputs.clone().requires_grad_(True)
    with torch.enable_grad():
        fused = apply_network(network, leaf)[0]
        weights = torch.rand(fused.shape, dtype=fused.dtype, generator=generator)
        found = gradient((fused * weights).sum(), leaf)[0]
    return fused.detach(), found


def check_gradients(network: nn.Module, inputs: Tensor) -> None:
    """Make sure that a gradient comes back to each image on which the fused image depends.

    Parameters
    ----------
    network : torch.nn.Module
        In evaluation mode, float64, on the CPU, frozen.
    inputs : torch.Tensor
        (1, 2, H, W), any images that it runs on.

    Raises
    ------
    NoDerivativeError
        If none does, though a NaN in the image reaches the fused image or most fused pixels change with it. What only
        decides between values of the other image, by a comparison, may have no gradient.
    """
    generator = torch.Generator().manual_seed(0)
    fused, found = _fused_with_gradient(network, inputs, generator)
    if (found == 0).all():
        _check_inverted(network, inputs, fused, generator)
    for index in (0, 1):
        if not (found[index] == 0).all():
            continue
        changed = inputs.clone()
        noise = torch.rand(inputs.shape[2:], dtype=inputs.dtype, generator=generator)
        changed[0, index] += NOISE * (2 * noise - 1)
        other, there = _fused_with_gradient(network, changed, generator)
        if (there[index] != 0).any():
            # What is saturated here, as by a clamp, is not so there: nothing is hidden.
            continue
        # Noise may leave the domain of a root or a logarithm: what is not finite then shows no dependence.
        differing = ((other != fused) & other.isfinite() & fused.isfinite()).double().mean()
        everything = torch.zeros_like(inputs, dtype=torch.bool)
        everything[0, index] = True
        hidden = differing > MOST or (differing > 0 and touched(network, inputs, everything, torch.nan).any())
        if hidden:
            raise NoDerivativeError(
                f"The fused image depends on x{index + 1}, but no gradient comes back to that image: its saliency "
                f"would be 0 everywhere. {USUAL_CAUSES}"
            )


def _check_inverted(network: nn.Module, inputs: Tensor, fused: Tensor, generator: torch.Generator) -> None:
    """Refuse a fused image that is another one of inverted images, of which no gradient comes back to either.

    A map of decisions, signs or labels: most of its pixels stay what they are when images change a little, and no NaN
    is left in it.
    """
    other, there = _fused_with_gradient(network, 1 - inputs, generator)
    if (there == 0).all() and ((other != fused) & other.isfinite() & fused.isfinite()).any():
        raise NoDerivativeError(
            "The fused image depends on the images, but no gradient comes back to either, as of a map of decisions, "
            f"signs or labels: its saliency would be 0 everywhere. {USUAL_CAUSES}"
        )


def graph_bytes_a_pixel(
    network: nn.Module, dtype: torch.dtype, device: torch.device, shape: tuple[int, int]
) -> float:
    """Measure how much memory the kept forward pass takes for each pixel of the image, in bytes.

    Counts what autograd saves on a small image, each storage once, parameters left out.

    Parameters
    ----------
    network : torch.nn.Module
        In evaluation mode, of `dtype` and on `device`.
    dtype, device
        Of the images.
    shape : tuple of int
        (H, W), of a small image that it takes.
    """
    parameters = {
        tensor.untyped_storage().data_ptr() for tensor in (*network.parameters(), *network.buffers())
    }
    saved: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in parameters:
            saved[storage.data_ptr()] = storage.nbytes()
        return tensor

    leaf = torch.zeros(1, 2, *shape, dtype=dtype, device=device, requires_grad=True)
    with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        fused = apply_network(network, leaf)
    del fused
    return max(sum(saved.values()) / math.prod(shape), 2.0 * leaf.element_size())

"""Networks that see the whole image through a few numbers: means, variances, maxima or products over all pixels.

Instance norm, group norm, squeeze-and-excitation, global pooling and attention between channels are of this kind. With
these numbers g held as they are for a pair of images, such a network is a local one, and its derivative is
dy(i)/dx = ∂y(i)/∂x + Σ over g of ∂y(i)/∂g · dg/dx (`fusion.saliency.held`).

The numbers are what reductions (`_REDUCTIONS`) return in one shape for images of two sizes. Calls are listened to above
autograd, where the result of one can be replaced by what was held; norms are written out as what they are made of.
"""

from __future__ import annotations

import inspect
import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own name for it
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from fusion.errors import NetworkError
from fusion.network import apply_network
from fusion.network_copies import InSingle
from fusion.saliency.crops import Locality
from fusion.saliency.probing import decides_by_values, double_copy, sample
from fusion.saliency.support import probe_locality

logger = logging.getLogger(__name__)

MOST_NUMBERS = 512
"""Numbers that a network may see the whole image through; each costs two products with a Jacobian a pair."""
SIDES = (64, 96, 128, 192)
"""Pixels. Of images on which the numbers are looked for: what has one shape on two of them is taken for a number."""

_REDUCTIONS = frozenset({
    "adaptive_avg_pool2d", "adaptive_max_pool2d", "amax", "amin", "avg_pool2d", "bmm", "einsum", "logsumexp", "matmul",
    "max", "max_pool2d", "mean", "min", "norm", "prod", "std", "std_mean", "sum", "var", "var_mean", "vector_norm",
})  # fmt: skip
"""Functions, methods and operators of torch whose results may be numbers of the whole image."""
_NORMS = frozenset({"batch_norm", "group_norm", "instance_norm"})
_OPERATOR_NORMS = {
    "batch_norm": ("input", "weight", "bias", "running_mean", "running_var", "training", "momentum", "eps"),
    "group_norm": ("input", "num_groups", "weight", "bias", "eps"),
    "instance_norm": (
        "input", "weight", "bias", "running_mean", "running_var", "use_input_stats", "momentum", "eps",
    ),
}  # fmt: skip
"""Their arguments where they are not those of `torch.nn.functional`."""


@dataclass(frozen=True, eq=False)
class Result:
    """Numbers that one reduction returned.

    Attributes
    ----------
    parts : tuple of Tensor
        Its tensors, one or several.
    kind : type or None
        Of what they are put together in; ``None``: one tensor alone.
    seen : tuple of int
        The shape of what was reduced.
    """

    parts: tuple[Tensor, ...]
    kind: type | None
    seen: tuple[int, ...]

    @property
    def form(self) -> tuple[tuple[int, ...], ...]:
        """The shapes of its parts, the same for all images where it is a number."""
        return tuple(tuple(part.shape) for part in self.parts)

    def for_batch(self, batch: int) -> Any:
        """Return it as the reduction would, for a batch of pairs with the same numbers."""
        own = self.seen[0] if self.seen else 1
        repeats = batch // own
        repeated = [
            part.repeat(repeats, *[1] * (part.ndim - 1))
            if repeats > 1 and part.ndim and part.shape[0] == own
            else part
            for part in self.parts
        ]
        return repeated[0] if self.kind is None else self.kind(repeated)


class _Reducing(TorchFunctionMode):
    """Numbers the reductions of a run and hands each to `reduced`."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def __torch_function__(
        self, func: Any, types: Sequence[type], args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """See `TorchFunctionMode`."""
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "").split(".")[0].strip("_")
        if name in _NORMS:
            return self._norm(name, func, args, kwargs)
        if name in _REDUCTIONS:
            seen = next((value for value in (*args, *kwargs.values()) if isinstance(value, Tensor)), None)
            if seen is not None:
                return self._numbered(seen, lambda: func(*args, **kwargs))
        return func(*args, **kwargs)

    def reduced(self, number: int, seen: Tensor, compute: Callable[[], Any]) -> Any:
        """Return the result of a reduction, the `number`-th of the run."""
        raise NotImplementedError

    def _numbered(self, seen: Tensor, compute: Callable[[], Any]) -> Any:
        self.calls += 1
        return self.reduced(self.calls - 1, seen, compute)

    def _norm(self, name: str, func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        """Write a norm that takes the image's own statistics out as mean, variance and what is done with them."""
        if func is getattr(F, name):
            given = inspect.signature(func).bind(*args, **kwargs)
            given.apply_defaults()
            found = given.arguments
        else:
            found = {**dict(zip(_OPERATOR_NORMS[name], args, strict=False)), **kwargs}
        own = {"batch_norm": "training", "instance_norm": "use_input_stats"}.get(name)
        values = found["input"]
        if own is not None and not found.get(own, name == "instance_norm"):
            return func(*args, **kwargs)
        groups = found["num_groups"] if name == "group_norm" else values.shape[1]
        many = values.shape[1] // groups

        def statistics() -> tuple[Tensor, Tensor]:
            variance, mean = torch.var_mean(
                values.flatten(2).unflatten(1, (groups, many)), (2, 3), correction=0
            )
            return variance[:, :, None, None], mean[:, :, None, None]

        variance, mean = self._numbered(values, statistics)
        if many > 1:
            variance, mean = (value.repeat_interleave(many, 1) for value in (variance, mean))
        result = (values - mean) * (variance + found.get("eps", 1e-5)).rsqrt()
        weight, bias = found.get("weight"), found.get("bias")
        if weight is not None:
            result = result * weight[:, None, None]
        return result if bias is None else result + bias[:, None, None]


class _Recording(_Reducing):
    def __init__(self) -> None:
        super().__init__()
        self.results: list[Result] = []

    def reduced(self, number: int, seen: Tensor, compute: Callable[[], Any]) -> Any:
        """Compute it and keep it."""
        result = compute()
        kind = None if isinstance(result, Tensor) else type(result)
        parts = (result,) if kind is None else tuple(result)
        self.results.append(Result(parts, kind, tuple(seen.shape)))
        return result


class _Holding(_Reducing):
    def __init__(self, held: dict[int, Result]) -> None:
        super().__init__()
        self._held = held

    def reduced(self, number: int, seen: Tensor, compute: Callable[[], Any]) -> Any:
        """Return what is held in its place, if anything."""
        if number not in self._held:
            return compute()
        with torch._C.DisableTorchFunction():  # chains give sizes that refuse to be computed with
            batch = seen.shape[0] if seen.ndim else 1
        return self._held[number].for_batch(batch)


def recorded(network: nn.Module, inputs: Tensor) -> tuple[Tensor, list[Result]]:
    """Fuse a pair and keep what each reduction returns, part of autograd's graph if that is on.

    Parameters
    ----------
    network : torch.nn.Module
        In evaluation mode.
    inputs : torch.Tensor
        (1, 2, H, W).

    Returns
    -------
    Tensor
        (H, W), the fused image.
    list of Result
        In the order of the calls.
    """
    with _Recording() as recording:
        fused = apply_network(network, inputs)[0]
    return fused, recording.results


class Held(nn.Module):
    """A network in which the numbers of one pair are held, so that it is a local one.

    Parameters
    ----------
    network : torch.nn.Module
        Is shared, not copied.
    results : dict
        What to hold, by the number of the reduction in a run.
    """

    def __init__(self, network: nn.Module, results: dict[int, Result]) -> None:
        super().__init__()
        self.network = network
        self._forms = {
            number: (len(result.parts), result.kind, result.seen) for number, result in results.items()
        }
        for number, result in results.items():
            for place, part in enumerate(result.parts):
                self.register_buffer(f"number_{number}_{place}", part.detach())

    def held(self) -> dict[int, Result]:
        """Return what is held, of the precision and on the device of the network."""
        return {
            number: Result(
                tuple(getattr(self, f"number_{number}_{place}") for place in range(count)), kind, seen
            )
            for number, (count, kind, seen) in self._forms.items()
        }

    def forward(self, x1: Tensor, x2: Tensor) -> Any:
        """Fuse a batch of pairs, or of crops of the pair."""
        return run_held(self.network, self.held(), x1, x2)


def run_held(network: nn.Module, held: dict[int, Result], x1: Tensor, x2: Tensor) -> Any:
    """Run a network with some of its reductions' results held."""
    with _Holding(held):
        return network(x1, x2)


@dataclass(frozen=True)
class Numbers:
    """The numbers through which a network sees the whole image.

    Attributes
    ----------
    calls : tuple of int
        Which reductions of a run return them.
    count : int
        How many numbers that are.
    forms : tuple
        The form of the result of each of these calls.
    locality : Locality
        Of the network with the numbers held.
    """

    calls: tuple[int, ...]
    count: int
    forms: tuple[tuple[tuple[int, ...], ...], ...]
    locality: Locality

    def of(self, results: Sequence[Result]) -> dict[int, Result] | None:
        """Return those among the results of a run; ``None`` where the run was another one than those looked at."""
        if self.calls[-1] >= len(results):
            return None
        found = {call: results[call] for call in self.calls}
        return found if tuple(result.form for result in found.values()) == self.forms else None


@torch.no_grad()
def find_numbers(network: nn.Module) -> Numbers | None:
    """Find the numbers through which a network sees the whole image.

    Parameters
    ----------
    network : torch.nn.Module
        A global one, in evaluation mode. It is not changed.

    Returns
    -------
    Numbers or None
        ``None`` where there are none or too many, where the network is global with them held too, or where its program
        looks at the images' values: the log says which of these it was.
    """
    if isinstance(network, InSingle):
        return None
    probe = double_copy(network)
    try:
        reason, found = _found(probe)
    except NetworkError as error:
        reason, found = str(error), None
    if found is None:
        logger.info("The whole image is not seen through numbers: %s.", reason)
    return found


def _found(probe: nn.Module) -> tuple[str, Numbers | None]:
    runs = _two_runs(probe)
    if runs is None:
        return "it runs on images of one size, or looks at values to decide what to do", None
    first, second = runs
    if len(first) != len(second):
        return "it does something else for each size of images", None
    calls = [
        number
        for number, (one, other) in enumerate(zip(first, second, strict=True))
        if one.form == other.form and one.seen != other.seen
    ]
    count = sum(part.numel() for call in calls for part in first[call].parts if part.is_floating_point())
    if not 0 < count <= MOST_NUMBERS:
        return f"there are {count} numbers, where 1 to {MOST_NUMBERS} can be held", None
    held = {call: first[call] for call in calls}
    locality = probe_locality(Held(probe, held))
    if locality.radius is None:
        return f"with {count} numbers held it sees the whole image still", None
    return "", Numbers(tuple(calls), count, tuple(first[call].form for call in calls), locality)


def _two_runs(probe: nn.Module) -> list[list[Result]] | None:
    """Return the reductions' results on images of two sizes; ``None`` where it decides by values or does not run."""
    found: list[list[Result]] = []
    for side in SIDES:
        inputs = sample((side, side), seed=0)
        try:
            results = recorded(probe, inputs)[1]
            if not results:
                return [[], []]
            if decides_by_values(probe, inputs):
                return None
            found.append(results)
        except NetworkError:
            continue
        if len(found) == 2:
            return found
    return None


def needed_bytes(count: int, shape: tuple[int, int], dtype: torch.dtype) -> int:
    """Return what the derivatives of numbers, and by numbers, take for images of a shape (H, W)."""
    return 3 * count * math.prod(shape) * dtype.itemsize

"""Packing a network into a folder: exported, read again by our own reader, and compared with the original."""

from __future__ import annotations

import io
import json
import logging
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from fusion.errors import FuseVisError, PackedMethodError
from fusion.methods.adapting import Adaptation, as_network
from fusion.methods.base import Method
from fusion.methods.packed.archive import read_archive
from fusion.methods.packed.folders import PackedMethod
from fusion.methods.packed.graph import GraphNetwork
from fusion.network_copies import SINGLE_TOLERANCE, TOLERANCE, converted, copied
from fusion.pair import Pair
from fusion.saliency.chain.windows import chain_of
from fusion.saliency.jacobian import jacobian, prepare

logger = logging.getLogger(__name__)

STEPS = (1, 2, 4, 8, 16, 32)
"""Numbers whose multiples a network may take alone, tried in this order."""
COMPARED = ((40, 56), (72, 48), (64, 64), (97, 81), (61, 120))
"""Heights and widths on which the result is compared with the original, each brought to a multiple."""
COST_SIDE = 128
"""Pixels along a side of the pair on which the cost is measured."""


@dataclass(frozen=True)
class Wanted:
    """A user's words on a network.

    Attributes
    ----------
    adaptation : Adaptation
        What it takes and returns; of `sizes` ``None`` where that is to be found out.
    as_list : bool
        Whether it takes both images in one list.
    title, note : str
        See `fusion.methods.base.MethodSpecification`.
    names : tuple of str
        What both images are; may be empty.
    """

    adaptation: Adaptation
    as_list: bool = False
    title: str = ""
    note: str = ""
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Packed:
    """The outcome of packing.

    Attributes
    ----------
    method : Method
        Loaded again from the folder.
    measured : dict
        What was written into the description.
    remarks : tuple of str
        What could not be done, a sentence each.
    """

    method: Method
    measured: dict[str, Any]
    remarks: tuple[str, ...]


class _Plain(nn.Module):
    """A network of two tensors that returns one, whatever it is given them in and whatever else it returns."""

    def __init__(self, network: nn.Module, wanted: Wanted) -> None:
        super().__init__()
        self.network, self.wanted = network, wanted

    def forward(self, first: Tensor, second: Tensor) -> Any:
        result = self.network([first, second]) if self.wanted.as_list else self.network(first, second)
        output = self.wanted.adaptation.output
        for place in output if isinstance(output, tuple) else () if output is None else (output,):
            result = result[place]
        return result


@dataclass(frozen=True)
class _Export:
    """An exported program, and the sizes that it takes."""

    model: bytes
    step: int
    single: bool
    fixed: tuple[int, int] | None = None


def pack(network: nn.Module | Callable[..., Any], folder: Path, wanted: Wanted) -> Packed:
    """Pack a network into a folder.

    Parameters
    ----------
    network : torch.nn.Module or callable
        With its weights. It is not changed.
    folder : Path
        Its name is the method's id. Files of the same names in it are replaced.
    wanted : Wanted
        What it takes and returns.

    Raises
    ------
    PackedMethodError
        If it cannot be exported, or what was exported is not the same function; with what to try.
    NetworkError
        If it does not fuse images, or has no derivative.
    """
    packed = PackedMethod(folder)
    if not packed.has_valid_id():
        raise PackedMethodError(
            f"{folder}: the folder's name becomes the method's id. Use letters, digits, _ - and . in it."
        )
    plain = converted(_Plain(copied(as_network(network)), wanted), torch.float32, "cpu")
    found, difference = _exported(plain, wanted.adaptation)
    sizes = found.fixed or (found.step if found.step > 1 else None)
    adaptation = replace(wanted.adaptation, output=None, sizes=sizes, single=found.single)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{packed.id}.pt2").write_bytes(found.model)
    file = folder / f"{packed.id}.toml"
    file.write_text(description_text(replace(wanted, adaptation=adaptation), {}), encoding="utf-8")
    method = packed.load_here(torch.device("cpu"))
    measured = _measured(method, found) | {"difference": difference}
    file.write_text(description_text(replace(wanted, adaptation=adaptation), measured), encoding="utf-8")
    return Packed(method, measured, tuple(_remarks(wanted, found, method)))


def _exported(plain: nn.Module, adaptation: Adaptation) -> tuple[_Export, float]:
    """Return the most general export that is the same function, and how far it differs from the original."""
    reasons: list[str] = []
    for attempt in _attempts(adaptation):
        try:
            found = attempt(plain)
            return found, _difference(plain, found, adaptation)
        except FuseVisError as error:
            reasons.append(str(error))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a user's network or torch.export may raise
            reasons.append(
                f"{type(error).__name__}: {str(error).strip().splitlines()[0][:300] if str(error) else ''}"
            )
        logger.info("Not exported: %s", reasons[-1])
    told = "; ".join(dict.fromkeys(reasons[:1] + reasons[-1:]))
    raise PackedMethodError(
        f"The network could not be exported as one function of images of all sizes ({told}). Try --multiple with the "
        "number that it divides sides by, or --fixed HEIGHT WIDTH with the only size that it takes; take Python that "
        "looks at pixels' values, torch.no_grad() and NumPy out of it."
    )


def _attempts(adaptation: Adaptation) -> Iterator[Callable[[nn.Module], _Export]]:
    """Yield ways to export, the most general first."""
    channels = adaptation.channels
    if adaptation.fixed is not None:
        fixed = adaptation.fixed
        for single in (False, True):
            yield lambda plain, single=single: _export(plain, channels, 1, single, fixed)  # type: ignore[misc]
        return
    steps = (adaptation.sizes,) if isinstance(adaptation.sizes, int) else STEPS
    for single in (False, True):
        for step in steps:
            yield lambda plain, step=step, single=single: _export(plain, channels, step, single)  # type: ignore[misc]


def _export(
    plain: nn.Module, channels: int, step: int, single: bool, fixed: tuple[int, int] | None = None
) -> _Export:
    batch = 1 if single else 2
    height, width = fixed or (step * max(2, 40 // step), step * max(3, 56 // step))
    images = torch.rand(batch, channels, height, width), torch.rand(batch, channels, height, width)
    dynamic: dict[int, Any] = {} if single else {0: torch.export.Dim("batch")}
    if fixed is None:
        # Sides that a network pads or mirrors have a least length, which is found out after export.
        sides = (torch.export.Dim(name, min=2) for name in ("height", "width"))
        dynamic |= {
            place: side if step == 1 else step * side for place, side in zip((2, 3), sides, strict=True)
        }
    program = torch.export.export(
        plain, images, dynamic_shapes=(dynamic, dynamic), prefer_deferred_runtime_asserts_over_guards=True
    )
    _without_assertions(program)
    file = io.BytesIO()
    torch.export.save(program, file)
    return _Export(file.getvalue(), step, single, fixed)


def _without_assertions(program: torch.export.ExportedProgram) -> None:
    """Take out what torch asserts of sizes: more than is needed, so that `_difference` finds out what is true."""
    graph = program.graph_module.graph
    for node in list(graph.nodes):
        if node.op == "call_function" and node.target is torch.ops.aten._assert_scalar.default:
            graph.erase_node(node)
    graph.eliminate_dead_code()
    program.graph_module.recompile()
    program._guards_code = []


def _difference(plain: nn.Module, found: _Export, adaptation: Adaptation) -> float:
    """Compare outputs and gradients with the original in float64 at several sizes; return the largest difference.

    Raises
    ------
    PackedMethodError
        If it is more than rounding.
    """
    path = Path("exported.pt2")
    graph = _read_again(found.model, path)
    precision, tolerance = torch.float64, TOLERANCE
    originals = converted(copied(plain), precision, "cpu")
    shapes = [found.fixed] if found.fixed else [_brought(shape, found.step) for shape in COMPARED]
    shapes = [shape for shape in shapes if min(shape) >= max(adaptation.least, graph.rules.least())]
    try:
        _gradients(originals, adaptation.channels, shapes[0], 1, precision)
    except Exception:  # noqa: BLE001 - whatever a network raises that runs in float32 only
        precision, tolerance, originals = torch.float32, SINGLE_TOLERANCE, plain
    ours = converted(graph, precision, "cpu")
    largest = 0.0
    for number, shape in enumerate(shapes):
        batch = 1 if found.single else 1 + number % 2
        pairs = zip(
            _gradients(originals, adaptation.channels, shape, batch, precision),
            _gradients(ours, adaptation.channels, shape, batch, precision),
            strict=True,
        )
        for wanted, got in pairs:
            scale = float(wanted.abs().max()) or 1.0
            apart = float((wanted - got).abs().max()) / scale if wanted.shape == got.shape else math.inf
            largest = max(largest, apart)
        if not largest <= tolerance:
            raise PackedMethodError(
                f"At {shape[0]}×{shape[1]} pixels the exported network differs from the original by {largest:.1g} of "
                "the largest value"
            )
    return largest


def _read_again(model: bytes, path: Path) -> GraphNetwork:
    return GraphNetwork(read_archive(path, content=model), path)


def _brought(shape: tuple[int, int], step: int) -> tuple[int, int]:
    height, width = (max(side // step, 2) * step for side in shape)
    return height, width


def _gradients(
    network: nn.Module, channels: int, shape: tuple[int, int], batch: int, dtype: torch.dtype
) -> tuple[Tensor, ...]:
    """Return a network's output and the gradients of a random weighting of it, the same for the same arguments."""
    noise = torch.Generator().manual_seed(math.prod(shape))
    images = [
        torch.rand(batch, channels, *shape, generator=noise, dtype=torch.float64).to(dtype) for _ in range(2)
    ]
    images = [image.requires_grad_() for image in images]
    output = network(*images)
    if not isinstance(output, Tensor):
        raise PackedMethodError(
            f"The network returned a {type(output).__name__} where a tensor is expected. Say which of its results is "
            "the fused image, as --output 0"
        )
    if output.shape[0] != batch:
        raise PackedMethodError(f"Of {batch} pairs the network returned {output.shape[0]} images")
    weighting = torch.rand(output.shape, generator=noise, dtype=torch.float64).to(dtype)
    found = torch.autograd.grad((output * weighting).sum(), images, allow_unused=True)
    gradients = (torch.zeros_like(images[0]) if one is None else one for one in found)
    return (output.detach(), *gradients)


def _measured(method: Method, found: _Export) -> dict[str, Any]:
    """Return what is known of a method: radius, path, cost of a Jacobian, digest."""
    side = COST_SIDE // found.step * found.step
    height, width = found.fixed or (side, side)
    pair = Pair.from_arrays(*torch.rand(2, height, width).numpy())
    path = _path(method)
    prepare(method, pair)
    pixel = height // 2, width // 2
    jacobian(method, pair, pixel)
    started = time.perf_counter()
    jacobian(method, pair, pixel)
    took = time.perf_counter() - started
    radius = method.support_radius
    return {
        "radius": "whole image" if radius is None else list(radius),
        "path": path,
        "jacobian_ms": round(1000 * took, 2),
        "measured_at": [height, width],
        "digest": method.weights_id,
        "torch": torch.__version__,
    }


def _path(method: Method) -> str:
    """Return the way in which a method's derivatives are computed."""
    if method.support_radius is None:
        return "whole image"
    return "crops" if chain_of(method, torch.float32) is None else "chain"


def _remarks(wanted: Wanted, found: _Export, method: Method) -> Iterator[str]:
    given = wanted.adaptation.sizes
    if found.step > 1 and given is None:
        yield (
            f"It could be exported for sides that are multiples of {found.step} only: other images are padded to one "
            "by reflection, which may not be what the network itself does."
        )
    if found.single:
        yield "It takes one pair at a time only, so that windows are computed one after the other."
    if method.support_radius is None:
        yield (
            "Its support is the whole image: a Jacobian takes the whole image's backward pass, and guidance images one "
            "for each pixel."
        )


def description_text(wanted: Wanted, measured: Mapping[str, Any]) -> str:
    """Return the text of a description, without what is as it is by default.

    Parameters
    ----------
    wanted : Wanted
        With all that is known of sizes.
    measured : mapping
        What was found out.
    """
    chosen, default = asdict(wanted.adaptation), asdict(Adaptation())
    chosen["order"] = ("x2", "x1") if chosen["swapped"] else None
    fixed = wanted.adaptation.fixed
    tables: dict[str, dict[str, Any]] = {
        "": {"title": wanted.title, "note": wanted.note},
        "inputs": {
            "order": chosen["order"],
            "names": wanted.names,
            "channels": chosen["channels"] if chosen["channels"] > 1 else None,
            "range": chosen["value_range"] if chosen["value_range"] != default["value_range"] else None,
            "mean": chosen["mean"],
            "std": chosen["std"],
        },
        "output": {
            "index": chosen["output"],
            "channel": chosen["channel"] if chosen["channel"] != "mean" else None,
            "range": chosen["output_range"],
        },
        "sizes": {
            "multiple": None if fixed else chosen["sizes"],
            "minimum": chosen["least"] if chosen["least"] > 1 else None,
            "fixed": fixed,
            "batch": 1 if chosen["single"] else None,
        },
        "measured": dict(measured),
    }
    lines: list[str] = []
    for table, keys in tables.items():
        said = {key: value for key, value in keys.items() if value is not None and value not in ("", (), [])}
        if said:
            lines += [f"\n[{table}]"] if table else []
            lines += [f"{key} = {_toml(value)}" for key, value in said.items()]
    return "\n".join(lines).strip() + "\n"


def _toml(value: Any) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"[{', '.join(map(_toml, value))}]"
    return repr(value) if isinstance(value, float) else json.dumps(value, ensure_ascii=False)

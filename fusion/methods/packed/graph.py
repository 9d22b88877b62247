"""A network whose program is a list of operations from a file: read from the JSON of an exported program, then run.

Nothing is compiled and nothing evaluated: each step is a call of an operation that `operators` admits, with tensors
and numbers that earlier steps have made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from fusion.errors import PackedMethodError
from fusion.methods.packed.archive import DTYPES, Archive
from fusion.methods.packed.expressions import NotIntegerArithmetic, parsed
from fusion.methods.packed.operators import FLOAT_MAKERS, SIZES, SKIPPED, admitted
from fusion.methods.packed.size_rules import SizeRules

MOST_STEPS = 20_000
_FORMATS = {
    1: torch.contiguous_format, 2: torch.channels_last, 3: torch.channels_last_3d, 4: torch.preserve_format
}  # fmt: skip


@dataclass(frozen=True)
class Name:
    """Stands in a step's arguments for a value that an earlier step has made."""

    name: str


@dataclass(frozen=True)
class OfImages:
    """Stands in a step's arguments for the images' precision or device."""

    what: str


@dataclass(frozen=True, eq=False)
class Step:
    """One call.

    Attributes
    ----------
    call : callable
        Of torch, or arithmetic on sizes.
    args, kwargs
        With `Name` and `OfImages` in them.
    results : tuple
        Names of what it makes; a tuple of names where one result is a list.
    over : tuple of str
        Names that no later step uses.
    """

    call: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    results: tuple[str | tuple[str, ...] | None, ...]
    over: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Program:
    """A list of calls, and what it is about.

    Attributes
    ----------
    rules : SizeRules
        Sizes that it takes.
    steps : tuple of Step
        In order.
    images : tuple of str
        Names of what it takes, one or two.
    outputs : tuple
        `Name` of each result.
    weights : dict of str to Tensor
        By name.
    """

    rules: SizeRules
    steps: tuple[Step, ...]
    images: tuple[str, ...]
    outputs: tuple[Any, ...]
    weights: Mapping[str, Tensor]


class ProgramNetwork(nn.Module):
    """A network that runs a program.

    Parameters
    ----------
    program : Program
        Checked: each name in it is made before it is used.
    """

    def __init__(self, program: Program) -> None:
        super().__init__()
        self.rules, self.steps, self.images = program.rules, program.steps, program.images
        self.outputs = program.outputs
        self._names: dict[str, str] = {}
        for number, (name, tensor) in enumerate(program.weights.items()):
            self._names[name] = f"weight_{number}"
            self.register_buffer(f"weight_{number}", tensor)

    def forward(self, *images: Tensor) -> Any:
        """Run the program on as many tensors as it takes; two images are joined for one that takes them in one.

        Returns
        -------
        Tensor or tuple
            A tuple where the program returns several.
        """
        if len(self.images) == 1 and len(images) == 2:
            images = (torch.cat(images, dim=1),)
        if len(self.images) != len(images):
            raise TypeError(f"the program takes {len(self.images)} tensors, not {len(images)}")
        self.rules.check({name: tuple(image.shape) for name, image in zip(self.images, images, strict=True)})
        values: dict[str, Any] = {name: getattr(self, place) for name, place in self._names.items()}
        values |= dict(zip(self.images, images, strict=True))
        own = {"dtype": images[0].dtype, "device": images[0].device}
        for step in self.steps:
            result = step.call(*_filled(step.args, values, own), **_filled(step.kwargs, values, own))
            _keep(step.results, result, values)
            for name in step.over:
                values.pop(name, None)
        found = tuple(_filled(output, values, own) for output in self.outputs)
        return found[0] if len(found) == 1 else found


class GraphNetwork(ProgramNetwork):
    """A network from an archive of `torch.export.save`.

    Parameters
    ----------
    archive : Archive
        Its program and tensors.
    path : Path
        The file, for messages.

    Raises
    ------
    PackedMethodError
        If the program has anything in it that is not admitted, or does not hang together.
    """

    def __init__(self, archive: Archive, path: Path) -> None:
        reader = _Reader(archive, path)
        try:
            reader.read()
        except (KeyError, TypeError, AttributeError, IndexError, ValueError, RecursionError) as error:
            raise PackedMethodError(
                f"{path}: the program is not written as torch.export.save writes it ({type(error).__name__}: "
                f"{str(error)[:120]}). Save the network again, with pack."
            ) from error
        super().__init__(Program(reader.rules, reader.steps, reader.images, reader.outputs, reader.weights))


def _filled(structure: Any, values: Mapping[str, Any], own: Mapping[str, Any]) -> Any:
    if isinstance(structure, Name):
        return values[structure.name]
    if isinstance(structure, OfImages):
        return own[structure.what]
    if type(structure) is list:
        return [_filled(item, values, own) for item in structure]
    if type(structure) is tuple:
        return tuple(_filled(item, values, own) for item in structure)
    if type(structure) is dict:
        return {key: _filled(item, values, own) for key, item in structure.items()}
    return structure


def _keep(results: Sequence[str | tuple[str, ...] | None], made: Any, values: dict[str, Any]) -> None:
    each = [made] if len(results) == 1 else list(made) if results else []
    for names, value in zip(results, each, strict=True):
        if isinstance(names, tuple):
            values |= dict(zip(names, value, strict=True))
        elif names is not None:
            values[names] = value


class _Reader:
    """Reads a program; every name in it must have been made before it is used."""

    def __init__(self, archive: Archive, path: Path) -> None:
        self._program, self._tensors, self._path = archive.program, archive.tensors, path
        self._graph = archive.program.get("graph_module", {}).get("graph", {})
        self._known: set[str] = set()
        self.weights: dict[str, Tensor] = {}
        self.images: tuple[str, ...] = ()
        self.steps: tuple[Step, ...] = ()
        self.outputs: tuple[Any, ...] = ()
        self.rules = SizeRules({}, {}, ())

    def _refused(self, why: str) -> PackedMethodError:
        return PackedMethodError(f"{self._path}: the program {why}.")

    def read(self) -> None:
        version = self._program["schema_version"]
        if version["major"] != 8:
            raise self._refused(
                f"is of version {version['major']} of the format where 8 is read. Save it with torch 2.9 or newer"
            )
        self._check_expressions()
        self._read_inputs()
        nodes = self._graph["nodes"]
        if len(nodes) > MOST_STEPS:
            raise self._refused(f"has {len(nodes):,} steps; up to {MOST_STEPS:,} are read")
        steps = [step for node in nodes if (step := self._step(node)) is not None]
        self.outputs = tuple(
            self._argument(entry["user_output"]["arg"]) for entry in self._user_outputs() if entry
        )
        self.steps = tuple(with_ends(steps, self.outputs))

    def _user_outputs(self) -> Iterator[dict[str, Any]]:
        for entry in self._program["graph_module"]["signature"]["output_specs"]:
            if set(entry) != {"user_output"}:
                raise self._refused(
                    f"changes what it keeps ({', '.join(entry)}), so that it would be another network after each run. "
                    "Call .eval() before export"
                )
            yield entry

    def _check_expressions(self) -> None:
        graph = self._graph
        sizes = [
            size
            for meta in graph["tensor_values"].values()
            for size in (*meta["sizes"], *meta["strides"], meta["storage_offset"])
        ]
        computed = [
            value
            for kind in ("sym_int_values", "sym_bool_values", "sym_float_values")
            for value in graph.get(kind, {}).values()
        ]
        texts = [entry["as_expr"]["expr_str"] for entry in (*sizes, *computed) if "as_expr" in entry]
        for text in (
            *texts,
            *self._program.get("range_constraints", {}),
            *self._program.get("guards_code", []),
        ):
            try:
                parsed(text)
            except NotIntegerArithmetic as error:
                raise self._refused(
                    f"has an expression of sizes that is not integer arithmetic: {str(text)[:80]!r}"
                ) from error
        if graph.get("custom_obj_values"):
            raise self._refused("has objects of its own, which only what made them can read")

    def _read_inputs(self) -> None:
        images: list[str] = []
        for entry in self._program["graph_module"]["signature"]["input_specs"]:
            ((kind, spec),) = entry.items()
            if kind == "user_input":
                name = spec["arg"]["as_tensor"]["name"]
                images.append(name)
            elif kind in ("parameter", "buffer", "tensor_constant"):
                name, stored = spec["arg"]["name"], spec[_STORED[kind]]
                if stored not in self._tensors:
                    raise self._refused(f"lacks the tensor {str(stored)[:80]!r}")
                self.weights[name] = self._tensors[stored]
            else:
                raise self._refused(f"takes something that is neither an image nor a weight ({kind[:40]})")
            self._make(name)
        if len(images) not in (1, 2):
            raise self._refused(f"takes {len(images)} tensors where a fusion network takes two images")
        self.images = tuple(images)
        self.rules = SizeRules.of(self._program, self.images)

    def _make(self, name: Any) -> str:
        if not isinstance(name, str) or name in self._known:
            raise self._refused(f"makes {str(name)[:80]!r} twice")
        self._known.add(name)
        return name

    def _step(self, node: dict[str, Any]) -> Step | None:
        target = node["target"]
        name = target.split(".")[3] if target.startswith("torch.ops.aten.") else ""
        call = SIZES.get(target) or admitted(target)
        if call is None:
            raise self._refused(_not_admitted(target))
        if name in SKIPPED:
            return None
        args = [self._argument(entry["arg"]) for entry in node["inputs"] if entry.get("kind") != 2]
        kwargs = {
            entry["name"]: self._argument(entry["arg"]) for entry in node["inputs"] if entry.get("kind") == 2
        }
        if target not in SIZES:
            self._check_call(call, name, args, kwargs)
        results = tuple(self._result(output) for output in node["outputs"])
        return Step(call, tuple(args), kwargs, results)

    def _check_call(self, call: Any, name: str, args: list[Any], kwargs: dict[str, Any]) -> None:
        """Refuse what writes to weights; say the precision of what has none."""
        schema = call._schema
        if len(args) > len(schema.arguments) or not set(kwargs) <= {one.name for one in schema.arguments}:
            raise self._refused(f"calls {name} with arguments that it does not have")
        written = schema.is_mutable and args and isinstance(args[0], Name) and args[0].name in self.weights
        if written:
            raise self._refused(f"writes to its weights ({name}). Call .eval() before export")
        taken = any(one.name == "dtype" for one in schema.arguments)
        if name in FLOAT_MAKERS and taken and kwargs.get("dtype") is None:
            numbers = args[1:] if name == "full" else args
            whole = name in ("full", "scalar_tensor", "arange") and not any(
                isinstance(number, float) for number in numbers
            )
            if not whole:
                kwargs["dtype"] = OfImages("dtype")

    def _result(self, output: dict[str, Any]) -> str | tuple[str, ...] | None:
        ((kind, value),) = output.items()
        match kind:
            case "as_tensor":
                return self._make(value["name"])
            case "as_tensors":
                return tuple(self._make(one["name"]) for one in value)
            case "as_sym_int" | "as_sym_bool" | "as_sym_float":
                return self._make(value["as_name"])
            case "as_none":
                return None
        raise self._refused(f"has a result of a kind that is not known ({kind[:40]})")

    def _argument(self, argument: dict[str, Any]) -> Any:
        ((kind, value),) = argument.items()
        match kind:
            case "as_none":
                return None
            case "as_tensor" | "as_optional_tensor":
                return None if "as_none" in value else self._used(value.get("as_tensor", value)["name"])
            case "as_tensors":
                return [self._used(one["name"]) for one in value]
            case "as_optional_tensors":
                return [None if "as_none" in one else self._used(one["as_tensor"]["name"]) for one in value]
            case "as_sym_int" | "as_sym_bool" | "as_sym_float":
                return self._symbolic(value)
            case "as_sym_ints" | "as_sym_bools" | "as_sym_floats":
                return [self._symbolic(one) for one in value]
            case "as_int" | "as_float" | "as_bool" | "as_string":
                return _plain(value)
            case "as_ints" | "as_floats" | "as_bools":
                return [_plain(one) for one in value]
            case "as_scalar_type":
                return OfImages("dtype") if DTYPES[value] == torch.float32 else DTYPES[value]
            case "as_memory_format":
                return _FORMATS[value]
            case "as_layout":
                return torch.strided
            case "as_device":
                return OfImages("device")
        raise self._refused(f"has an argument of a kind that is not admitted ({kind[:40]})")

    def _symbolic(self, value: dict[str, Any]) -> Any:
        return self._used(value["as_name"]) if "as_name" in value else _plain(next(iter(value.values())))

    def _used(self, name: str) -> Name:
        if name not in self._known:
            raise self._refused(f"uses {str(name)[:80]!r} before anything makes it")
        return Name(name)


_STORED = {
    "parameter": "parameter_name", "buffer": "buffer_name", "tensor_constant": "tensor_constant_name"
}  # fmt: skip


def _plain(value: Any) -> Any:
    if type(value) not in (bool, int, float, str):
        raise TypeError("an argument is no plain number")
    return value


def _not_admitted(target: Any) -> str:
    words = str(target)[:80]
    if "set_grad_enabled" in words or "autocast" in words:
        return (
            f"switches gradients or precision ({words}), so that it has no derivative there. Take torch.no_grad() or "
            "autocast out of the network"
        )
    return f"calls {words}, which is not on the list of operations that are admitted"


def with_ends(steps: Sequence[Step], outputs: Any) -> Iterator[Step]:
    """Yield the steps with the names that each uses as the last."""
    later = set(names_in((outputs,)))
    ended: list[Step] = []
    for step in reversed(steps):
        mine = set(names_in((step.args, step.kwargs, *(Name(name) for name in _made(step.results)))))
        ended.append(Step(step.call, step.args, step.kwargs, step.results, tuple(sorted(mine - later))))
        later |= mine
    yield from reversed(ended)


def _made(results: Any) -> Iterator[str]:
    for result in results:
        if isinstance(result, tuple):
            yield from result
        elif result is not None:
            yield result


def names_in(structure: Any) -> Iterator[str]:
    """Yield the names that stand in arguments."""
    if isinstance(structure, Name):
        yield structure.name
    elif isinstance(structure, list | tuple):
        for item in structure:
            yield from names_in(item)
    elif isinstance(structure, dict):
        yield from names_in(list(structure.values()))

"""Sizes for which an exported program holds: one made for some may do something else, and say nothing, for others."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fusion.methods.packed.expressions import NotIntegerArithmetic, parsed, symbol_of, value_of

SIDES = ("batch", "channels", "height", "width")

Shapes = Mapping[str, Sequence[int]]
Range = tuple[int | None, int | None]


@dataclass(frozen=True)
class SizeRules:
    """Rules that the sizes of a program's images must keep.

    Attributes
    ----------
    sizes : dict of str to tuple
        For each image its sizes: a number, or an expression.
    ranges : dict of str to tuple
        The least and most of an expression, ``None`` where there is no end.
    guards : tuple of str
        Expressions that must hold.
    names : tuple of str
        What the images are called in the guards.
    """

    sizes: dict[str, tuple[int | str, ...]]
    ranges: dict[str, Range]
    guards: tuple[str, ...]
    names: tuple[str, ...] = ()

    @classmethod
    def of(cls, program: dict[str, Any], images: Sequence[str]) -> SizeRules:
        """Read the rules of a program whose expressions have been checked."""
        metas = program["graph_module"]["graph"]["tensor_values"]
        sizes = {
            name: tuple(
                size["as_int"] if "as_int" in size else str(size["as_expr"]["expr_str"])
                for size in metas[name]["sizes"]
            )
            for name in images
        }
        if any(len(shape) != len(SIDES) for shape in sizes.values()):
            raise ValueError("images have four sides")
        ranges = {
            text: (entry["min_val"], entry["max_val"])
            for text, entry in program.get("range_constraints", {}).items()
        }
        called = program["graph_module"]["module_call_graph"][0]["signature"].get("forward_arg_names") or ()
        return cls(sizes, ranges, tuple(program.get("guards_code", ())), tuple(called))

    def fixed(self) -> tuple[int, int] | None:
        """Return the only height and width of images that the program takes, if there is one."""
        height, width = next(iter(self.sizes.values()))[2:]
        return (height, width) if isinstance(height, int) and isinstance(width, int) else None

    def batch(self) -> int | None:
        """Return the only number of pairs that it takes at a time, if there is one."""
        first = next(iter(self.sizes.values()))[0]
        return first if isinstance(first, int) else None

    def least(self) -> int:
        """Return the pixels along each side of the smallest images that the program was made for.

        `check` leaves them out: crops may be smaller, as a program does the same on all that it can be run on.
        """
        found = 1
        for size in next(iter(self.sizes.values()))[2:]:
            if isinstance(size, str):
                factor, symbol = _factor(parsed(size))
                bounds = (self.ranges.get(size), 1), (self.ranges.get(symbol or ""), factor)
                found = max([found, *((bound[0] or 0) * times for bound, times in bounds if bound)])
        return found

    def example(self, channels: int, side: int) -> tuple[int, int, int, int]:
        """Return a shape (B, C, H, W) that the program takes, with sides of about so many pixels."""
        wanted = (2, channels, side, side + side // 3)
        found = []
        for size, near in zip(next(iter(self.sizes.values())), wanted, strict=True):
            factor = 1 if isinstance(size, int) else _factor(parsed(size))[0]
            found.append(size if isinstance(size, int) else -(-near // factor) * factor)
        return found[0], found[1], found[2], found[3]

    def check(self, shapes: Shapes) -> None:
        """Refuse shapes that the program was not made for.

        Parameters
        ----------
        shapes : mapping of str to sequence of int
            The shape (B, C, H, W) of each image. Sides that are recorded and not to be looked at are let pass.

        Raises
        ------
        ValueError
            With the side and the number that it must be, or a multiple of.
        """
        if any(type(side) is not int for shape in shapes.values() for side in shape):
            return
        known: dict[str, int] = {}
        for image, shape in shapes.items():
            for side, wanted, found in zip(SIDES, self.sizes[image], shape, strict=True):
                _bind(side, wanted, found, known)
        for text, (_, most) in self.ranges.items():
            value = _value(text, known)
            if value is not None and most is not None and value > most:
                raise ValueError(f"the network was exported for images up to {text} = {most}")
        if self.guards:
            self._check_guards(shapes, known)

    def _check_guards(self, shapes: Shapes, known: dict[str, int]) -> None:
        for name, shape in zip(self.names, shapes.values(), strict=False):
            known |= {f"{name}:{dimension}": side for dimension, side in enumerate(shape)}
        for text in self.guards:
            if _value(text, known) is False:
                raise ValueError(f"the network was exported for sizes where {text[:160]}")


def _value(text: str, known: Mapping[str, int]) -> int | bool | None:
    try:
        return value_of(parsed(text), known)
    except KeyError:  # about something that images do not say
        return None
    except NotIntegerArithmetic as error:
        raise ValueError(f"{text[:80]} cannot be worked out") from error


def _bind(side: str, wanted: int | str, found: int, known: dict[str, int]) -> None:
    """Find what a symbol is from a side that is it, or a multiple of it."""
    if isinstance(wanted, int):
        if found != wanted:
            raise ValueError(f"the network was exported for a {side} of {wanted}, not {found}")
        return
    node = parsed(wanted)
    factor, symbol = _factor(node)
    if symbol is None:
        return
    if found % factor:
        raise ValueError(f"the network was exported for a {side} that is a multiple of {factor}, not {found}")
    if known.setdefault(symbol, found // factor) != found // factor:
        raise ValueError(f"the network was exported for images of one size; the {side} differs")


def _factor(node: ast.expr) -> tuple[int, str | None]:
    """Return number and symbol of a side that is their product."""
    if (symbol := symbol_of(node)) is not None:
        return 1, symbol
    match node:
        case ast.Call(func=ast.Name(id="Mul"), args=[first, second]):
            symbol = symbol_of(second)
            if symbol is not None and symbol_of(first) is None:
                try:
                    factor = value_of(first, {})
                except (KeyError, NotIntegerArithmetic):
                    return 1, None
                return (int(factor), symbol) if factor > 0 else (1, None)
    return 1, None

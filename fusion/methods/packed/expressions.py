"""Integer arithmetic on sizes of images, as exported programs have it: parsed and worked out here, never evaluated."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from functools import cache, reduce
from typing import Any

LONGEST = 4000
"""Characters of an expression."""
LARGEST = 2**62


class NotIntegerArithmetic(ValueError):
    """An expression has something in it that is no arithmetic on whole numbers."""


def _bounded(value: Any) -> Any:
    if isinstance(value, int) and abs(value) > LARGEST:
        raise NotIntegerArithmetic("a number is too large")
    return value


def _many(step: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    return lambda *values: reduce(lambda total, value: _bounded(step(total, value)), values)


def _power(base: int, exponent: int) -> int:
    if not 0 <= exponent <= 8:
        raise NotIntegerArithmetic("a power is not of 0 to 8")
    return int(base**exponent)


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "Add": _many(operator.add),
    "Mul": _many(operator.mul),
    "Pow": _power,
    "Integer": int,
    "FloorDiv": operator.floordiv,
    "CleanDiv": operator.floordiv,
    "Mod": operator.mod,
    "PythonMod": operator.mod,
    "Min": min,
    "Max": max,
    "Abs": abs,
    "Identity": lambda value: value,
    "Equality": operator.eq,
    "Eq": operator.eq,
    "Unequality": operator.ne,
    "Ne": operator.ne,
    "StrictLessThan": operator.lt,
    "LessThan": operator.le,
    "StrictGreaterThan": operator.gt,
    "GreaterThan": operator.ge,
    "And": lambda *values: all(values),
    "Or": lambda *values: any(values),
    "Not": operator.not_,
}
_OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod, ast.Pow: _power, ast.USub: operator.neg, ast.Not: operator.not_,
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le,
    ast.Gt: operator.gt, ast.GtE: operator.ge,
}  # fmt: skip
_ASSUMPTIONS = frozenset({"positive", "integer", "nonnegative", "nonzero", "real", "evaluate"})


@cache
def parsed(text: str) -> ast.expr:
    """Parse an expression, and make sure that it is integer arithmetic.

    Parameters
    ----------
    text : str
        As ``Mul(Integer(4), Symbol('s3', positive=True))`` or ``L['x'].size()[2] % 4 == 0``.

    Raises
    ------
    NotIntegerArithmetic
        If it is anything else.
    """
    if not isinstance(text, str) or len(text) > LONGEST:
        raise NotIntegerArithmetic("it is too long")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
        _check(tree)
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise NotIntegerArithmetic(f"{text[:80]!r} is not arithmetic on whole numbers") from error
    return tree


def _check(node: ast.AST) -> None:
    """Refuse a part of an expression that has no place in it."""
    if symbol_of(node) is not None or (isinstance(node, ast.Name) and node.id in ("true", "false")):
        return
    if isinstance(node, ast.Constant) and type(node.value) in (int, bool):
        _bounded(node.value)
        return
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _FUNCTIONS:
        if any(word.arg not in _ASSUMPTIONS for word in node.keywords):
            raise NotIntegerArithmetic("unknown assumption")
        parts: list[ast.expr] = node.args
    elif isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        parts = [node.left, node.right]
    elif isinstance(node, ast.UnaryOp) and type(node.op) in _OPERATORS:
        parts = [node.operand]
    elif isinstance(node, ast.Compare) and all(type(sign) in _OPERATORS for sign in node.ops):
        parts = [node.left, *node.comparators]
    elif isinstance(node, ast.BoolOp):
        parts = node.values
    else:
        raise NotIntegerArithmetic(type(node).__name__)
    for part in parts:
        _check(part)


def symbol_of(node: ast.AST) -> str | None:
    """Return the name of a symbol, or the source of a size, where a part of an expression is one."""
    if isinstance(node, ast.Name) and node.id not in ("true", "false"):
        return node.id
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Symbol":
        first = node.args[0] if len(node.args) == 1 else None
        known = all(word.arg in _ASSUMPTIONS for word in node.keywords)
        if known and isinstance(first, ast.Constant) and isinstance(first.value, str):
            return first.value
        return None
    return _size_source(node)


def _size_source(node: ast.AST) -> str | None:
    """Return ``name:dimension`` for ``L['name'].size()[dimension]``, or for such a size of an item of a list."""
    match node:
        case ast.Subscript(
            value=ast.Call(func=ast.Attribute(value=base, attr="size"), args=[], keywords=[]),
            slice=ast.Constant(value=int(dimension)),
        ):
            path: list[str] = []
            while isinstance(base, ast.Subscript) and isinstance(base.slice, ast.Constant):
                path.insert(0, str(base.slice.value))
                base = base.value
            return f"{'.'.join(path)}:{dimension}" if isinstance(base, ast.Name) and base.id == "L" else None
    return None


def value_of(node: ast.expr, known: Mapping[str, int]) -> int | bool:
    """Work an expression out.

    Parameters
    ----------
    node : ast.expr
        Of `parsed`.
    known : mapping of str to int
        What its symbols are.

    Raises
    ------
    KeyError
        If a symbol is not among them.
    NotIntegerArithmetic
        If a number becomes too large, or something is divided by zero.
    """
    name = symbol_of(node)
    if name is not None:
        return known[name]
    try:
        found: int | bool = _bounded(_worked_out(node, known))
    except ZeroDivisionError as error:
        raise NotIntegerArithmetic("it divides by zero") from error
    return found


def _worked_out(node: ast.expr, known: Mapping[str, int]) -> Any:
    match node:
        case ast.Name(id=word):
            return word == "true"
        case ast.Constant(value=value):
            return value
        case ast.Call(func=ast.Name(id=function), args=arguments):
            return _FUNCTIONS[function](*(value_of(part, known) for part in arguments))
        case ast.BinOp(left=left, op=sign, right=right):
            return _OPERATORS[type(sign)](value_of(left, known), value_of(right, known))
        case ast.UnaryOp(op=sign, operand=operand):
            return _OPERATORS[type(sign)](value_of(operand, known))
        case ast.BoolOp(op=sign, values=parts):
            values = [value_of(part, known) for part in parts]
            return all(values) if isinstance(sign, ast.And) else any(values)
        case ast.Compare(left=left, ops=signs, comparators=others):
            sides = [value_of(part, known) for part in (left, *others)]
            pairs = zip(signs, sides, sides[1:], strict=False)
            return all(_OPERATORS[type(sign)](first, second) for sign, first, second in pairs)
    raise NotIntegerArithmetic(type(node).__name__)

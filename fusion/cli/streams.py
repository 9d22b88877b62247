"""Around all commands: plain messages for mistakes, and standard streams whose failure loses no work."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NoReturn, TextIO, cast

import torch
import typer
from typer.core import TyperGroup

from fusion.errors import FuseVisError

USER_ERROR = 2

SUBSTITUTES = {
    "−": "-", "–": "-", "∞": "inf", "≤": "<=", "≥": ">=", "×": "x", "·": ".", "…": "...", "→": "->",
    "Σ": "Sum", "∂": "d", "λ": "lambda", "γ": "gamma", "ℓ": "l", "²": "2",
    "─": "-", "━": "-", "│": "|", "╭": "+", "╮": "+", "╰": "+", "╯": "+", "•": "*",
}  # fmt: skip
"""What is written instead of signs that an encoding lacks: a question mark before a number would hide its sign."""


class PlainErrors(TyperGroup):
    """Commands that answer a user's mistake with a plain message and exit code 2, without a traceback."""

    def main(self, *arguments: Any, **options: Any) -> Any:
        """Run the command line."""
        with patient_streams():
            return super().main(*arguments, **options)

    def invoke(self, ctx: Any) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except FuseVisError as error:
            _end(str(error), error)
        except (MemoryError, torch.OutOfMemoryError) as error:
            _end("There is not enough memory. Use smaller images, --dtype float32 or --device cpu.", error)


def _end(message: str, cause: Exception) -> NoReturn:
    typer.echo(f"Error: {message}", err=True)
    raise typer.Exit(USER_ERROR) from cause


@contextmanager
def patient_streams() -> Iterator[None]:
    """Let work in this block go on whatever becomes of the standard streams; tell at its end what was not written.

    A reader that has left is not told: it wanted no more. Where there is no standard output at all, nothing is written.

    Raises
    ------
    SystemExit
        With exit code 2, if the standard output could not be written.
    """
    output, errors = sys.stdout, sys.stderr
    patient = [None if stream is None else PatientStream(stream) for stream in (output, errors)]
    sys.stdout, sys.stderr = (cast(TextIO, stream) for stream in patient)
    try:
        yield
    finally:
        for stream in patient:
            if stream is not None:
                stream.flush()
        problem = None if patient[0] is None else patient[0].problem
        if problem is not None and not isinstance(problem, BrokenPipeError):
            typer.echo(
                f"Error: The output could not be written ({problem.strerror}). Files of results are not affected.",
                err=True,
            )
        sys.stdout, sys.stderr = output, errors
        if problem is not None and not isinstance(problem, BrokenPipeError):
            raise SystemExit(USER_ERROR)


class PatientStream:
    """A stream that goes on where it cannot be written: what failed is remembered, and nothing more is written.

    Results go into files. That a reader has left (as ``head`` does) or a disk is full must not end the work that makes
    them.

    Parameters
    ----------
    stream : text stream
        What is written to. Its encoding is kept; signs that it lacks are replaced.

    Attributes
    ----------
    problem : OSError or None
        Why nothing more is written.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.problem: OSError | None = None

    def __getattr__(self, name: str) -> Any:
        # Who finds the bytes below writes around all this.
        if name == "buffer":
            raise AttributeError(name)
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write text, as far as that can be done."""
        self._try(lambda: self._stream.write(writable(text, self._stream)))
        return len(text)

    def flush(self) -> None:
        """Hand over what was written."""
        self._try(self._stream.flush)

    def _try(self, act: Callable[[], object]) -> None:
        if self.problem is not None:
            return
        try:
            act()
        except OSError as error:
            self.problem = error
            # What is left in its buffer would fail again when Python ends, with a traceback.
            with suppress(OSError, ValueError):
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, self._stream.fileno())
                os.close(nowhere)


def writable(text: str, stream: TextIO) -> str:
    """Return text as a stream's encoding can write it."""
    encoding, errors = stream.encoding or "utf-8", stream.errors or "strict"
    if _fits(text, encoding):
        return text
    text = "".join(sign if _fits(sign, encoding) else SUBSTITUTES.get(sign, sign) for sign in text)
    # A handler of the stream's own, as for bytes in the names of files, is better than a question mark.
    return text if _fits(text, encoding, errors) else text.encode(encoding, "replace").decode(encoding)


def _fits(text: str, encoding: str, errors: str = "strict") -> bool:
    try:
        text.encode(encoding, errors)
    except UnicodeEncodeError:
        return False
    return True

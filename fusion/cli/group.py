"""What all commands have around them: plain messages for mistakes, and streams whose failure loses no work."""

from __future__ import annotations

from typing import Any, NoReturn

import torch
import typer
from typer.core import TyperGroup

from fusion.cli.streams import USER_ERROR, patient_streams
from fusion.errors import FuseVisError


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

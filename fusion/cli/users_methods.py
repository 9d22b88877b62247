"""The option that brings a folder of users' methods to a command: ``--methods FOLDER``."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from fusion.methods.packed.folders import VARIABLE

FolderOption = Annotated[
    Path | None,
    typer.Option(
        "--methods",
        metavar="FOLDER",
        exists=True,
        file_okay=False,
        help="A folder of methods of your own, a folder each; FUSEVIS_METHODS_DIR unless given.",
        show_default=False,
    ),
]


def with_users_methods(command: Callable[..., None]) -> Callable[..., None]:
    """Let a command that takes methods take a folder of them too."""

    def with_folder(**given: Any) -> None:
        with _named(given.pop("methods_folder")):
            command(**given)

    own = inspect.signature(command, eval_str=True)
    added = inspect.Parameter(
        "methods_folder", inspect.Parameter.KEYWORD_ONLY, annotation=FolderOption, default=None
    )
    kept = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own.parameters.values()]
    with_folder.__signature__ = own.replace(parameters=[*kept, added])  # type: ignore[attr-defined]
    with_folder.__annotations__ = {parameter.name: parameter.annotation for parameter in (*kept, added)}
    with_folder.__doc__, with_folder.__name__ = command.__doc__, command.__name__
    return with_folder


@contextmanager
def _named(folder: Path | None) -> Iterator[None]:
    """Let the environment name a folder for a while: processes that are started meanwhile see it too."""
    before = os.environ.get(VARIABLE)
    if folder is not None:
        os.environ[VARIABLE] = str(folder.absolute())
    try:
        yield
    finally:
        os.environ.pop(VARIABLE, None)
        if before is not None:
            os.environ[VARIABLE] = before

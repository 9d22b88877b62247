"""The file that an option names: with its extension, and no folder."""

from __future__ import annotations

import os
from pathlib import Path

import typer

OPTION = "--output"


def named_file(text: str, extension: str) -> Path:
    """Return the file that ``--output`` names, its extension added where it has none.

    Parameters
    ----------
    text : str
        As it was given: a path would have lost the slash at its end.
    extension : str
        As ``.csv``.

    Raises
    ------
    typer.BadParameter
        If it names no file, a folder, or a file of another extension.
    """
    form = f"FILE{extension}"
    path = Path(text)
    if not text.strip():
        raise _refused(f"there is no name. Give that of a file: {OPTION} {form}")
    separators = tuple(sign for sign in (os.sep, os.altsep) if sign)
    if text.endswith(separators) or path.name in ("", "..") or (path.suffix == "" and path.is_dir()):
        raise _refused(f"{text} is a folder. Give the name of a file in it: {OPTION} {path / form}")
    if path.suffix not in ("", extension):
        raise _refused(f"{text}: the name ends in {extension}, as {OPTION} {path.stem}{extension}")
    return path if path.suffix else path.with_name(f"{path.name}{extension}")


def _refused(words: str) -> typer.BadParameter:
    return typer.BadParameter(words, param_hint=OPTION)

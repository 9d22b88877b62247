"""Runs the command line in this process and reads what it wrote."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import typer
from numpy.typing import NDArray
from PIL import Image
from typer.testing import CliRunner

from fusion.cli.main import app

SHAPE = (9, 8)


def write_pair(folder: Path) -> list[str]:
    """Write the files of a pair of 9×8 pixels and return their names."""
    paths = [folder / "mri_3.png", folder / "pet_3.png"]
    for seed, path in enumerate(paths):
        Image.fromarray(np.random.default_rng(seed).integers(0, 256, SHAPE, dtype=np.uint8)).save(path)
    return [str(path) for path in paths]


def run(*arguments: str, expect: int = 0) -> Any:
    result = CliRunner().invoke(app, list(arguments), prog_name="python -m fusion")
    assert result.exit_code == expect, result.output
    assert "Traceback" not in result.output
    return result


def exit_code(command: Callable[[], object]) -> int:
    """Return with which exit code a part of a command ends; 0 where it just returns."""
    try:
        command()
    except typer.Exit as end:
        return end.exit_code
    return 0


def read(path: str | Path) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    with np.load(path) as content:  # without pickles
        arrays = dict(content)
    return arrays, json.loads(str(arrays.pop("metadata")))


def picture(path: str | Path) -> NDArray[Any]:
    with Image.open(path) as image:
        assert image.format == "PNG"
        return np.asarray(image)

"""What the command lines of several measurements have in common."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

TRAINED = ("funfusean", "masknet", "deepfuse", "deep_pedestrian")
"""The paper's networks."""
METHODS = ("weighted_averaging", *TRAINED)
"""The paper's methods."""

NetworksOption = Annotated[
    list[str] | None, typer.Option("--method", help="Id; repeatable. Without: the four networks.")
]
MethodsOption = Annotated[
    list[str] | None, typer.Option("--method", help="Id; repeatable. Without: the paper's five.")
]
PairOption = Annotated[
    tuple[Path, Path] | None, typer.Option(metavar="MRI_FILE PET_FILE", help="Without: a sample.")
]
WidthOption = Annotated[int, typer.Option(help="Of the browser's window, pixels.")]
HeightOption = Annotated[int, typer.Option(help="Of the browser's window, pixels.")]
StrictOption = Annotated[
    bool, typer.Option("--strict", help="End with exit code 3 if a figure misses what it must reach.")
]
RecordOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Append the figures to this file as well, a JSON object a line."),
]

"""``python -m app``: check what was asked for, then serve the page until it is stopped.

The options are click's, not typer's as elsewhere: typer has no repeatable option with two values.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Sequence
from pathlib import Path

import click
from flask import Flask
from gunicorn.arbiter import Arbiter
from pydantic import ValidationError

from app.serving import PageServer, open_listener
from app.settings import Settings, describe_problems

PairPaths = tuple[Path, Path]


class BadInput(click.ClickException):
    """Something that the user has to change; click prints the message and ends with this exit code."""

    exit_code = 2


def checked_settings(**given: object) -> Settings:
    """Return the settings, those of the command line before those of the environment.

    Raises
    ------
    BadInput
        If one is not valid.
    """
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        raise BadInput(describe_problems(error)) from None


def check_pairs(pairs: Sequence[PairPaths], pixel_limit: int) -> None:
    """Load the user's pairs once: a bad one is refused here rather than found on the page, and notes are shown.

    Raises
    ------
    BadInput
        If a file cannot be used, or two of a pair do not fit together.
    """
    if not pairs:
        return
    import fusion  # slow to import, and without pairs of one's own only the worker process needs it

    for mri, pet in pairs:
        try:
            for note in fusion.load_pair(mri, pet, pixel_limit).notes:
                click.echo(f"Note: {note}", err=True)
        except fusion.errors.FuseVisError as error:
            raise BadInput(str(error)) from None


def _listening_problem(settings: Settings, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {settings.port} on {settings.host} is taken. "
            "Stop the program that uses it, or choose another with --port."
        )
    # Python puts the address into the text of some of these errors; the system's own text is plainer.
    reason = error.strerror if isinstance(error, socket.gaierror) else os.strerror(error.errno or 0)
    return (
        f"Cannot listen on {settings.host}, port {settings.port}: {reason}. "
        "Choose others with --host and --port."
    )


def _load_page(settings: Settings, pairs: Sequence[PairPaths]) -> Flask:
    # Here and not above: this runs in the worker process, and CUDA must not be touched before the fork.
    from app.factory import create_server
    from fusion.errors import FuseVisError

    try:
        return create_server(settings, pairs)
    except FuseVisError as error:
        click.echo(f"Error: {error}", err=True)
        raise SystemExit(Arbiter.APP_LOAD_ERROR) from None


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--pair",
    "pairs",
    type=(click.Path(path_type=Path), click.Path(path_type=Path)),
    multiple=True,
    metavar="X1_FILE X2_FILE",
    help="Two co-registered images of your own, shown beside the samples. May be given several times.",
)
@click.option(
    "--modalities",
    type=(str, str),
    metavar="X1 X2",
    help="What your images show, as IR VIS; without this option, names of files and folders say so.",
)
@click.option("--host", metavar="ADDRESS", help="Address to listen on; 0.0.0.0 admits other machines.")
@click.option("--port", type=int, help="TCP port; 0 takes any free one.")
@click.option("--device", metavar="NAME", help="auto, cpu, cuda or cuda:n.")
@click.option("--data-dir", type=click.Path(path_type=Path), help="Folder with pairs of your own.")
@click.option(
    "--methods",
    "methods_dir",
    type=click.Path(path_type=Path),
    help="Folder with methods of your own, a folder each, as `python -m fusion pack` makes them.",
)
def main(
    pairs: tuple[PairPaths, ...],
    modalities: tuple[str, str] | None,
    host: str | None,
    port: int | None,
    device: str | None,
    data_dir: Path | None,
    methods_dir: Path | None,
) -> None:
    """Serve the FuseVis page.

    Options not given here come from environment variables FUSEVIS_…, listed in docs/settings.md.
    """
    settings = checked_settings(
        host=host,
        port=port,
        device=device,
        data_dir=data_dir,
        methods_dir=methods_dir,
        modalities=modalities,
    )
    check_pairs(pairs, settings.pixel_limit)
    try:
        listener = open_listener(settings.host, settings.port)
    except OSError as error:
        raise BadInput(_listening_problem(settings, error)) from None
    own_process = os.getpid()
    try:
        PageServer(settings, listener, lambda: _load_page(settings, pairs)).run()
    except SystemExit as end:
        if os.getpid() == own_process and end.code == Arbiter.APP_LOAD_ERROR:
            # The worker process, a fork that passes here too, has said why the page could not be made.
            raise SystemExit(BadInput.exit_code) from None
        raise


if __name__ == "__main__":
    main(prog_name="python -m app")
